"""`python -m app ask`: every study's question without a page; bundled runs, few images."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from app.base import studies
from app.cli.main import main
from app.values.questions import KINDS

RUN = "reference-resnet-20"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def ask(store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Ask in this process → status, stdout and stderr."""
    monkeypatch.setenv("RESNET_EXPLORER_STORE", str(store))

    def run(words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["app", "ask", *words.split()])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(str(ended.value.code)), printed.out, printed.err

    return run


def test_a_question_is_answered_at_the_newest_moment_and_at_any_other(ask: Any) -> None:
    for step, words in ((312, ""), (78, "--step 78")):
        status, out, err = ask(f"signal {RUN} images=8 {words} --json")
        assert status == 0, err
        found = json.loads(out, parse_constant=pytest.fail)
        assert (found["question"]["step"], found["question"]["images"]) == (step, 8)
        assert len(found["result"]["response_std"]) == len(found["result"]["layers"]) == 19


def test_what_is_no_number_is_null(ask: Any) -> None:
    _, out, _ = ask("single-lesions reference-plain-20 images=20 --json")
    error = json.loads(out, parse_constant=pytest.fail)["result"]["error"]
    assert None in error  # where shapes change, a plain net's block cannot be cut
    assert any(isinstance(one, float) for one in error)


def test_several_values_stand_between_commas_and_a_cut_as_in_an_address(ask: Any) -> None:
    _, out, _ = ask(f"random-lesions {RUN} k=1,3 draws=1 images=20 --json")
    assert json.loads(out)["result"]["k"] == [1, 3]
    _, out, _ = ask(f"cut {RUN} cut=7,3:0.5 images=20 --json")
    assert json.loads(out)["question"]["cut"]["scales"] == [[3, 0.5], [7, 0.0]]


def test_without_a_run_and_for_people(ask: Any) -> None:
    status, out, err = ask("lesson blocks=1")
    assert status == 0, err
    assert out.startswith("Lesson")
    assert "loss (2 ×" in out


def test_without_a_kind_every_question_of_every_study_is_named(ask: Any) -> None:
    status, out, _ = ask("--json")
    listed = {row["kind"]: row for row in json.loads(out)}
    assert status == 0
    assert {kind.__module__ for kind in KINDS.values()} >= {module.__name__ for module in studies.modules("questions")}
    assert set(listed) == set(KINDS)
    assert listed["distribution"]["fields"] == ["layer", "images"]
    assert "layer=…" in ask("")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("nonsense", "there is no question 'nonsense'"),
        ("signal", "name its run"),
        ("signal nobody", "nobody"),
        (f"signal {RUN} images=x", "images"),
        (f"signal {RUN} colour=3", "'colour' is not asked by this question: images"),
        (f"signal {RUN} other images=8", "one run at most"),
        (f"signal {RUN} --step 5", "no weights were kept at step 5"),
        (f"distribution {RUN}", "layer: Field required"),
        (f"cut {RUN} cut=99 images=8", "99"),
        (f"cut {RUN} cut=3-4 images=8", "'3-4' changes nothing: 3,4 cuts blocks 3 and 4"),
        (f"features {RUN} picture=test:999999", "no such picture"),
    ],
)
def test_bad_input_is_one_line_and_status_2(ask: Any, words: str, said: str) -> None:
    status, out, err = ask(words)
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1
