"""The feed of a live page: what moves while runs train, which the browser asks for once a second by plain HTTP.

A refresh drawn by Streamlit cost the server 13 ms, so that 120 sessions waited more than a second for theirs. Fed, the
page stands still, and its charts and numbers come in one answer that all sessions share (app/server/live_feed.py).
Streamlit draws a page anew only when its `shape` is another: a run has ended, a first norm is there.
"""

import gzip
import hmac
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any
from urllib.parse import urlencode

_KEY = secrets.token_bytes(32)  # of this server: an address that another gave is not ours
A_TERM = 300  # seconds: a key holds for its own and two more. A page that stands longer is refused, and draws itself
TERMS = 2  # anew, if it still may: so whoever finds an address in a log or a history finds it shut


@dataclass(frozen=True)
class Feed:
    """Where one part of a page comes from: the query to ask, the shape that the page was drawn for, the part's name."""

    query: str
    shape: str
    part: str

    def told(self) -> dict[str, str]:
        """For the browser."""
        return asdict(self)


@dataclass(frozen=True)
class Part:
    """What is sent, gzipped JSON, and a name for this content."""

    body: bytes
    etag: str


def packed(value: Any) -> Part:
    """`value` packed: once for all sessions."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    body = gzip.compress(text.encode(), compresslevel=5, mtime=0)
    return Part(body, blake2b(body, digest_size=9).hexdigest())


def framed(head: dict[str, Any], body: bytes) -> bytes:
    """Four bytes of length (little-endian), the head as JSON, the body."""
    text = json.dumps(head, separators=(",", ":")).encode()
    return len(text).to_bytes(4, "little") + text + body


def query(runs: Sequence[str]) -> str:
    """What a page that may show these runs asks the feed with. Nobody else can: it is signed, and for some minutes."""
    return urlencode([*(("run", run) for run in runs), ("key", _signature(runs, _term()))])


def signed(runs: Sequence[str], key: str) -> bool:
    """True if a page of this server was given this key for these runs, not long ago."""
    now = _term()
    right = (_signature(runs, now - ago) for ago in range(TERMS + 1))
    return any(hmac.compare_digest(key.encode(), one.encode()) for one in right)


def _term() -> int:
    return int(time.monotonic() // A_TERM)


def _signature(runs: Sequence[str], term: int) -> str:
    return hmac.new(_KEY, "\n".join([str(term), *runs]).encode(), "sha256").hexdigest()[:32]
