"""Who is looking: one browser, or the person who signed in there, and what the settings let them see and change.

A browser is known by a random key in a cookie; the store knows its hash, so that nobody who reads the store could be
taken for it. A person is known by what their provider calls them, hashed under the server's own secret, so that nobody
who reads the store could find out whether a name that they guess is there.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping

import streamlit as st

from app.base.browser_key import key_in
from app.base.settings import Settings
from app.engine import process
from app.store.run import Run
from app.values import datasets
from app.values.datasets import DataSet

_KEY, _TEACHER = "_visitor", "_teacher"


def owner() -> str:
    """The owner of runs that are started here: the person, else the browser, else (cookies refused) one open page."""
    if who := person():
        return who
    key = key_in(dict(st.context.cookies)) or st.session_state.setdefault(_KEY, secrets.token_urlsafe())
    return hashlib.sha256(key.encode()).hexdigest()[:16]


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
    """The runs of the store that this browser may see: pinned ones, then the newest first."""
    engine = process.engine()
    everything = sorted(engine.store.runs.all(), key=lambda run: not run.pinned)
    if engine.settings.others != "hide" or is_teacher():
        return everything
    own = owner()
    return [run for run in everything if run.owner == own or run.origin == "reference"]


def data_sets() -> dict[str, DataSet]:
    """The uploaded data sets that this browser may see, by name."""
    engine = process.engine()
    everything = {dataset.name: dataset for dataset in datasets.uploaded(engine.settings.store)}
    if engine.settings.others != "hide" or is_teacher():
        return everything
    own = owner()
    sent = {name for name, sender in engine.store.owners.uploads() if sender == own}
    return {name: dataset for name, dataset in everything.items() if name in sent}


def may_change(run: Run) -> bool:
    """True if this browser may stop, rename or delete a run. Reference runs are nobody's, pinned ones the teacher's."""
    if run.origin == "reference":
        return False
    if is_teacher():
        return True
    return not run.pinned and (process.engine().settings.others == "change" or run.owner == owner())


def is_teacher() -> bool:
    """True once the teacher's key was given in this session."""
    return bool(st.session_state.get(_TEACHER))


def let_in(given: str, settings: Settings) -> bool:
    """Compare a key with the teacher's, and remember in this session that it was right."""
    key = settings.teacher_key
    right = key is not None and hmac.compare_digest(str(given).encode(), key.get_secret_value().encode())
    st.session_state[_TEACHER] = right and settings.mode == "class"
    return is_teacher()
