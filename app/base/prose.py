"""The words on the pages: Markdown under assets/prose, one file a page, one heading a passage."""

import re
from functools import cache

from markdown_it import MarkdownIt

from app.base import logs
from app.base.settings import ASSETS

log = logs.events(__name__)

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~$:&-])")
_LINKED = re.compile(r"(www|https?\\:|@)", re.IGNORECASE)
_EMPHASIS = MarkdownIt("zero").enable(["emphasis", "backticks", "escape"])
_BADGE = re.compile(r":([a-z]+)-badge\[([\w ]+)\]")
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


class Passages(dict[str, str]):
    """Passages by heading. One that is absent is its heading, and a line of the log: no page falls over a word."""

    def __missing__(self, heading: str) -> str:
        log.error("passage missing", heading=heading)
        return heading


@cache
def prose(page: str) -> Passages:
    """The passages of a page, by the heading they stand under. Raises OSError where there is no such file."""
    parts = _HEADING.split((ASSETS / "prose" / f"{page}.md").read_text(encoding="utf-8"))
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return Passages({heading.strip(): passage.strip() for heading, passage in pairs})


def literal(text: str) -> str:
    """`text` as Markdown that shows it letter by letter: for a sentence that quotes what came from outside.

    Escapes do not stop Markdown from making a link of www.… or https://…: an invisible character does.
    """
    return _LINKED.sub("\\1\u2060", _MARKDOWN.sub(r"\\\1", text))


def as_html(text: str) -> str:
    """Paragraphs of Markdown as HTML: emphasis, code and badges, and every other sign for itself."""
    return _BADGE.sub(r"<span class='badge \1'>\2</span>", str(_EMPHASIS.render(text)))
