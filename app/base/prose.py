"""The words on the pages: Markdown under assets/prose, one file a page, one heading a passage."""

import re
from functools import cache

from markdown_it import MarkdownIt

from app.base.settings import ASSETS

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~$:&-])")
_LINKED = re.compile(r"(www|https?\\:|@)", re.IGNORECASE)
_EMPHASIS = MarkdownIt("zero").enable(["emphasis", "backticks", "escape"])
_BADGE = re.compile(r":([a-z]+)-badge\[([\w ]+)\]")
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


@cache
def prose(page: str) -> dict[str, str]:
    """The passages of a page, by the heading they stand under."""
    parts = _HEADING.split((ASSETS / "prose" / f"{page}.md").read_text(encoding="utf-8"))
    return {heading.strip(): passage.strip() for heading, passage in zip(parts[1::2], parts[2::2], strict=True)}


def literal(text: str) -> str:
    """`text` as Markdown that shows it letter by letter: for a sentence that quotes what came from outside.

    Escapes do not stop Markdown from making a link of www.… or https://…: an invisible character does.
    """
    return _LINKED.sub("\\1\u2060", _MARKDOWN.sub(r"\\\1", text))


def as_html(text: str) -> str:
    """Paragraphs of Markdown as HTML: emphasis, code and badges, and every other sign for itself."""
    return _BADGE.sub(r"<span class='badge \1'>\2</span>", str(_EMPHASIS.render(text)))
