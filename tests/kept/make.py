"""The samples in this folder: how they were made. Run at commit 2ee7035, with `python -m tests.kept.make`.

It stays as documentation. Whoever runs it later gets samples of that day's program, which prove nothing about stores
that were made before; names of modules below are those of that commit, and may be gone.
"""

import json
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import pytest

from app import export, jobs
from app.cuts import CutSpec
from app.questions import EDITION
from app.settings import ASSETS, Settings
from app.spec import Recipe, RunSpec, imported
from app.store import Store
from models.spec import NetSpec
from tests.kept import reading
from tests.kept.reading import KEPT
from tests.pages.conftest import started
from tests.waiting import until
from tests.zips import two_classes, zipped

OWNER = "0123456789abcdef"


def spec(net: str, classes: int = 10, **changes: Any) -> RunSpec:
    """A run of seconds, whose numbers do not depend on how many cores there are."""
    how = {name: changes.pop(name) for name in ("lr", "batch", "steps", "epochs") if name in changes}
    machine = {"device": "cpu", "precision": "float32", "threads": 1}
    recipe = Recipe.model_validate({"batch": 16, **how})
    return RunSpec.model_validate(
        {"net": NetSpec.parse(net).fitted(1, classes), "recipe": recipe, **machine, **changes}
    )


def make_store(folder: Path) -> dict[str, str]:
    """A store by an engine with its workers. Returns the ids of its runs by what they are for."""
    settings = Settings(store=folder / "store", data=folder / "data", workers=1)
    engine = jobs.start(settings)
    store = engine.store

    def ends(run: str, *statuses: str) -> None:
        until(lambda: store.run(run).status in statuses and not engine.pump.busy(run), f"{run} to be one of {statuses}")

    def begun(asked: RunSpec, owner: str = "") -> str:
        run = engine.submit([asked], owner)[0].id
        until(lambda: store.run(run).step >= 2, f"{run} to begin")
        return run

    own = engine.take_upload(zipped(folder / "upload.zip", two_classes(grey=True)), "Cats and dogs", OWNER)
    runs = {}
    runs["finished"] = engine.submit([spec("resnet-8:width=4", steps=6, images=96)], OWNER)[0].id
    runs["diverged"] = engine.submit([spec("resnet-8:width=2:norm=none:activation=elu", steps=20, images=96, lr=10)])[
        0
    ].id
    runs["uploaded"] = engine.submit([spec("resnet-8:width=1", 2, data=own.name, steps=1, batch=8)], OWNER)[0].id
    ends(runs["finished"], "finished")
    ends(runs["diverged"], "diverged")
    ends(runs["uploaded"], "finished")
    runs["cut"] = begun(spec("preact-8:width=2", steps=2000, batch=128, seed=1))
    engine.pause(runs["cut"])
    ends(runs["cut"], "paused")
    engine.cut(runs["cut"], CutSpec.parse("1"))
    engine.resume(runs["cut"], steps=3)
    ends(runs["cut"], "paused")
    engine.cut(runs["cut"], CutSpec.parse(""))
    engine.resume(runs["cut"], steps=2)
    until(lambda: store.run(runs["cut"]).cut_asked is None, "the block to be back")
    ends(runs["cut"], "paused")
    runs["paused"] = begun(spec("se-8:width=1", steps=2000, batch=128), OWNER)
    engine.pause(runs["paused"])
    ends(runs["paused"], "paused")
    engine.cut(runs["paused"], CutSpec.parse("0,2:0.5"))
    weights = store.weights_folder(runs["cut"]) / "0000010.safetensors"
    net = store.run(runs["cut"]).spec.net
    runs["imported"] = engine.take_weights(
        weights, imported(net, "fashion-mnist-mini", ((0.3,), (0.3,))), "from elsewhere", owner=OWNER
    ).id
    store.set_nickname(OWNER, "Ada")
    store.rename(runs["paused"], "the one that waits")
    store.update(runs["finished"], pinned=True)
    engine.message = "Look at block 1."
    for asked in map(reading.question, asked_of(runs["finished"])):
        until(lambda asked=asked: not engine.desk.ask(asked).pending, str(asked))  # type: ignore[misc]
        assert not engine.desk.ask(asked).trouble, asked
    jobs.stop()
    tidy(folder / "store")
    return runs


