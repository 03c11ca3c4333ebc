"""A run's spec: net, data, recipe and seed as one value, and the learning rate at each step by hand."""

from typing import Any

import pytest

from app.values.datasets import DATASETS
from app.values.run_spec import RECIPES, Recipe, RunSpec, net_address, net_title, over_seeds
from models.names import PRESETS
from models.spec import NetSpec

GREY = NetSpec.parse("resnet-56:width=8").fitted(1, 10)


@pytest.mark.parametrize(
    ("step", "rate"),
    [(0, 0.1), (31_999, 0.1), (32_000, 0.01), (47_999, 0.01), (48_000, 0.001), (63_999, 0.001)],
)
def test_the_papers_rate_falls_tenfold_at_32k_and_48k_steps(step: int, rate: float) -> None:
    assert RECIPES["paper"].rate(step, 64_000) == pytest.approx(rate)


@pytest.mark.parametrize(("step", "rate"), [(0, 0.01), (399, 0.01), (400, 0.1), (32_000, 0.01), (48_000, 0.001)])
def test_the_warm_up_goes_at_a_tenth_for_400_steps_and_then_as_the_paper_does(step: int, rate: float) -> None:
    assert RECIPES["paper-warmup"].rate(step, 64_000) == pytest.approx(rate)


@pytest.mark.parametrize(("step", "rate"), [(0, 0.1), (78, 0.075), (156, 0.05), (234, 0.025), (311, 0.1 / 312)])
def test_the_quick_rate_falls_on_a_line_to_zero_at_the_end(step: int, rate: float) -> None:
    assert RECIPES["quick"].rate(step, 312) == pytest.approx(rate)


@pytest.mark.parametrize("step", [0, 5, 99])
def test_a_constant_rate_is_constant(step: int) -> None:
    assert Recipe(schedule="constant", lr=0.03).rate(step, 100) == 0.03


def test_a_recipes_other_figures_are_the_papers() -> None:
    paper = RECIPES["paper"]
    assert (paper.batch, paper.momentum, paper.weight_decay, paper.steps, paper.augment) == (
        128,
        0.9,
        1e-4,
        64_000,
        True,
    )


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("name", PRESETS)
def test_a_run_of_every_preset_survives_json(name: str, recipe: str) -> None:
    net = NetSpec.parse(name).fitted(3, 100)
    spec = RunSpec(net=net, data="cifar-100", recipe=RECIPES[recipe], seed=3, images=500, measure=False, threads=2)
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec


def test_a_rate_that_no_decimal_ends_survives_json_exactly() -> None:
    spec = RunSpec(net=GREY, recipe=Recipe(lr=0.1 / 3, weight_decay=1e-4 / 7, milestones=(1, 2)))
    assert RunSpec.model_validate_json(spec.model_dump_json()).recipe == spec.recipe


@pytest.mark.parametrize("name", DATASETS)
def test_a_net_fitted_to_a_data_set_is_accepted_with_it(name: str) -> None:
    about = DATASETS[name]
    assert RunSpec(net=GREY.fitted(about.channels, about.classes), data=name).data == name


@pytest.mark.parametrize(
    ("channels", "classes", "data"),
    [(3, 10, "mnist"), (1, 10, "cifar-10"), (3, 10, "cifar-100"), (1, 9, "fashion-mnist")],
)
def test_a_net_for_other_images_is_refused_with_both_shapes(channels: int, classes: int, data: str) -> None:
    about = DATASETS[data]
    with pytest.raises(ValueError, match=f"{channels} channels? and {classes} classes") as refused:
        RunSpec(net=GREY.fitted(channels, classes), data=data)
    assert f"{about.channels} and {about.classes}" in str(refused.value)


def test_an_unknown_data_set_is_refused_with_the_names_of_the_known() -> None:
    with pytest.raises(ValueError, match="unknown data set 'svhn'") as refused:
        RunSpec(net=GREY, data="svhn")
    assert all(name in str(refused.value) for name in DATASETS)


@pytest.mark.parametrize("name", ["own-0123456789ab", "own-ffffffffffff"])
def test_an_uploaded_data_set_is_known_by_the_form_of_its_name(name: str) -> None:
    assert RunSpec(net=GREY, data=name).data == name


@pytest.mark.parametrize("name", ["own-", "own-0123456789AB", "own-../../../etc", "own-0123456789ab/..", "", "MNIST"])
def test_a_name_that_only_resembles_one_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="unknown data set"):
        RunSpec(net=GREY, data=name)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lr", 0),
        ("lr", float("nan")),
        ("lr", float("inf")),
        ("momentum", 1),
        ("weight_decay", -1),
        ("batch", 1),
        ("epochs", 0),
        ("steps", 0),
        ("schedule", "cosine"),
        ("name", "A name"),
        ("colour", "red"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        Recipe.model_validate({field: value})


@pytest.mark.parametrize(
    ("field", "value"), [("seed", -1), ("seed", 2**31), ("images", 1), ("device", "tpu"), ("threads", -1)]
)
def test_a_run_that_makes_no_sense_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        RunSpec.model_validate({"net": GREY, field: value})


def test_a_run_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValueError, match="frozen"):
        RunSpec(net=GREY).seed = 1


def test_a_title_is_net_settings_and_data_without_what_the_data_decides() -> None:
    assert RunSpec(net=GREY).title == "resnet-56 · width 8 · Fashion-MNIST, 10,000"
    assert (
        net_title(NetSpec.parse("resnet-20:shortcut=B:norm=none:classes=100")) == "resnet-20 · shortcut B · norm none"
    )


def test_an_address_leaves_out_what_the_data_decides() -> None:
    assert net_address(GREY) == "resnet-56:width=8"
    assert net_address(NetSpec.parse("resnet-20:norm=none:channels=1:classes=7")) == "resnet-20:norm=none"


@pytest.mark.parametrize("name", PRESETS)
def test_an_address_and_the_data_give_the_net_back(name: str) -> None:
    net = NetSpec.parse(f"{name}:width=8").fitted(1, 7)
    assert NetSpec.parse(net_address(net)).fitted(1, 7) == net


def test_seeds_come_after_one_another_so_that_every_net_begins_with_the_first() -> None:
    specs = [RunSpec(net=GREY, seed=7), RunSpec(net=NetSpec.parse("plain-56:width=8").fitted(1, 10), seed=7)]
    asked = over_seeds(specs, 3)
    assert asked[:2] == specs, "the first curves are as early as those of one seed"
    assert [spec.seed for spec in asked] == [7, 7, 8, 8, 9, 9]
    assert [spec.net for spec in asked] == [spec.net for spec in specs] * 3
    assert over_seeds(specs, 1) == specs


def test_two_seeds_of_one_spec_are_alike_and_nothing_else_is() -> None:
    spec = RunSpec(net=GREY)
    same: list[dict[str, Any]] = [{"seed": 9}, {"threads": 4}]
    others: list[dict[str, Any]] = [{"images": 640}, {"recipe": RECIPES["paper"]}, {"measure": False}]
    assert all(spec.model_copy(update=change).but_for_seed == spec.but_for_seed for change in same)
    assert all(spec.model_copy(update=change).but_for_seed != spec.but_for_seed for change in others)
