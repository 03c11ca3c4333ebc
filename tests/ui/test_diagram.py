"""What the diagram is given, what of the browser's reports it believes, and the page around it."""

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.ui.widgets.diagram import Choice, choice, column, short
from models.names import PRESETS
from models.plan import plan
from models.spec import NetSpec
from tests.support.waiting import PATIENCE

PAGE = Path(__file__).resolve().parents[2] / "pages" / "architecture.py"
FIGURE_3 = ["imagenet-vgg-19", "imagenet-plain-34", "imagenet-resnet-34"]


def test_the_boxes_say_what_the_paper_s_figure_says() -> None:
    drawn = column(NetSpec.parse("imagenet-resnet-34"))
    assert [box["text"] for box in drawn["before"]] == ["7×7 conv, 64, /2", "max pool, /2"]
    assert [box["text"] for box in drawn["after"]] == ["avg pool", "fc 1000"]
    opening = drawn["kinds"][drawn["blocks"][3]]
    assert [box["text"] for box in opening["boxes"]] == ["3×3 conv, 128, /2", "3×3 conv, 128"]
    assert (opening["arc"], opening["mark"], opening["band"]) == ("dotted", "1×1", 28)
    assert drawn["kinds"][0]["arc"] == "solid"
    assert drawn["totals"] == ["34 layers", "3.66 billion multiply-adds", "21.8 million parameters"]


def test_plain_nets_have_no_arcs_and_vgg_pools() -> None:
    assert {kind["arc"] for kind in column(NetSpec.parse("plain-20"))["kinds"]} == {""}
    vgg = column(NetSpec.parse("imagenet-vgg-19"))
    assert [box["text"] for box in vgg["after"]] == ["max pool, /2", "fc 4096", "fc 4096", "fc 1000"]
    assert vgg["kinds"][1]["boxes"][0]["text"] == "max pool, /2"


@pytest.mark.parametrize("name", PRESETS)
def test_every_layer_has_its_box_and_the_boxes_add_up(name: str) -> None:
    net = NetSpec.parse(name)
    drawn, laid = column(net), plan(net)
    kinds = [drawn["kinds"][kind] for kind in drawn["blocks"]]
    boxes = [*drawn["before"], *(box for kind in kinds for box in (*kind["boxes"], *kind["beside"])), *drawn["after"]]
    assert sum(box.get("params", 0) for box in boxes) == laid.params
    assert sum(box.get("macs", 0) for box in boxes) == laid.macs
    bands = [part["band"] for part in (*drawn["before"], *kinds, *drawn["after"])]
    assert bands == sorted(bands, reverse=True), "resolution only falls: every part finds its band"


@pytest.mark.parametrize("name", ["resnet-1202", "preact-bottleneck-1001", "dense-bc-100-12"])
def test_a_column_stays_small_however_deep_the_net(name: str) -> None:
    assert len(json.dumps(column(NetSpec.parse(name)))) < 40_000


@pytest.mark.parametrize(("number", "text"), [(3_663_761_408, "3.66 billion"), (19_632_062_464, "19.6 billion")])
def test_large_numbers_in_three_digits(number: int, text: str) -> None:
    assert short(number) == text
    assert (short(853_018), short(143_667_240), short(12)) == ("853 thousand", "144 million", "12")


@pytest.mark.parametrize(
    ("reported", "believed"),
    [
        ({"net": 1, "at": "block:3"}, Choice(1, "block:3")),
        ({"net": 1, "at": "stem.conv"}, Choice(1, "stem.conv")),
        ({"net": 3, "at": "block:3"}, None),
        ({"net": -1, "at": "block:3"}, None),
        ({"net": True, "at": "block:3"}, None),
        ({"net": 0, "at": "<b>"}, None),
        ({"net": "0", "at": "block:1"}, None),
        ("block:3", None),
        (None, None),
    ],
)
def test_the_diagram_believes_its_own_columns_only(reported: Any, believed: Choice | None) -> None:
    assert choice(reported, 3) == believed


def page(**query: Any) -> AppTest:
    tested = AppTest.from_file(PAGE, default_timeout=PATIENCE)
    for name, value in query.items():
        tested.query_params[name] = value
    return tested.run()


def test_the_page_opens_on_the_paper_s_figure() -> None:
    tested = page()
    assert not tested.exception
    assert tested.title[0].value.endswith("?")
    assert tested.multiselect[0].value == FIGURE_3
    assert r"x_{1} = \sigma(x_{0} + F_{1}(x_{0}))" in tested.latex[0].value
    assert any("21,797,672" in text.value for text in tested.markdown)
    captions = [caption.value for caption in tested.caption]
    assert sum(caption.startswith((":green-badge[measured]", ":violet-badge[paper]")) for caption in captions) >= 5


def test_the_address_chooses_nets_block_and_what_is_taken_apart() -> None:
    tested = page(net=["resnet-20", "highway-20"], of="highway-20", layer="block:4")
    assert not tested.exception
    assert "T(x_{4})" in tested.latex[0].value
    assert "highway-20" in " ".join(text.value for text in tested.markdown)


def test_what_is_taken_apart_is_addressed_by_the_net_s_own_name() -> None:
    tested = page(net=["resnet-50", "imagenet-resnet-50"], of="resnet-50")
    assert "A block of resnet-50," in " ".join(text.value for text in tested.markdown)
    tested = page(of="imagenet-plain-34")
    assert "A block of imagenet-plain-34," in " ".join(text.value for text in tested.markdown)


def test_a_block_beyond_the_net_is_its_last() -> None:
    assert "F_{9}" in page(net=["resnet-20"], layer="block:700").latex[0].value


@pytest.mark.parametrize(
    "query",
    [
        {"net": ["plain-57"]},
        {"net": ["<script>alert(1)</script>", "resnet-20"]},
        {"net": ["x" * 5000]},
        {"net": [""]},
        {"net": ["resnet-20", "resnet-20"]},
        {"net": [f"plain-{6 * n + 2}" for n in range(2, 9)]},
        {"of": "nothing"},
        {"layer": "block:x"},
        {"layer": "head.fc", "step": "soon", "net": ["imagenet-vgg-16"]},
        {"net": ["resnet-1202", "preact-bottleneck-1001", "dense-bc-100-12"], "layer": "block:320"},
    ],
)
def test_nonsense_in_the_address_never_raises(query: dict[str, Any]) -> None:
    tested = page(**query)
    assert not tested.exception
    assert tested.latex


@pytest.mark.parametrize("net", ["vgg-16", "dense-40-12", "wide-16-4", "se-20", "stochastic-20", "preact-20"])
def test_every_family_has_its_words(net: str) -> None:
    tested = page(net=[net])
    assert not tested.exception
    assert not tested.warning
