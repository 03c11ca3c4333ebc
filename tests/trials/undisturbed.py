"""What undisturbed runs leave: the witness of everything that disturbs some."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file

from app.base.settings import Settings
from app.data.images import load_for
from app.store.files.checkpoints import weights_file
from app.store.run import Run
from app.store.store import Store
from app.training.loop import resolve, train
from app.values.run_spec import Recipe, RunSpec
from models.spec import NetSpec

STEPS = 150
EPOCH = 50

Weights = Mapping[tuple[str, int], Mapping[str, torch.Tensor]]  # of a net's family and a seed, after the last step


def specs(count: int = 2) -> list[RunSpec]:
    """Plain nets and their twins, a few seconds long."""
    recipe = Recipe(steps=STEPS, batch=64, augment=True)
    nets = [NetSpec.parse(f"{family}-8:width=4").fitted(1, 10) for family in ("plain", "resnet")]
    return [
        RunSpec(
            net=nets[index % 2],
            recipe=recipe,
            images=64 * EPOCH,
            seed=index // 2,
            threads=1,
            precision="float32",  # the witness and a worker each measure which is faster
        )
        for index in range(count)
    ]


def undisturbed(count: int, folder: Path) -> Weights:
    """The weights of `specs(count)`, trained one after the other in this process."""
    found: dict[tuple[str, int], dict[str, torch.Tensor]] = {}
    for spec in map(resolve, specs(count)):
        where = folder / f"{spec.net.family}-{spec.seed}"
        for _ in train(spec, load_for(spec, Settings(store=folder)), where):
            pass
        found[spec.net.family, spec.seed] = load_file(weights_file(where, STEPS))
    return found


def trained(store: Store) -> list[Run]:
    """The runs of a store, reference runs apart."""
    return [run for run in store.runs.all() if run.origin == "trained"]


def all_beyond(store: Store, step: int) -> bool:
    """True once every run is beyond a step."""
    return bool(trained(store)) and all(run.step > step for run in trained(store))


def ended_well(store: Store, runs: Iterable[str], witness: Weights) -> None:
    """Every event is there once, and the weights are the undisturbed ones, bit for bit."""
    for run in map(store.runs.get, runs):
        assert (run.status, run.message, run.step) == ("finished", "", STEPS)
        assert _steps(store, "steps", run.id) == list(range(STEPS))
        assert _steps(store, "epochs", run.id) == list(range(EPOCH, STEPS + 1, EPOCH))
        wanted, found = witness[run.spec.net.family, run.spec.seed], weights_file(store.weights.folder(run.id), STEPS)
        assert all(torch.equal(wanted[name], tensor) for name, tensor in load_file(found).items())


def _steps(store: Store, table: str, run: str) -> Sequence[int]:
    return [row["step"] for row in store._database.rows(f"SELECT step FROM {table} WHERE run = ? ORDER BY step", run)]
