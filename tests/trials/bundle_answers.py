"""`make answers`: asks what every page asks of the reference runs, and bundles the answers.

Pages are opened as a session opens them, on an engine that answers at once; whatever they ask of a reference run at its
newest moment is asked of all of them. Besides, every block of each is cut alone, so that pointing at one answers.
"""

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from app.base import studies
from app.base.settings import load
from app.engine import engine as engine_module
from app.engine import process
from app.engine.engine import Engine
from app.engine.policy.visitor import MACHINE
from app.store.files.bundled_answers import BUNDLE, LIMIT, BundledAnswers, write
from app.store.files.checkpoints import weights_file
from app.store.files.references import REFERENCES
from app.store.store import Store
from app.studies.cuts.outcome import IMAGES
from app.studies.cuts.questions import CutQuestion
from app.values.cut_spec import CutSpec, removable
from app.values.datasets import BUNDLED, available
from app.values.questions import KINDS, Question
from tests.support.opening import Answering, opened

WITH_IMAGES = ("pictures", "features")  # CIFAR-10's images are no part of the program
VIEWS = ("In this run", "Signal forward", "Shattered gradients", "The identity argument")
out = Console()


def addresses(runs: list[str]) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """A page, and its query, for each that is opened: without a run, and on each reference run with its twin."""
    for page in ("gradients", "paths", "lesions", "features"):
        yield page, {}
    for view in VIEWS:
        yield "gradients", {"view": [view]}
    for run in runs:
        yield "gradients", {"run": [run]}
        of_its_depth = [other for other in runs if _alike(other) == _alike(run)]
        for twin in of_its_depth:
            if twin != run:
                yield "gradients", {"run": [run, twin]}
        for page in ("paths", "lesions", "features"):
            yield page, {"run": [run]}


def _alike(run: str) -> tuple[str, str]:
    """Data and depth."""
    return next(reference.data for reference in REFERENCES if reference.run == run), run.rpartition("-")[2]


def cuts(engine: Engine, runs: list[str]) -> Iterator[Question]:
    """Every block alone, as Lesions asks it."""
    for run in map(engine.store.runs.get, runs):
        moment = engine.store.events.moments(run.id)[-1]
        for block in removable(run.spec.net):
            yield CutQuestion(run=run.id, step=moment, cut=CutSpec.of(removed=[block]), images=IMAGES)


def digest(store: Store, question: Question) -> str:
    """Of the weights that a question is asked of; empty where it is asked of none."""
    if not question.run:
        return ""
    return hashlib.sha256(weights_file(store.weights.folder(question.run), question.step).read_bytes()).hexdigest()


def read(text: str) -> Question:
    """A question from its JSON."""
    list(studies.modules("questions"))
    return KINDS[json.loads(text)["kind"]].model_validate_json(text)


def collect(engine: Engine) -> dict[str, tuple[str, str, bytes]]:
    """Question, digest and answer by key. Of CIFAR-10's runs only where its images are."""
    runs = [r.run for r in REFERENCES if r.weights != "none" and available(r.data, engine.settings.data)]
    for page, query in addresses(runs):
        session = opened(page, **query)
        if session.exception:
            raise RuntimeError(f"{page} {query}: {session.exception[0].message}")
        out.print(page, query)
    for question in cuts(engine, runs):
        engine.questions.ask(question, MACHINE)
    found = [(key, read(text), text, result) for key, text, result in engine.store.answers.everything()]
    return {
        key: (text, digest(engine.store, question), result)
        for key, question, text, result in found
        if question.kind not in WITH_IMAGES or _alike(question.run)[0] == BUNDLED
    }


def main() -> int:
    """Write the bundle anew."""
    BUNDLE.unlink(missing_ok=True)  # or its own answers would be found
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_module, "Cluster", Answering)
        answers = collect(process.start(load().model_copy(update={"store": Path(folder)})))
        process.stop()
    write(BUNDLE, answers)
    size = BUNDLE.stat().st_size
    by_kind: dict[str, list[int]] = {}
    for question, _, result in answers.values():
        by_kind.setdefault(read(question).kind, []).append(len(result))
    for kind, sizes in sorted(by_kind.items(), key=lambda item: -sum(item[1])):
        out.print(f"{kind}: {len(sizes)} answers, {sum(sizes):,} bytes")
    out.print(f"{len(BundledAnswers().index)} answers, {size:,} bytes of at most {LIMIT:,}")
    return int(size > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
