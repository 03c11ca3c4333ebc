"""How long a run is: one formula, for whatever is asked of it before, while and after it trains."""

import pytest

from app.values.run_spec import Length, Recipe, RunSpec
from models.spec import NetSpec

NET = NetSpec.parse("resnet-8").fitted(1, 10)


@pytest.mark.parametrize(
    ("images", "recipe", "there", "expected"),
    [
        (None, Recipe(epochs=4), 10_000, (10_000, 128, 78, 312)),  # 10,000 ÷ 128 = 78.1
        (None, Recipe(epochs=4), 50_000, (50_000, 128, 390, 1560)),
        (1_000, Recipe(epochs=3), 10_000, (1_000, 128, 7, 21)),
        (20_000, Recipe(epochs=1), 10_000, (10_000, 128, 78, 78)),  # more than there are
        (100, Recipe(epochs=2), 10_000, (100, 100, 1, 2)),  # fewer than a batch
        (None, Recipe(steps=500), 10_000, (10_000, 128, 78, 500)),
    ],
)
def test_a_length_is_that_of_the_images_that_are_there(
    images: int | None, recipe: Recipe, there: int, expected: tuple[int, int, int, int]
) -> None:
    assert RunSpec(net=NET, recipe=recipe, images=images).length(there) == Length(*expected)


def test_an_epoch_that_is_begun_counts() -> None:
    assert Length(10_000, 128, 78, 500).epochs == 7  # 6.4
    assert Length(10_000, 128, 78, 78).epochs == 1


def test_an_uploaded_set_is_as_long_as_a_known_one() -> None:
    spec = RunSpec(net=NET, data="own-0123456789ab")
    assert spec.length(10_000).steps == RunSpec(net=NET).length(10_000).steps == 312
