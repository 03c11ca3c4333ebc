"""The picture holds every number, mark and limit; the words follow from the same numbers."""

import json
import math

import numpy as np

from app.figures.theme import Style
from app.studies.gradients.claims import claims
from app.studies.gradients.truth_figure import PANELS, SIGNS, truth_picture
from app.studies.gradients.truth_table import compared, said
from app.studies.gradients.verdicts import Trained
from tests.studies.gradients.courses import course
from tests.studies.gradients.test_claims import NOISE, STEPS, net

PLAIN, TWIN = Style("plain-56", "#D55E00"), Style("resnet-56", "#0072B2")


def test_the_picture_has_each_quantity_of_both_nets_and_can_be_sent() -> None:
    pair = [(PLAIN, net([35, 3, 0.05, 2])), (TWIN, net([1.5] * 4, "resnet-56"))]
    figure = truth_picture(pair, claims(pair[0][1], pair[1][1]))
    json.dumps({"data": figure.data, "layout": figure.layout}, allow_nan=False)
    assert [trace["name"] for trace in figure.data] == ["plain-56", "resnet-56"] * len(PANELS)
    per_block, _, total, *_ = figure.data
    # By moment its two stages, a break, and for the total all of them after another one.
    assert np.allclose(per_block["y"][:2], [math.sqrt(35), math.sqrt(1.2)], rtol=1e-3)
    assert per_block["y"][2] is None
    assert np.allclose([total["y"][i] for i in (0, 1, 3)], [35, 1.2, 42], rtol=1e-3)
    assert total["error_y"]["array"][0] > 0
    assert "step 0, stage 1: ×35.0 (" in total["customdata"][0]


def test_every_claim_has_a_sign_under_every_moment_and_stands_under_its_quantity() -> None:
    pair = [(PLAIN, net([35, 3, 0.05, 2])), (TWIN, net([1.5] * 4, "resnet-56"))]
    made = claims(pair[0][1], pair[1][1])
    notes = truth_picture(pair, made).layout["annotations"]
    height = {note["text"]: note["y"] for note in notes}
    below = (
        height["Gradient, factor per block towards the image"]
        > height["Yang 2019: it explodes at initialisation, ×1.467 (dashed)"]
    )
    assert below
    assert (
        height["Yang 2019: it explodes at initialisation, ×1.467 (dashed)"]
        > height["Gradient, first block of the stage ÷ last"]
    )
    signs = [note["text"] for note in notes if note["text"] in SIGNS.values()]
    assert len(signs) == len(made) * len(STEPS)
    assert [note["text"] for note in notes if note["text"].startswith("step ")] == [
        "step 0",
        "step 1",
        "step 10",
        "step 100",
    ]


def test_the_prediction_is_drawn_at_initialisation_and_our_limits_are_shaded() -> None:
    shapes = truth_picture([(PLAIN, net([35, 3, 0.05, 2]))]).layout["shapes"]
    [dashed] = [shape for shape in shapes if shape["name"] == "prediction"]
    assert round(dashed["y0"], 3) == 1.467
    assert dashed["x1"] < 2, "within the first moment"
    [band] = [shape for shape in shapes if shape["name"] == "band"]
    assert (band["y0"], band["y1"]) == (0.1, 10)
    without = truth_picture([(PLAIN, net([35.0], "plain-56:norm=none"))]).layout["shapes"]
    assert not [shape for shape in without if shape["name"] == "prediction"]


def test_what_was_measured_once_has_no_bar() -> None:
    *_, growth = truth_picture([(PLAIN, net([35, 3]))]).data
    assert set(growth["error_y"]["array"]) == set(growth["error_y"]["arrayminus"]) == {0.0}


def test_the_sentence_says_what_each_stage_does_at_each_moment() -> None:
    text = said("plain-56", net([35, 0.05, 0.5, 2], error=60.04))
    assert "- step 0: explodes in 1 (×35.0), grows in 2 (×1.20)" in text
    assert "- step 1: vanishes in 1 (×0.05)" in text
    assert "- step 10: shrinks in 1 (×0.50)" in text
    assert "training error 60.0 %, test error 60.0 %" in text
    assert "so far" not in text
    assert "test error 60.0 % so far" in said("plain-56", net([35, 1], error=60.04, going_on=True))
    assert "diverged after step 1" in said("plain-56", net([35, 1], diverged=True))


def words(sentences: list[str]) -> str:
    return "\n".join(sentences).replace("\\", "")  # names are quoted letter by letter


def starving(grown: float) -> Trained:
    rms = np.ones((2, 6, 2)) * NOISE[None]
    rms[0, :, 0] *= 35
    norms = np.ones((2, 6, 2)) * NOISE[None]
    norms[0, :, 0] *= 500 * NOISE[:, 0]
    norms[1, :, 0] *= 0.05 * NOISE[:, 0]
    size = np.array([[1.34, 8.0], [1.34 * grown, 8.0]])
    return Trained((course(rms=rms, stages=[0, 0], steps=(0, 312), weight_norm=norms, weight_size=size),))


def test_the_mechanism_is_told_by_its_numbers_and_only_where_it_is_there() -> None:
    twin = (TWIN, net([1.5] * 4, "resnet-56"))
    text = words(compared([(PLAIN, starving(300)), twin]))
    assert "From an explosion to starved weights, in plain-56" in text
    assert "is ×500 the last layer's" in text
    assert "from 1.34 to 402 (×300)" in text
    # 0.05 ÷ (402 ÷ 8) = 1 ÷ 1,005, in three digits
    assert "gradient ÷ weight is now ×1/1,000 that of the last layer, the gradient itself ×0.05" in text
    assert "No starved weights in plain-56" in words(compared([(PLAIN, starving(0.5)), twin]))


def test_the_prediction_s_sentence_says_how_far_off_each_stage_is() -> None:
    text = words(compared([(PLAIN, net([1.467**2, 1])), (TWIN, net([1.5] * 2, "resnet-56"))]))
    assert "predict ×1.467 for a block of 2 layers" in text
    assert "×1.47 (1.47 to 1.47), off by +0 %; ×1.10, off by −25 %" in text
    assert "range of the gradient over the blocks of **plain-56 after one step** is" in text
