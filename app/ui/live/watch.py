"""Runs side by side, live: curves, gradient map, strip, slider, the numbers and what they mean."""

import threading

import streamlit as st

from app.engine import process
from app.figures.norm_map import layer_mark, map_marks
from app.figures.over_steps import step_mark
from app.store.run import Run
from app.ui.live.run_controls import controls, cut_link
from app.ui.live.scene import Scene, scene
from app.ui.live.scene_picture import picture
from app.ui.page import address
from app.ui.page.chart_clicks import to_cell, to_layer, to_step
from app.ui.page.frame import page
from app.ui.runs.curve_words import what_the_sources_say
from app.ui.widgets.live_text import live_text
from app.ui.widgets.step_slider import step_slider
from app.ui.widgets.strip import strip
from app.values.datasets import find

FEW = 2

_turn = threading.Lock()


def watch(runs: list[str], guess: str | None) -> None:
    """Draw `runs`. While one of them is under way, what changes comes by the feed."""
    if not runs:
        return
    watched = [process.engine().store.runs.get(run) for run in runs]
    st.fragment(_in_turn)(tuple(runs), guess, scene(tuple(runs)).active)
    cut_link(watched)


def _in_turn(ids: tuple[str, ...], guess: str | None, was_active: bool) -> None:
    """One session draws at a time: twenty that share the interpreter would all be done when the last one is."""
    with _turn:
        _draw(ids, guess, was_active)


def _draw(ids: tuple[str, ...], guess: str | None, was_active: bool) -> None:
    try:
        seen = scene(ids)
    except KeyError:  # deleted meanwhile, by another browser
        st.rerun()
    if was_active != seen.active:
        st.rerun()  # what stands around this fragment changes too
    step, layer = address.step(), address.layer()
    charts, told = st.columns([3.6, 1], gap="medium")
    with charts:
        left, right = st.columns([1, 1.05], gap="small")
        rev = "-".join(ids)
        with left:
            picture(seen.curves(), key="errors", rev=rev, marks=step_mark(step), on_click=to_step)
        with right:
            picture(seen.maps(), key="norms", rev=rev, marks=map_marks(seen.pairs, step, layer), on_click=to_cell)
        strip(seen.nets, key="strip", selected=layer, on_select=address.go_to_layer)
        step_slider(
            step,
            newest=seen.newest,
            total=seen.total,
            moments=seen.moments[0],
            epoch_steps=max((run.epoch_steps for run in seen.runs), default=0),
            key="step-slider",
            live=was_active,
            feed=seen.feed("progress"),
            on_change=address.go_to_step,
        )
    with told:
        controls(seen.everyone)
        _numbers(seen, step)
    with told if len(ids) <= FEW else charts:  # of many nets there is more to say than fits beside the charts
        st.markdown("##### What you see")
        live_text(seen.words(step, guess), key="words")
        what_the_sources_say(address.read().race, seen.standings)
    if seen.measured:
        _below(seen, step, layer)


def _below(seen: Scene, step: int | None, layer: str | None) -> None:
    """The gradient's norm layer by layer at the chosen step, and the chosen layer's history."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("#### Layer by layer, at the slider's step")
        marks = layer_mark(seen.pairs, layer)
        picture(seen.lines(step), key="norm-lines", rev="lines", marks=marks, on_click=to_layer)
    with right:
        chosen = seen.layer_of(layer)
        st.markdown(f"#### Step by step, in `{chosen}`")
        picture(seen.layer(chosen), key="layer-history", rev=chosen, marks=step_mark(step), on_click=to_step)
        query = {"run": [run.id for run in seen.runs[:4]], "layer": chosen}
        st.page_link(
            page("gradients"),
            label=f"Does the gradient vanish here? `{chosen}` on its own page",
            icon=":material/trending_down:",
            query_params=query,
        )


# ── numbers ──


def _numbers(seen: Scene, step: int | None) -> None:
    st.markdown("##### Right now" if step is None else f"##### At step {step:,}")
    live_text(seen.numbers(step), key="numbers")
    _downloads(seen.runs)
    for run, name in zip(seen.runs, seen.names, strict=True):
        if run.message:
            st.warning(f"{name}: {run.message}")


def _downloads(runs: tuple[Run, ...]) -> None:
    """A bar for each data set that these runs wait for."""
    store, downloads = process.engine().settings.store, process.engine().runs.downloads
    for name in dict.fromkeys(run.spec.data for run in runs):
        if (under_way := downloads.get(name)) and (dataset := find(name, store)):
            done, size = under_way
            megabytes = f"{dataset.title}: {done / 1e6:,.0f} of {size / 1e6:,.0f} MB"
            st.progress(min(done / size, 1.0) if size else 0.0, text=megabytes)