def asked_of(run: str) -> list[dict[str, Any]]:
    """Questions of about as many kinds as there are, each cheap."""
    of = {"run": run, "step": 6}
    few = {**of, "images": 20}
    return [
        {"kind": "paths", **few, "at": "block:1"},
        {"kind": "sampled-paths", **few},
        {"kind": "sub-networks", **few, "draws": 2},
        {"kind": "cut", **few, "cut": {"scales": [[0, 0.0], [2, 0.5]], "order": []}},
        {"kind": "cut-pictures", **of, "cut": {"scales": [[1, 0.0]], "order": []}, "pictures": ["test:0", "test:3"]},
        {"kind": "pictures", **of, "pictures": [0, 3]},
        {"kind": "single-lesions", **few},
        {"kind": "random-lesions", **few, "k": [1, 2], "draws": 2},
        {"kind": "gradients", **few},
        {"kind": "gradients", "run": run, "step": 0, "images": 20},
        {"kind": "distribution", **few, "layer": "blocks.1.branch.conv2"},
        {"kind": "signal", **few},
        {"kind": "course", "net": "resnet-8:width=2", "steps": 2},
        {"kind": "neighbours", "nets": ["plain-8:width=2"]},
        {"kind": "lesson", "target": "zero", "blocks": 1},
        {"kind": "confused", **few},
        {"kind": "kernels", **of},
        {"kind": "features", **of, "picture": "test:1", "at": "blocks.2"},
        {"kind": "excitement", **few, "at": "blocks.2"},
        {"kind": "depth", **few},
        {"kind": "depth", **few, "picture": "test:1"},
        {"kind": "attribution", **of, "picture": "test:1", "method": "saliency"},
        {"kind": "randomised", **of, "picture": "test:1", "method": "occlusion"},
        {"kind": "maximised", **of, "at": "blocks.2", "steps": 2},
    ]


def tidy(store: Path) -> None:
    """Make it small: one file of small pages, and no run that comes with the program; every store is given those."""
    db = sqlite3.connect(store / "store.sqlite", isolation_level=None)
    for command in (
        "PRAGMA foreign_keys = ON",
        "DELETE FROM runs WHERE origin = 'reference'",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA page_size = 1024",
        "VACUUM",
        "PRAGMA journal_mode = WAL",
        "PRAGMA wal_checkpoint(TRUNCATE)",
    ):
        db.execute(command).fetchall()
    db.close()


def put(name: str, content: Any) -> None:
    """A JSON file beside this one: a line for each thing, so that a difference is seen."""

    def lines(value: Any, depth: int) -> str:
        if not depth or not isinstance(value, dict | list) or not value:
            return json.dumps(value, ensure_ascii=False)
        if isinstance(value, list):
            return "[\n" + ",\n".join(lines(one, depth - 1) for one in value) + "\n]"
        return "{\n" + ",\n".join(f"{json.dumps(key)}: {lines(one, depth - 1)}" for key, one in value.items()) + "\n}"

    (KEPT / name).write_text(lines(content, 2) + "\n", "utf-8")


def main() -> None:
    """All the samples."""
    with tempfile.TemporaryDirectory() as scratch:
        runs = make_store(Path(scratch))
        made = Path(scratch) / "store"
        shutil.rmtree(KEPT / "store", ignore_errors=True)
        ended = [runs[what] for what in ("finished", "diverged", "uploaded")]  # nobody goes on with their momentum
        weights = [
            path for path in made.glob("weights/*/*") if "momentum" not in path.name or path.parent.name not in ended
        ]
        wanted = [made / "store.sqlite", made / "message.txt", *made.glob("data/own-*"), *weights]
        for path in wanted:
            target = KEPT / "store" / path.relative_to(made)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    put("runs.json", runs)
    write_down(runs)


def write_down(runs: dict[str, str]) -> None:
    """What this commit makes of them."""
    from tests.kept.addresses import CUTS, NETS, PAGES, SHARED, SPECS, VERBS  # lists, as people wrote them

    with tempfile.TemporaryDirectory() as scratch, pytest.MonkeyPatch.context() as patch:
        folder = Path(scratch) / "store"
        shutil.copytree(KEPT / "store", folder)
        store = Store(folder, ASSETS / "reference")
        settings = Settings(store=folder, data=Path(scratch))
        asked = asked_of(runs["finished"])
        put(
            "store.json",
            {
                "edition": EDITION,
                "shared": reading.shared(store),
                "runs": {what: reading.run_shown(store, run, settings) for what, run in runs.items()},
                "next": {what: reading.next_loss(store, runs[what], settings) for what in ("cut", "paused")},
                "answers": [reading.answer_shown(store, one) for one in asked],
                "questions": [reading.answer_shown(store, one) for one in reading.defaults()],
            },
        )
        (KEPT / "export").mkdir(exist_ok=True)
        for what in ("cut", "imported"):  # as `python -m app export RUN` writes them
            (KEPT / "export" / f"{what}.zip").write_bytes(export.zipped(store, runs[what]).read())
        store.close()

        def named(text: str) -> str:
            for what, run in runs.items():
                text = text.replace(f"<{what}>", run)
            return text

        said = [named(verb) for verb in VERBS]
        printed = [{"command": words, "prints": reading.command_shown(words, folder, patch)} for words in said]
        put("commands.json", printed)
        patch.setenv("RESNET_EXPLORER_STORE", str(folder))
        with started(reading.Quickly, Path(scratch), patch):
            pages = json.loads(named(json.dumps(PAGES)))
            shown = [{"page": page, "query": query, "shows": reading.page_shown(page, query)} for page, query in pages]
        put(
            "addresses.json",
            {
                "pages": shown,
                "shared": [{"query": one, "shows": reading.address_shown(one)} for one in SHARED],
                "nets": [{"text": one, "shows": reading.net_shown(one)} for one in NETS],
                "cuts": [{"text": one, "shows": reading.cut_shown(one)} for one in CUTS],
                "specs": [{"text": one, "shows": reading.spec_shown(one)} for one in SPECS],
            },
        )


if __name__ == "__main__":
    main()
