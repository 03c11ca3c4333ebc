"""Questions: put to real workers once, answered, kept with their run, and their troubles said in a sentence."""

import io
import json
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.base.histograms import REGISTRY
from app.base.settings import Settings
from app.engine import question_desk
from app.engine.cluster import AT_ONCE
from app.engine.engine import Engine
from app.engine.policy.visitor import MACHINE
from app.engine.question_desk import Answer, QuestionDesk
from app.studies.cuts.questions import CutEvaluation, CutQuestion
from app.studies.paths.questions import PathsQuestion
from app.studies.subnetworks.questions import SubNetworks, SubNetworksQuestion
from app.values.cut_spec import CutSpec
from app.values.questions import Question
from app.values.results import UnreadableError, from_bytes, to_bytes
from tests.support.waiting import until

RUN = "reference-resnet-20"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(Settings(store=tmp_path_factory.mktemp("store"), workers=1))
    yield engine
    engine.stop()


def answered(engine: Engine, question: Question) -> Answer:
    until(lambda: not engine.questions.ask(question, MACHINE).pending, "the answer")
    return engine.questions.ask(question, MACHINE)


def answers_timed() -> float:
    """Answers of the lane of quick questions whose seconds /metrics tells."""
    return REGISTRY.get_sample_value("resnet_explorer_answer_seconds_count", {"lane": "ask"}) or 0.0


def test_an_answer_is_kept_and_the_next_engine_has_it_at_once(engine: Engine, tmp_path: Path) -> None:
    question = CutQuestion(run=RUN, step=312, cut=CutSpec.parse("3"), images=50)
    timed = answers_timed()
    first = answered(engine, question).result
    assert answers_timed() == timed + 1
    assert isinstance(first, CutEvaluation)
    assert first.images == 50
    assert first.confusion.sum() == 50
    kept = engine.store.answers.get(question.key)
    assert kept is not None
    again = from_bytes(kept)
    assert again.error == first.error
    assert np.array_equal(again.confusion, first.confusion)


@pytest.mark.parametrize("change", ["another field", "no result at all"])
def test_an_answer_that_this_program_cannot_read_is_asked_anew_and_takes_its_place(engine: Engine, change: str) -> None:
    question = CutQuestion(run=RUN, step=312, cut=CutSpec.parse("5"), images=len(change))
    other = of_another_version() if change == "another field" else b"?"
    with pytest.raises(UnreadableError):
        from_bytes(other)
    engine.store.answers.keep(question.key, RUN, "{}", other)
    found = answered(engine, question).result
    assert isinstance(found, CutEvaluation)
    kept = engine.store.answers.get(question.key)
    assert kept is not None
    assert from_bytes(kept).error == found.error


def of_another_version() -> bytes:
    """A cut's answer as a program would have kept it whose result has other fields."""
    text = json.dumps({"result": "CutEvaluation", "error": 1.0, "gain": 2.0}).encode()
    file = io.BytesIO()
    np.savez_compressed(file, _rest=np.frombuffer(text, np.uint8))
    return file.getvalue()


def test_another_edition_of_a_question_is_another_question(monkeypatch: pytest.MonkeyPatch) -> None:
    question = CutQuestion(run=RUN, step=312)
    before = question.key
    monkeypatch.setattr(CutQuestion, "edition", CutQuestion.edition + 1)
    assert question.key != before


def test_what_cannot_be_asked_is_refused_at_once(engine: Engine) -> None:
    with pytest.raises(KeyError, match="no run"):
        engine.questions.ask(CutQuestion(run="nobody", step=0), MACHINE)
    with pytest.raises(ValueError, match=r"no weights of .* were kept at step 7"):
        engine.questions.ask(CutQuestion(run=RUN, step=7), MACHINE)


def test_what_a_worker_cannot_answer_is_a_sentence(engine: Engine) -> None:
    wrong = answered(engine, PathsQuestion(run=RUN, step=312, at="block:99", images=2))
    assert wrong.result is None
    assert wrong.trouble
    assert "Traceback" not in wrong.trouble


