"""docs/: the picture is that of today's source; what is linked exists; every decision stands in the index."""

import re
from pathlib import Path

import pytest

from docs import draw_rooms
from tests.support.source import ROOT, TOPS, TRACKED
from tests.test_layout import ROOMS

PAGES = [path for path in TRACKED if path.suffix == ".md" and path.parts[0] != "assets"]
TOPICS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


def test_the_picture_is_that_of_the_source() -> None:
    drawn = draw_rooms.picture()
    assert draw_rooms.PICTURE.read_text("utf-8") == drawn, "run `python -m docs.draw_rooms`, and commit what it draws"


def test_the_picture_and_the_table_have_the_same_rooms() -> None:
    assert set(draw_rooms.rooms()) == set(ROOMS) - {"assets", "docs", *draw_rooms.APART}


def test_a_room_stands_above_all_that_it_imports() -> None:
    rooms = draw_rooms.rooms()
    edges = draw_rooms.arrows(rooms)
    level = {name: nth for nth, floor in enumerate(draw_rooms.floors(rooms, edges)) for name in floor}
    assert all(level[start] < level[end] for start, end in edges)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_what_is_linked_exists(page: Path) -> None:
    text = re.sub(r"^(    .*|```.*?^```)$", "", (ROOT / page).read_text("utf-8"), flags=re.M | re.S)
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"[a-z]+:|#", link)]
    assert not [link for link in links if not (ROOT / page.parent / link.partition("#")[0]).exists()]


def test_the_index_names_every_decision_by_its_title_and_file() -> None:
    index = re.findall(
        r"^- (\d{4}-\d\d-\d\d) \[(.+)\]\(docs/decisions/(\S+)\)$", (ROOT / "DECISIONS.md").read_text("utf-8"), re.M
    )
    written = [
        (date, title.rstrip(".,"), path.name)
        for path in TOPICS
        for date, title in re.findall(r"^\*\*(\d{4}-\d\d-\d\d)\. (.+?)\*\*", path.read_text("utf-8"), re.M | re.S)
    ]
    assert sorted((date, title, file) for date, title, file in index) == sorted(written)
    assert [date for date, _, _ in index] == sorted(date for date, _, _ in index)  # the newest last


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/glossary.md", "docs/ways.md"])
def test_a_file_that_is_named_exists(page: str) -> None:
    tops = "|".join((*TOPS, "assets", "deploy"))
    named = re.findall(rf"(?<![\w./-])((?:{tops})/[\w./-]*\w)", (ROOT / page).read_text("utf-8"))
    assert not [name for name in named if "NAME" not in name and not (ROOT / name).exists()]
