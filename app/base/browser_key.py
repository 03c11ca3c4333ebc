"""The key that each browser has in a cookie, which no script of a page reads."""

import re
from collections.abc import Mapping

COOKIE = "resnet-explorer"


def key_in(cookies: Mapping[str, str]) -> str:
    """The browser's key, if it has one that we gave."""
    key = cookies.get(COOKIE, "")
    return key if re.fullmatch(r"[A-Za-z0-9_-]{43}", key) else ""
