"""The words on the pages: Markdown under assets/prose, one file a page, one heading a passage."""

import re
from functools import cache

from app.settings import ASSETS

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


@cache
def prose(page: str) -> dict[str, str]:
    """The passages of a page, by the heading they stand under."""
    parts = _HEADING.split((ASSETS / "prose" / f"{page}.md").read_text(encoding="utf-8"))
    return {heading.strip(): passage.strip() for heading, passage in zip(parts[1::2], parts[2::2], strict=True)}
