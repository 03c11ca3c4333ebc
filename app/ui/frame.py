"""The frame around every page: its pages, its style sheet, and what the engine is doing."""

import streamlit as st

from app import jobs
from app.settings import ASSETS, ROOT
from app.ui import address
from app.ui.prose import literal

START = st.Page(ROOT / "pages" / "start.py", title="Start", url_path="start", default=True)
ARCHITECTURE = st.Page(ROOT / "pages" / "architecture.py", title="Architecture", url_path="architecture")
TRAIN = st.Page(ROOT / "pages" / "train.py", title="Train", url_path="train")
RUNS = st.Page(ROOT / "pages" / "runs.py", title="Runs", url_path="runs")
PAGES = {"": [START], "Build": [ARCHITECTURE, TRAIN], "Keep": [RUNS]}


def frame() -> None:
    """Everything that pages share, then the page."""
    st.set_page_config("ResNet Explorer", page_icon=str(ASSETS / "icon.svg"), layout="wide", initial_sidebar_state=220)
    st.html(f"<style>{(ASSETS / 'style.css').read_text()}</style>")
    page = st.navigation(PAGES)
    engine = jobs.engine()
    st.logo(str(ASSETS / "logo.svg"), size="large", icon_image=str(ASSETS / "icon.svg"))
    with st.sidebar:
        status()
    for trouble in (engine.store.notice, engine.trouble):
        if trouble:
            st.error(trouble)
    address.read()
    for notice in address.notices():
        if not notice.startswith("The address's net="):  # the form keeps such a net, and says itself what is wrong
            st.warning(literal(notice))
    page.run()


@st.fragment(run_every=5)
def status() -> None:
    """Workers, runs that train and runs that wait."""
    engine = jobs.engine()
    running, waiting = len(engine.store.runs(["running"])), len(engine.store.runs(["queued"]))
    st.caption(f"{engine.describe()}  \n{running} training · {waiting} waiting")
