"""requirements.lock: every package that is pinned, at that version, and all that these need; each with digests."""

import re

from tests.support.source import ROOT

PIN = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.M | re.I)
LOCK = (ROOT / "requirements.lock").read_text("utf-8")


def pins(text: str) -> dict[str, str]:
    return {name.lower(): version for name, version in PIN.findall(text)}


def test_what_is_pinned_is_locked_at_the_same_version() -> None:
    pinned = pins((ROOT / "requirements.txt").read_text("utf-8"))
    assert pinned
    assert pinned.items() <= pins(LOCK).items(), "make lock writes it anew"


def test_every_locked_package_has_a_digest() -> None:
    entries = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.M | re.I)[1:]
    assert len(entries) == len(pins(LOCK))
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_names_no_place_of_this_machine_and_no_index() -> None:
    assert not re.search(r"://|^--(index|extra-index|find-links|trusted)", LOCK, re.M)
