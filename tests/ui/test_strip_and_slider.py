"""What the strip and the slider are given, and what of the browser's reports they believe."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.ui.widgets.step_slider import _NOTHING, _step
from app.ui.widgets.strip import block_of, row, selection
from models.plan import plan
from models.spec import NetSpec


def test_a_row_says_each_kind_of_block_once() -> None:
    drawn = row(NetSpec.parse("resnet-56"), "resnet-56")
    # First stage, the block that halves the resolution and the others of stage 2, the same of stage 3.
    assert len(drawn["kinds"]) == 5
    assert drawn["blocks"] == [0] * 9 + [1] + [2] * 8 + [3] + [4] * 8
    assert drawn["stages"] == ["32×32, 16", "16×16, 32", "8×8, 64"]
    assert [kind["dotted"] for kind in drawn["kinds"]] == [False, True, False, True, False]
    assert drawn["kinds"][1]["shortcut"] == "identity, zero-padded"
    assert drawn["kinds"][1]["layers"][0] == {
        "tail": "branch.conv1",
        "what": "3×3, 16 → 32, stride 2",
        "params": 3 * 3 * 16 * 32 + 2 * 32,
    }


def test_plain_nets_have_no_shortcuts_and_projections_are_said() -> None:
    assert {kind["shortcut"] for kind in row(NetSpec.parse("plain-20"), "p")["kinds"]} == {""}
    projected = row(NetSpec.parse("resnet-20:shortcut=C"), "c")
    assert all(kind["projected"] and kind["dotted"] for kind in projected["kinds"])


@pytest.mark.parametrize("net", ["resnet-1202", "preact-bottleneck-1001", "imagenet-resnet-152"])
def test_a_row_stays_small_however_deep_the_net(net: str) -> None:
    assert len(json.dumps(row(NetSpec.parse(net), net))) < 6000


@pytest.mark.parametrize("net", ["plain-20", "resnet-20:shortcut=C", "preact-bottleneck-164", "imagenet-resnet-50"])
def test_every_layer_of_every_net_can_be_selected(net: str) -> None:
    for layer in plan(NetSpec.parse(net)).layers:
        assert selection(layer.name) == layer.name
        assert block_of(layer.name) == layer.block


@pytest.mark.parametrize("text", ["", "block:", "block:-1", "block:99999", "blocks.1.branch.conv4", "<b>", None, 3, {}])
def test_nothing_else_is_a_selection(text: Any) -> None:
    assert selection(text) is None


@pytest.mark.parametrize(
    ("reported", "step"),
    [
        ({"at": 5}, 5),
        ({"at": 900}, 100),
        ({"at": -3}, 0),
        ({"at": None}, None),
        ({"at": "5"}, _NOTHING),
        ({"at": True}, _NOTHING),
        (None, _NOTHING),
        ([], _NOTHING),
    ],
)
def test_the_slider_believes_whole_steps_only(reported: Any, step: Any) -> None:
    assert _step(reported, 100) is step or _step(reported, 100) == step


def test_the_components_mount_on_a_page() -> None:
    def script() -> None:
        import streamlit as st

        from app.figures.errors import errors
        from app.ui.widgets.live_chart import live_chart
        from app.ui.widgets.step_slider import step_slider
        from app.ui.widgets.strip import StripNet, strip
        from models.spec import NetSpec

        live_chart(errors([]), key="chart")
        chosen = strip([StripNet(NetSpec.parse("resnet-20"), "resnet-20")], key="strip", selected="block:3")
        st.text(f"{chosen} {step_slider(None, newest=5, total=10, key='slider')}")

    page = AppTest.from_function(script).run()
    assert not page.exception
    assert page.text[0].value == "block:3 None"
