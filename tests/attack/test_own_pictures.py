"""A picture of one's own: answers about it are its owner's, and no byte of it is left when they have gone."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.data.pictures import to_text
from app.engine.engine import Engine
from app.engine.policy.visitor import Visitor
from app.studies.cuts.questions import CutPicturesQuestion
from app.studies.features import chosen_picture
from app.studies.features.questions import DepthQuestion, FeaturesQuestion
from app.values.questions import Question
from tests.attack.grounds import REFERENCE, A, B
from tests.support.settings import sets

FACE = np.random.default_rng(7).integers(0, 256, (1, 28, 28), dtype=np.uint8)
OWN = f"own:{to_text(FACE)}"
ASKED: tuple[Question, ...] = (
    FeaturesQuestion(run=REFERENCE, step=312, picture=OWN),
    DepthQuestion(run=REFERENCE, step=312, picture=OWN),
    CutPicturesQuestion(run=REFERENCE, step=312, pictures=(OWN, "test:0")),
)


def on_disk(engine: Engine) -> bytes:
    """All that the store's files hold."""
    return b"".join(path.read_bytes() for path in engine.store.folder.rglob("*") if path.is_file())


def shown(engine: Engine) -> bool:
    """True while a piece of the picture's letters stands in a file: SQLite cuts long texts into pages."""
    letters, held = to_text(FACE).encode(), on_disk(engine)
    return any(letters[begin : begin + 50] in held for begin in range(0, len(letters), 50))


def answered(engine: Engine, question: Question, by: Visitor) -> bool:
    """True if there is a result, once it has been asked for."""
    engine.questions.ask(question, by)
    return engine.questions.ask(question, by).result is not None


@pytest.mark.parametrize("question", ASKED, ids=lambda question: question.kind)
def test_a_question_says_whether_it_shows_one_whichever_its_field(question: Question) -> None:
    assert question.shows_own_picture
    assert not question.model_copy(update=_of_the_test_set(question)).shows_own_picture


def _of_the_test_set(question: Question) -> dict[str, object]:
    return {"pictures": ("test:0",)} if isinstance(question, CutPicturesQuestion) else {"picture": "test:0"}


def test_it_goes_with_its_browser_from_memory_and_from_every_file(
    answering: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = answering
    sets(engine, mode="class")
    for question in ASKED:
        assert answered(engine, question, A)
    assert [engine.questions.has(question, A) for question in ASKED] == [True] * 3
    assert [engine.questions.has(question, B) for question in ASKED] == [False] * 3, "its answer is A's"
    assert answered(engine, ASKED[0], B)  # the same picture, B's own
    assert engine.store.answers.owners() == sorted((A.owner, B.owner))
    assert shown(engine)
    begun, minutes = time.monotonic(), 29
    monkeypatch.setattr("app.engine.retention.time", SimpleNamespace(monotonic=lambda: begun + 60.0 * minutes))
    engine.housekeeper.seen(B.owner)  # A is not
    for minutes, left in ((31, [B.owner]), (62, [])):  # noqa: B007  the clock reads them
        engine.housekeeper.tidy()
        assert engine.store.answers.owners() == left
        assert {answer.owner for answer in engine.questions._known.values()} == set(left)
    assert not shown(engine)
    assert answered(engine, ASKED[0], A), "it can be asked again"


def test_where_nothing_is_forgotten_they_stay(answering: Engine) -> None:
    """On one person's machine the picture is theirs, and so is the store."""
    assert answered(answering, ASKED[0], A)
    answering.housekeeper.tidy()
    assert answering.questions.has(ASKED[0], A)


def test_what_was_made_of_it_is_remembered_in_its_own_session_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []

    def once(content: bytes, *_size: int) -> object:
        made.append(content)
        return FACE

    monkeypatch.setattr(chosen_picture, "fitted", once)

    def page() -> None:
        from app.studies.features.chosen_picture import _fitted

        _fitted(b"a picture", 1, 28)

    for sessions in (1, 2):
        session = AppTest.from_function(page).run().run()
        assert not session.exception
        assert len(made) == sessions


# ---- room -----------------------------------------------------------------------------------------------------------


def test_answers_count_as_what_the_store_holds_and_the_oldest_make_room(answering: Engine) -> None:
    engine = answering
    engine.store._database.empty_log()
    before = engine.store.size()
    engine.store.answers.keep("reproduced-card", "", "a card", b"{}")  # a verdict is no answer to be asked anew
    for nth in range(8):
        engine.store.answers.keep(f"old-{nth}", "", "{}", bytes(1_000_000))
    engine.store._database.empty_log()
    assert engine.store.size() > before + 8_000_000
    sets(engine, max_disk_mb=before // 1_000_000 + 8)
    assert answered(engine, DepthQuestion(run=REFERENCE, step=312), A)
    left = [nth for nth in range(8) if engine.store.answers.has(f"old-{nth}")]
    assert left
    assert left == list(range(8 - len(left), 8)), "the oldest went first"
    assert len(left) < 8
    assert engine.store.answers.has("reproduced-card")
    assert engine.store.size() <= 1_000_000 * (before // 1_000_000 + 8)


def test_none_goes_where_all_of_them_would_not_be_enough(answering: Engine) -> None:
    answering.store.answers.keep("old", "", "{}", bytes(100_000))
    assert not answering.store.answers.thin_out(200_000)
    assert answering.store.answers.has("old")
    assert answering.store.answers.thin_out(90_000)
    assert not answering.store.answers.has("old")
