"""Who is looking: one browser, known by a random key in a cookie, and what the settings let it see and change.

The store knows an owner by a hash of that key, so that nobody who reads the store could be taken for them.
"""

import hashlib
import hmac
import secrets

import streamlit as st

from app import datasets, jobs
from app.datasets import DataSet
from app.guard import key_in
from app.runs import Run
from app.settings import Settings

_KEY, _TEACHER = "_visitor", "_teacher"


def owner() -> str:
    """The owner of runs that this browser starts. Where cookies are refused, an owner is one open page."""
    key = key_in(dict(st.context.cookies)) or st.session_state.setdefault(_KEY, secrets.token_urlsafe())
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def runs() -> list[Run]:
    """The runs of the store that this browser may see: pinned ones, then the newest first."""
    engine = jobs.engine()
    found = sorted(engine.store.runs(), key=lambda run: not run.pinned)
    if engine.settings.others != "hide" or is_teacher():
        return found
    own = owner()
    return [run for run in found if run.owner == own or run.origin == "reference"]


def data_sets() -> dict[str, DataSet]:
    """The uploaded data sets that this browser may see, by name."""
    engine = jobs.engine()
    found = {about.name: about for about in datasets.uploaded(engine.settings.store)}
    if engine.settings.others != "hide" or is_teacher():
        return found
    own = owner()
    sent = {name for name, sender in engine.store.uploads() if sender == own}
    return {name: about for name, about in found.items() if name in sent}


def may_change(run: Run) -> bool:
    """True if this browser may stop, rename or delete a run. Reference runs are nobody's, pinned ones the teacher's."""
    if run.origin == "reference":
        return False
    if is_teacher():
        return True
    return not run.pinned and (jobs.engine().settings.others == "change" or run.owner == owner())


def is_teacher() -> bool:
    """True once the teacher's key was given in this session."""
    return bool(st.session_state.get(_TEACHER))


def let_in(given: str, settings: Settings) -> bool:
    """Compare a key with the teacher's, and remember in this session that it was right."""
    key = settings.teacher_key
    right = key is not None and hmac.compare_digest(str(given).encode(), key.get_secret_value().encode())
    st.session_state[_TEACHER] = right and settings.mode == "class"
    return is_teacher()
