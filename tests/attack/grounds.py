"""Who may do what, as the threat model has it (docs/threats.md): a class, a demo, and what stands in their stores."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Element, Node

from app.engine.engine import Engine
from app.engine.policy.visitor import MACHINE, Visitor
from app.store.files.checkpoints import weights_file
from app.store.run import Run
from app.values import datasets
from app.values.cut_spec import CutSpec
from app.values.datasets import DataSet
from tests.support.noise import ABOUT
from tests.support.opening import spec, under_way
from tests.visitors.test_sharing import OWNERS

NET = "resnet-8:width=2"
NAME = "a name that A gave"
A, B = Visitor(OWNERS["a"]), Visitor(OWNERS["b"])
TEACHER = Visitor(OWNERS["b"], "teacher")
REFERENCE = "reference-resnet-20"


@dataclass(frozen=True)
class Attempt:
    """A verb: the status that a run has to be in, and how it is done at the engine's door."""

    status: str
    act: Callable[[Engine, str, Visitor], object]


VERBS = {
    "pause": Attempt("running", lambda engine, run, by: engine.runs.pause(run, by)),
    "cancel": Attempt("running", lambda engine, run, by: engine.runs.cancel(run, by)),
    "resume": Attempt("paused", lambda engine, run, by: engine.runs.resume(run, by)),
    "step": Attempt("paused", lambda engine, run, by: engine.runs.resume(run, by, steps=1)),
    "cut": Attempt("running", lambda engine, run, by: engine.runs.cut(run, CutSpec.parse("1"), by)),
    "rename": Attempt("finished", lambda engine, run, by: engine.runs.rename(run, "another name", by)),
    "delete": Attempt("finished", lambda engine, run, by: engine.runs.delete(run, by)),
    "pin": Attempt("finished", lambda engine, run, by: engine.runs.pin(run, not _pinned(engine, run), by)),
}


def _pinned(engine: Engine, run: str) -> bool:
    return any(one.pinned for one in engine.store.runs.all() if one.id == run)


def of(engine: Engine, owner: str, status: str = "running", *, pinned: bool = False) -> Run:
    """A run of an owner's in this status, under A's name for it."""
    by = Visitor(owner) if owner else MACHINE
    [run] = engine.runs.submit([spec(NET)], by)
    under_way(engine, run, [50.0] * 20, finished=status == "finished")
    engine.store.runs.update(run.id, status=status, name=NAME, pinned=pinned)
    return engine.store.runs.get(run.id)


def state(engine: Engine, run: str) -> Any:
    """All that a verb could change of a run: its row, its steps, its cuts; None once it is gone."""
    try:
        return engine.store.runs.get(run), len(engine.store.events.steps(run, 0, 99)), engine.store.events.cuts(run)
    except KeyError:
        return None


def upload(engine: Engine, owner: str) -> DataSet:
    """A data set that an owner sent, as far as the store knows; there is no pixel in it."""
    labels = ("first class of A", "second class of A", "third")
    data = ABOUT.model_copy(update={"title": "pictures that A sent", "labels": labels})
    texts = ("x", data.model_dump_json())
    for file, text in zip(datasets.upload_files(data.name, engine.store.folder), texts, strict=True):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    engine.store.owners.own_upload(data.name, owner)
    return data


def with_weights(engine: Engine, run: str) -> None:
    """Let files be where its moments say that weights are."""
    folder = engine.store.weights.folder(run)
    folder.mkdir(parents=True, exist_ok=True)
    for step in engine.store.events.moments(run):
        weights_file(folder, step).write_bytes(b"numbers" * 200)


def sent(page: AppTest) -> bytes:
    """Every element that the server sent of a page, as it travels."""
    return b"".join(element.proto.SerializeToString() for element in _elements(page._tree))


def _elements(node: Node) -> Iterator[Element]:
    if isinstance(node, Element):
        yield node
    elif isinstance(node, Block):
        for child in node.children.values():
            yield from _elements(child)
