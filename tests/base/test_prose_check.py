"""Every passage that the program asks for is there, before anybody opens a page."""

import ast
from pathlib import Path

import pytest

from app.base import prose_check
from app.base.prose import Passages
from app.base.prose_check import asked_in, missing_passages
from app.base.settings import ROOT


def test_nothing_is_missing() -> None:
    assert missing_passages() == []


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ('st.title(prose("train")["title"])', {("train", "title")}),
        ('def f():\n    page = prose("train")\n    return page["lead"]', {("train", "lead")}),
        ('page = prose("train")\ndef f():\n    return page["lead"]', {("train", "lead")}),
        ('def f():\n    page, n = prose("lesions"), 3\n    return page[f"{n}-title"]', {("lesions", r".+\-title")}),
        ('page = prose("paths")\npage["all" if few else "some"]', {("paths", "all|some")}),
        ('page = other("train")\npage["lead"]', set()),
    ],
)
def test_what_is_asked_is_read_off_the_source(source: str, asked: set[tuple[str, str]]) -> None:
    assert set(asked_in(ast.parse(source))) == asked


def test_an_absent_passage_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "one.py").write_text(
        'page = prose("train")\npage["lead"]\npage["no such"]\npage[f"no-{x}"]\nprose("nowhere")["title"]'
    )
    assert missing_passages(tmp_path) == ["nowhere.md", "train.md: no such", "train.md: no-…"]


def test_a_page_does_not_fall_over_a_missing_word(caplog: pytest.LogCaptureFixture) -> None:
    assert Passages({"lead": "Look."})["leed"] == "leed"
    assert "passage missing" in caplog.text


def test_the_check_reads_what_shows_passages() -> None:
    found = {page for folder in prose_check.ASKING for page in pages_of(ROOT / folder)}
    assert found == {path.stem for path in (ROOT / "assets" / "prose").glob("*.md")}


def pages_of(folder: Path) -> set[str]:
    return {page for file in folder.rglob("*.py") for page, _ in asked_in(ast.parse(file.read_text("utf-8")))}