def test_a_study_that_nobody_looks_for_stands_still_and_goes_on_where_it_was(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = SubNetworksQuestion(run=RUN, step=312, images=2000)
    desk = engine.questions
    until(lambda: desk.ask(study, MACHINE).done, "some progress")
    assert desk.under_way == 1
    assert 0 < desk.ask(study, MACHINE).done < desk.ask(study, MACHINE).total
    desk.tidy()
    assert desk.under_way == 1, "it was looked for just now"
    monkeypatch.setattr(question_desk, "UNWATCHED_SECONDS", 0)
    desk.tidy()
    assert desk.under_way == 0
    until(partial(stands_still, desk, study), "the worker to stand still")
    far = desk._known[study.key].done
    assert answered(engine, CutQuestion(run=RUN, step=312, images=20)).result, "meanwhile others are answered"
    monkeypatch.undo()
    assert desk.ask(study, MACHINE).done >= far > 0, "it goes on, and not from the beginning"
    until(lambda: desk.ask(study, MACHINE).done > far, "progress once more")
    give_up(desk, monkeypatch)
    assert engine.store.answers.get(study.key) is None
    until(lambda: desk.ask(study, MACHINE).done > 1, "it begins anew, and is not given up at once")
    give_up(desk, monkeypatch)


def stands_still(desk: QuestionDesk, question: Question) -> bool:
    before = desk._known[question.key].done
    time.sleep(1)
    return desk._known[question.key].done == before


def give_up(desk: QuestionDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(question_desk, "GIVEN_UP_SECONDS", 0)
        desk.tidy()
        until(lambda: not desk._tasks, "the worker to let go of what nobody looks for")


def test_studies_share_their_worker_and_one_that_waits_says_behind_how_many(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    studies = [SubNetworksQuestion(run=RUN, step=312, images=2000 - nth) for nth in range(AT_ONCE["study"] + 1)]
    desk = engine.questions
    until(lambda: min(desk.ask(study, MACHINE).done for study in studies[:-1]), "all that have a place to get on")
    last = studies[-1]
    assert not desk.ask(last, MACHINE).begun
    assert desk.ahead(last, MACHINE) == len(studies) - 1
    with monkeypatch.context() as patch:
        patch.setattr(question_desk, "UNWATCHED_SECONDS", 0)
        desk._tasks[last.key].looked_for += 3600
        desk.tidy()
        desk.tidy()
        until(lambda: desk.ask(last, MACHINE).begun, "the place of one that nobody looks for")
    give_up(desk, monkeypatch)


def test_a_result_survives_its_file() -> None:
    result = SubNetworks(
        images=3,
        exhaustive=True,
        kept=np.array([[True, False]]),
        errors=np.array([np.nan]),
        chosen_errors=np.array([50.0]),
        gained=np.array([0]),
        lost=np.array([1]),
        sizes=np.array([1]),
        counts=(str(2**80),),
        means=np.array([50.0]),
        low=np.array([50.0]),
        high=np.array([np.inf]),
        best=np.array([0]),
        worst=np.array([0]),
    )
    read = from_bytes(to_bytes(result))
    assert type(read) is SubNetworks
    assert (read.counts, read.exhaustive, read.images) == ((str(2**80),), True, 3)
    assert np.isnan(read.errors).all()
    assert read.kept.dtype == bool


def test_progress_that_is_heard_while_a_question_is_put_stops_nobody(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, submit = engine._cluster.client.loop, engine._cluster.submit
    assert loop is not None

    def while_dask_hears(*arguments: Any, **options: Any) -> Any:
        heard = threading.Event()

        def hear() -> None:
            engine.questions._heard((0.0, ("another", 1, 2)))
            heard.set()

        loop.add_callback(hear)
        assert heard.wait(10), "Dask's thread waits for the desk, and the desk for Dask's thread"
        return submit(*arguments, **options)

    monkeypatch.setattr(engine._cluster, "submit", while_dask_hears)
    question = CutQuestion(run=RUN, step=312, cut=CutSpec.parse("5"), images=10)
    assert answered(engine, question).result
