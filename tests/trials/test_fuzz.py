"""Short forms of `make fuzz`: every hostile file at the door that it would come to, and a sample at the served app."""

import asyncio
import pickle
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from app.data.pictures import fitted
from app.data.zip_upload import ingest
from app.training.checkpoint_import import read
from models.nets.foreign import convert
from models.spec import NetSpec
from tests.hostile import Grounds, Makers, pictures, weights, zips
from tests.trials.fuzz import CASES, report

EVERY = 83
NET = NetSpec.parse(weights.NET).fitted(1, 10)
SLOW = ("25,000 files", "70,000 names for one bomb", "ten thousand names for one bomb", "ten thousand tensors")
SENTENCE = 1200  # letters, at most


def take_zip(file: Path) -> object:
    """As the page Train has it taken."""
    return ingest(file, file.parent / "store")


def take_picture(file: Path) -> object:
    """As the page Features takes it."""
    return fitted(file.read_bytes(), 1, 32)


def take_weights(file: Path) -> object:
    """As the page Runs has them taken."""
    torch.set_num_threads(1)
    return convert(read(file, 50_000_000), NET)


def refusal(take: Callable[[Path], object], file: Path) -> ValueError | None:
    """What the file is refused with; None if it is taken."""
    try:
        take(file)
    except ValueError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("makers", "take"),
    [(zips.MAKERS, take_zip), (pictures.MAKERS, take_picture), (weights.MAKERS, take_weights)],
    ids=["zips", "pictures", "weights"],
)
def test_every_hostile_file_is_taken_or_refused_with_a_sentence_and_leaves_nothing_beside_the_store(
    makers: Makers, take: Callable[[Path], object], tmp_path: Path
) -> None:
    grounds = Grounds(random.Random(0), tmp_path / "outside")
    grounds.outside.mkdir()
    for name in makers.keys() - set(SLOW):
        file = tmp_path / "sent"
        file.write_bytes(makers[name](grounds))
        if (refused := refusal(take, file)) is not None:
            assert 10 < len(str(refused)) < SENTENCE, name
            assert "\n" not in str(refused), name
            assert not isinstance(refused, UnicodeError), name
        assert not list(grounds.outside.iterdir()), name
        assert {path.name for path in tmp_path.iterdir()} <= {"sent", "outside", "store"}, name


def test_a_program_among_the_weights_would_leave_a_file_if_it_ran(tmp_path: Path) -> None:
    grounds = Grounds(random.Random(0), tmp_path)
    pickle.loads(weights.MAKERS["a bare program, protocol 2"](grounds))
    assert grounds.marker.exists()


def test_a_sample_of_hostile_inputs_harms_no_served_app(capsys: pytest.CaptureFixture[str]) -> None:
    cases = [case for case in CASES if case.name not in SLOW][::EVERY]
    assert asyncio.run(report(cases, seed=1)) == 0, capsys.readouterr().out
