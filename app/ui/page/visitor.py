"""Who is looking: one browser, or the person who signed in there. What they may: `app.engine.policy.ownership`.

A browser is known by a random key in a cookie; the store knows its hash, so that nobody who reads the store could be
taken for it. A person is known by what their provider calls them, hashed under the server's own secret, so that nobody
who reads the store could find out whether a name that they guess is there.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import streamlit as st

from app.base.addresses import counted_as
from app.base.browser_key import key_in
from app.base.prose import literal
from app.engine import process
from app.engine.policy.ownership import Verb
from app.engine.policy.visitor import Visitor
from app.store.run import Run
from app.values.datasets import DataSet

_KEY, _TEACHER = "_visitor", "_teacher"


def here() -> Visitor:
    """Who asks, as the engine wants to know."""
    address = counted_as(st.context.ip_address or "")
    return Visitor(_owner(), "teacher" if is_teacher() else "visitor", address)


def _owner() -> str:
    """The owner of runs that are started here: the person, else the browser, else (cookies refused) one open page."""
    if who := person():
        return who
    key = key_in(dict(st.context.cookies)) or st.session_state.setdefault(_KEY, secrets.token_urlsafe())
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def own_seed() -> int:
    """A seed that nobody else is likely to have, and that stays theirs."""
    return 1 + int(_owner()[:8], 16) % 9999


def providers() -> list[str]:
    """Where one can sign in, as secrets.toml names them; one without a name: the only one. None: nobody signs in."""
    if not st.secrets.load_if_toml_exists():
        return []
    section = st.secrets.get("auth") or {}
    named = [name for name, value in section.items() if isinstance(value, Mapping)]
    return named or ([""] if "client_id" in section else [])


def person() -> str:
    """The owner that the person who signed in here is; empty: nobody did."""
    user = st.user
    if not user.get("is_logged_in"):
        return ""
    called = user.get("sub") or user.get("email")
    secret = (st.secrets.get("auth") or {}).get("cookie_secret")
    if not called or not secret:
        return ""
    identity = f"{user.get('iss', '')} {called}"
    return hmac.new(str(secret).encode(), identity.encode(), hashlib.sha256).hexdigest()[:16]


def shown_name() -> str:
    """What the person who signed in is called, for their own eyes only."""
    return str(st.user.get("name") or st.user.get("email") or "you")[:60]


def nickname(run: Run) -> str:
    """Who started a run: their nickname, else the beginning of their hash; empty: the command line."""
    return process.engine().store.owners.nicknames().get(run.owner) or run.owner[:4]


def runs() -> list[Run]:
    """The runs that they see: pinned ones, then the newest first."""
    return process.engine().ownership.runs(here())


def data_sets() -> dict[str, DataSet]:
    """The uploaded data sets that they see, by name."""
    return process.engine().ownership.data_sets(here())


def may(verb: Verb, run: Run) -> bool:
    """True where the engine would let them: to draw a button, or none."""
    return process.engine().ownership.may(verb, run, here())


@contextmanager
def attempt(otherwise: str) -> Iterator[None]:
    """Do something with runs; where the engine refuses, say so: `otherwise`, and why. What was drawn may be old."""
    try:
        yield
    except (KeyError, ValueError) as refused:
        st.error(literal(f"{otherwise}: {refused.args[0] if refused.args else refused}."))


def is_teacher() -> bool:
    """True once the teacher's key was given in this session."""
    return bool(st.session_state.get(_TEACHER))


def let_in(given: str) -> bool:
    """Try a key; that it was the teacher's is remembered in this session. Raises RefusedError: too many are tried."""
    st.session_state[_TEACHER] = process.engine().teachers_door.opens(given)
    return is_teacher()
