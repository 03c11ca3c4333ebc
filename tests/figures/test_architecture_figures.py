"""Nets on paper: rows that add up to the totals, and bars that carry the paper's number beside ours."""

import json

import pytest

from app.figures.theme import FAMILY_COLOURS
from app.studies.architecture.figures import costs, layer_table, paper_table, shortcut_table, story_table
from models.names import PRESETS
from models.plan import plan
from models.spec import NetSpec

FIGURE_3 = [NetSpec.parse(f"imagenet-{name}") for name in ("vgg-19", "plain-34", "resnet-34")]


@pytest.mark.parametrize("name", PRESETS)
def test_the_rows_add_up_to_the_totals(name: str) -> None:
    net = NetSpec.parse(name)
    rows, laid = layer_table(net), plan(net)
    assert sum(row["parameters"] for row in rows) == laid.params
    assert sum(row["multiply-adds"] for row in rows) == laid.macs
    assert [row["name"] for row in rows] == [layer.name for layer in laid.layers]


def test_a_row_says_shapes_kernel_and_field() -> None:
    rows = {row["name"]: row for row in layer_table(NetSpec.parse("imagenet-resnet-34"))}
    assert rows["stem.conv"] == {
        "name": "stem.conv",
        "shape in": "224×224×3",
        "shape out": "112×112×64",
        "kernel": "7×7",
        "stride": 2,
        "parameters": 7 * 7 * 3 * 64 + 2 * 64,
        "multiply-adds": 7 * 7 * 3 * 64 * 112**2,
        "sees (px)": 7,
    }
    assert rows["head.fc"]["kernel"] == "fc"
    assert rows["head.fc"]["shape in"] == "512"


def test_the_bars_carry_the_paper_s_number_and_the_difference() -> None:
    figure = costs(FIGURE_3)
    macs, params = (trace for trace in figure.data if trace["type"] == "bar")
    assert macs["x"] == [19.6321, 3.6445, 3.6638]
    assert macs["text"] == [" 19.63 · paper 19.6 (+0.03)", " 3.64 · paper 3.6 (+0.04)", " 3.66 · paper 3.6 (+0.06)"]
    assert [round(value, 1) for value in params["x"]] == [143.7, 21.6, 21.8]
    assert macs["marker"]["color"][1:] == [FAMILY_COLOURS["plain"], FAMILY_COLOURS["resnet"]]
    assert figure.caption.startswith(":green-badge[measured] counted")
    assert "imagenet-resnet-34: 3.66 billion multiply-adds" in figure.alt
    json.dumps([figure.data, figure.layout], allow_nan=False)


def test_small_nets_are_measured_in_millions_and_two_of_a_family_differ() -> None:
    figure = costs([NetSpec.parse("resnet-20"), NetSpec.parse("resnet-32")])
    bars = figure.data[0]
    assert bars["x"][0] == round(plan(NetSpec.parse("resnet-20")).macs / 1e6, 4)
    assert len(set(bars["marker"]["color"])) == 2
    assert "multiply-adds, millions" in figure.data[1]["name"]


def test_no_nets_are_an_empty_figure() -> None:
    assert costs([]).data[0]["x"] == []


def test_the_paper_s_table_beside_ours() -> None:
    rows = {(row["net"], row["what"].split(",")[0]): row for row in paper_table()}
    vgg = rows["imagenet-vgg-19", "multiply-adds"]
    assert (vgg["printed"], vgg["counted"], vgg["difference"]) == ("19.6", "19.632", "+0.032")
    assert rows["resnet-20", "parameters"]["difference"] == "0.000"
    assert rows["dense-bc-100-12", "parameters"]["difference"] == "−0.031"


def test_the_chosen_nets_stand_among_the_others_by_cost() -> None:
    rows = story_table(FIGURE_3[1:])
    assert [row["net"] for row in rows] == [
        "AlexNet",
        "GoogLeNet",
        "imagenet-plain-34",
        "imagenet-resnet-34",
        "ResNeXt-50, 32×4d",
        "Inception-v3",
    ]
    assert rows[-1]["px"] == 299
    assert rows[2]["multiply-adds"] == plan(FIGURE_3[1]).macs / 1e9


def test_an_option_s_share_is_of_the_net_without_it() -> None:
    a, b, c = shortcut_table(NetSpec.parse("imagenet-resnet-34"))
    assert a["in %"] == 0
    twin = plan(NetSpec.parse("imagenet-plain-34"))
    assert b["in %"] == pytest.approx(100 * b["+ parameters"] / twin.params)
    assert c["in % "] == pytest.approx(100 * c["+ multiply-adds"] / twin.macs)
