"""The bundled answers are those that this program would give: of these weights, to questions that pages ask today."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.analysis.answering import answer
from app.analysis.subject import Subject
from app.base.settings import ASSETS, load
from app.store import store as store_module
from app.store.files.bundled_answers import BUNDLE, LIMIT, BundledAnswers, write
from app.store.store import Store
from app.values.datasets import BUNDLED
from app.values.results import from_bytes
from tests.store.bundle_answers import digest, read

BUNDLED_ANSWERS = BundledAnswers()
KINDS = sorted({json.loads(question)["kind"] for question, _ in BUNDLED_ANSWERS.index.values()})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    torch.set_num_threads(1)
    store = Store(tmp_path_factory.mktemp("store"), ASSETS / "reference")
    store.adopt_references()
    yield store
    store.close()


def test_each_is_asked_today_of_the_weights_that_it_was_asked_of(store: Store) -> None:
    assert BUNDLE.stat().st_size < LIMIT
    assert len(BUNDLED_ANSWERS.index) > 200
    for key, (question, of_weights) in BUNDLED_ANSWERS.index.items():
        assert read(question).key == key, f"{question}: its edition is another by now: make answers"
        assert digest(store, read(question)) == of_weights, f"{question}: the weights are others by now: make answers"


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_each_kind_is_measured_afresh_and_is_the_same(store: Store, kind: str) -> None:
    questions = [read(text) for text, _ in BUNDLED_ANSWERS.index.values() if json.loads(text)["kind"] == kind]
    here = [question for question in questions if not question.run or store.runs.get(question.run).spec.data == BUNDLED]
    question = min(here, key=lambda question: (len(question.run), question.key))  # a net of 20 layers
    subject = Subject(*store.about(question.run), load())
    kept, fresh = from_bytes(BUNDLED_ANSWERS.get(question.key) or b""), answer(question, subject)
    assert type(kept) is type(fresh)
    for name, value in vars(fresh).items():
        same(vars(kept)[name], value, name)


def same(kept: Any, fresh: Any, name: str) -> None:
    """Numbers within a hundredth of the largest, since another processor rounds otherwise; whole numbers by shape."""
    if isinstance(fresh, np.ndarray) and fresh.dtype.kind == "f":
        finite = np.isfinite(fresh)
        assert np.array_equal(np.isfinite(kept), finite), name
        if finite.any():
            limit = 0.01 * np.abs(fresh[finite]).max() + 0.5 * ("error" in name)
            assert np.abs(kept - fresh)[finite].max() <= limit, name
    elif isinstance(fresh, np.ndarray):
        assert (kept.shape, kept.dtype) == (fresh.shape, fresh.dtype), name
    elif isinstance(fresh, float):
        assert kept == pytest.approx(fresh, rel=0.01, abs=0.5 if "error" in name else 1e-3, nan_ok=True), name


def test_a_store_answers_with_them_and_with_its_own_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "BUNDLED", BUNDLED_ANSWERS)
    store = Store(tmp_path, ASSETS / "reference")
    key = next(iter(BUNDLED_ANSWERS.index))
    assert store.answers.has(key)
    assert store.answers.get(key) == BUNDLED_ANSWERS.get(key)
    store.answers.keep(key, "", "{}", b"its own")
    assert store.answers.get(key) == b"its own"
    assert not store.answers.has("nothing")
    assert store.answers.get("nothing") is None


def test_a_bundle_is_the_same_byte_for_byte_and_none_is_no_answer(tmp_path: Path) -> None:
    answers = {"b": ("{}", "", b"2"), "a": ("{}", "", b"1")}
    for name in ("one.zip", "two.zip"):
        write(tmp_path / name, answers)
        answers = dict(reversed(answers.items()))
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert BundledAnswers(tmp_path / "one.zip").get("b") == b"2"
    assert BundledAnswers(tmp_path / "nowhere.zip").get("b") is None
