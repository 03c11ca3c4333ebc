"""Cuts as values: text and JSON there and back, one spelling each, and nets that they do not fit."""

import json
from itertools import permutations

import pytest

from app.values.cut_spec import MAX_TEXT, CutSpec, interchangeable, removable
from models.spec import NetSpec


@pytest.mark.parametrize("text", ["", "3", "3,7", "5:0.5", "0,2,5:0.25,4-3", "13-12,20-18-19", "0:0.001"])
def test_text_and_json_come_back_as_the_same_cut(text: str) -> None:
    cut = CutSpec.parse(text)
    assert str(cut) == text
    assert CutSpec.model_validate_json(cut.model_dump_json()) == cut
    assert CutSpec.model_validate(json.loads(cut.model_dump_json())) == cut


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("7,3", "3,7"),
        (" 3 , 7 ", "3,7"),
        ("5:0", "5"),
        ("5:1", ""),
        ("5:.5", "5:0.5"),
        ("2-1,0", "0,2-1"),
        ("12-14-13,3-4", "14-13"),
    ],
)
def test_a_cut_has_one_spelling(text: str, same: str) -> None:
    assert str(CutSpec.parse(text)) == same


@pytest.mark.parametrize("order", [*permutations(range(5))])
def test_every_order_is_kept_in_its_shortest_runs(order: tuple[int, ...]) -> None:
    cut = CutSpec.of(order=order)
    assert cut.sequence(5) == order
    assert CutSpec.parse(str(cut)) == cut
    moved = {block for run in cut.order for block in run}
    assert all(order[place] == place for place in range(5) if place not in moved)


def test_a_value_that_is_no_cut_s_own_spelling_is_refused() -> None:
    for values in ({"order": ((3, 4),)}, {"order": ((),)}, {"scales": ((7, 0), (3, 0))}, {"scales": ((3, 0.00001),)}):
        with pytest.raises(ValueError, match="validation error"):
            CutSpec.model_validate(values)
    with pytest.raises(ValueError, match="each of the blocks 0 to 2 once"):
        CutSpec.of(order=(0, 2, 2))


def test_every_block_of_the_deepest_preset_can_be_named() -> None:
    cut = CutSpec.of(removed=range(600))
    assert len(str(cut)) == 2289
    assert CutSpec.parse(str(cut)).removed == tuple(range(600))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("three", "'three' is no part of a cut"),
        ("3;7", "no part of a cut"),
        ("-3", "no part of a cut"),
        ("3:2", "no part of a cut"),
        ("3:nan", "no part of a cut"),
        ("3:1.5", "between 0, the block removed, and 1"),
        ("3,3:0.5", "block 3 is named twice"),
        ("9999", "less than"),
        ("4-2", "neighbouring blocks"),
        ("4-4", "neighbouring blocks"),
        ("4-3,5-4", "moved once"),
        ("1," * MAX_TEXT, "characters long at most"),
    ],
)
def test_what_is_no_cut_is_refused_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        CutSpec.parse(text)


def test_a_route_names_each_block_once_with_its_scale() -> None:
    assert CutSpec.parse("0,2:0.5,2-1").route(4) == ((0, 0), (2, 0.5), (1, 1), (3, 1))


@pytest.mark.parametrize(
    ("net", "text", "said"),
    [
        ("plain-20", "3", "block 3 of plain-20 cannot be cut: 16×28×28 enters, 32×14×14 leaves"),
        ("plain-20", "6:0.5", "32×14×14 enters, 64×7×7 leaves"),
        ("vgg-16", "1", "block 1 of vgg-16 cannot be cut: 64×28×28 enters, 128×14×14 leaves"),
        ("vgg-11", "0", "64×28×28 enters, 128×14×14 leaves"),
        ("resnet-20", "9", "has the blocks 0 to 8, and no block 9"),
        ("resnet-20", "3-2", "cannot stand in the place of block 2"),
        ("resnet-20", "4-3", "there 16×28×28 enters, 32×14×14 leaves; in block 4 32×14×14 enters, 32×14×14 leaves"),
        ("dense-40-12", "1-0", "cannot stand in the place"),
    ],
)
def test_a_net_that_a_cut_does_not_fit_is_refused_with_the_shapes(net: str, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        CutSpec.parse(text).check(NetSpec.parse(net), size=28)


def test_a_residual_net_can_lose_any_block_a_plain_one_those_that_keep_the_shape() -> None:
    assert removable(NetSpec.parse("resnet-20")) == tuple(range(9))
    assert removable(NetSpec.parse("plain-20")) == (0, 1, 2, 4, 5, 7, 8)
    assert removable(NetSpec.parse("vgg-11")) == (2, 4, 5, 6), "512 channels enter the fifth stage and leave it"


def test_blocks_change_places_within_a_stage_and_never_one_that_reshapes() -> None:
    assert interchangeable(NetSpec.parse("resnet-20")) == ((0, 1), (0, 2), (1, 2), (4, 5), (7, 8))
    assert interchangeable(NetSpec.parse("resnet-20:shortcut=C")) == ((0, 1), (0, 2), (1, 2), (4, 5), (7, 8))
    assert interchangeable(NetSpec.parse("imagenet-resnet-50"))[:2] == ((1, 2), (4, 5)), "the first widens"
    assert interchangeable(NetSpec.parse("dense-40-12")) == ()


def test_a_text_of_just_the_greatest_length_is_read_and_runs_stand_in_the_order_of_their_places() -> None:
    assert CutSpec.parse("1" + "," * (MAX_TEXT - 1)) == CutSpec.parse("1")
    with pytest.raises(ValueError, match="8,000 characters long at most"):
        CutSpec.parse("1" + "," * MAX_TEXT)
    assert str(CutSpec.parse("7-6,5-4-3")) == str(CutSpec.parse("5-4-3,7-6"))
