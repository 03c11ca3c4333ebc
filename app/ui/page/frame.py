"""The frame around every page: its pages, its style sheet, and what the engine is doing."""

import time
from functools import lru_cache

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app.base.prose import literal
from app.base.settings import ASSETS, ROOT
from app.engine import process
from app.engine.engine import Engine
from app.store.database import StoreError
from app.ui.page import address, visitor
from app.ui.page.lecture import hide_controls, lecture
from app.ui.page.sign_in import identity
from app.ui.page.teacher import message
from app.ui.widgets.component import built

PAGES = {
    "": ["start"],
    "Build": ["architecture", "train"],
    "Look inside": ["gradients", "paths", "lesions", "features"],
    "Check": ["reproduce"],
    "Keep": ["runs"],
}
TEACHING = {"Teach": ["class"]}
NAMES = [name for group in (PAGES | TEACHING).values() for name in group]


def page(name: str, *, hidden: bool = False) -> StreamlitPage:
    """A page of this run of the script. Never one for all: Streamlit keeps in it whether it may be run now."""
    return st.Page(
        ROOT / "pages" / f"{name}.py",
        title=name.capitalize(),
        url_path=name,
        default=name == "start",
        visibility="hidden" if hidden else "visible",
    )


def frame() -> None:
    """Everything that pages share, then the page."""
    st.set_page_config("ResNet Explorer", page_icon=str(ASSETS / "icon.svg"), layout="wide", initial_sidebar_state=220)
    st.html(f"<style>{(ASSETS / 'style.css').read_text()}</style>")
    st.html(f"<script>{built('history.js')}</script>", unsafe_allow_javascript=True)
    engine = process.engine()
    pages = {group: [page(name) for name in names] for group, names in PAGES.items()}
    teaching = [page(name, hidden=engine.settings.mode != "class") for name in TEACHING["Teach"]]
    here = st.navigation(pages | {"Teach": teaching})
    if engine.settings.mode == "class":
        pages["Teach"] = teaching
    st.logo(str(ASSETS / "logo.svg"), size="large", icon_image=str(ASSETS / "icon.svg"))
    with st.sidebar:
        status()
        identity()
        hide_controls()
    for trouble in (engine.store.notice, engine.trouble):
        if trouble:
            st.error(literal(trouble))
    if engine.settings.mode == "class":
        message()
    address.read()
    for notice in address.notices():
        if not notice.startswith("The address's net="):  # the form keeps such a net, and says itself what is wrong
            st.warning(literal(notice))
    lecture([entry for group in pages.values() for entry in group], here)
    try:
        here.run()
    except StoreError as trouble:  # the disk takes nothing: what was asked for was not done, and the page stands
        st.error(literal(str(trouble)))


@st.fragment(run_every=15)
def status() -> None:
    """Workers, runs that train and runs that wait. Drawn while the page is open: so the engine knows."""
    process.engine().housekeeper.seen(visitor.here().owner)
    st.caption(_status(process.engine(), int(time.monotonic())))


@lru_cache(maxsize=2)
def _status(engine: Engine, _second: int) -> str:
    """Read once a second for all sessions."""
    running, waiting = len(engine.store.runs.all(["running"])), len(engine.store.runs.all(["queued"]))
    asked = engine.questions.under_way
    questions = f" · {asked} question{'s' * (asked > 1)}" if asked else ""
    return f"{engine.describe()}  \n{running} training · {waiting} waiting{questions}"
