"""Runs side by side, live: curves, gradient map, strip, slider, the numbers and what they mean."""

import html
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from app import jobs
from app.datasets import find
from app.figures.norm_map import layer_mark, map_marks, norm_map
from app.figures.theme import short_names, styles
from app.figures.training import errors, layer_history, norm_lines, step_mark
from app.results import Series
from app.runs import Run
from app.spec import RunSpec
from app.ui import address
from app.ui.controls import controls
from app.ui.live_chart import Click, Packed, live_chart, pack
from app.ui.outcome import Standing, what_you_see
from app.ui.slider import step_slider
from app.ui.strip import StripNet, strip

REFRESH_SECONDS = 1.0
REDRAW_SECONDS = 0.5
CHART_HEIGHT = 400

Version = tuple[str, int, int, int]  # run, attempt, steps, last evaluation: when these are the same, so is the picture


def watch(runs: list[str], guess: str | None) -> None:
    """Draw `runs`, again every second while one of them is under way."""
    if not runs:
        return
    active = any(jobs.engine().store.run(run).active for run in runs)
    st.fragment(_draw, run_every=REFRESH_SECONDS if active else None)(runs, guess, active)


def _draw(ids: list[str], guess: str | None, was_active: bool) -> None:
    engine = jobs.engine()
    try:
        runs = [engine.store.run(run) for run in ids]
    except KeyError:  # deleted meanwhile, by another browser
        st.rerun()
    if was_active != any(run.active for run in runs):
        st.rerun()  # the fragment's clock is set where the page begins
    step, layer = address.step(), address.layer()
    names = short_names([run.spec for run in runs])
    total = max(run.total or run.spec.planned_steps for run in runs)
    versions = _shared_versions(tuple(ids), int(time.monotonic() / REDRAW_SECONDS)) if was_active else _versions(ids)
    drawn = _drawn(versions, total)

    charts, told = st.columns([3.6, 1], gap="medium")
    with charts:
        left, right = st.columns([1, 1.05], gap="small")
        with left:
            live_chart(drawn.errors, key="errors", rev=drawn.rev, marks=step_mark(step), on_click=_to_step)
            st.caption(drawn.errors_caption)
        with right:
            marks = map_marks(drawn.pairs, step, layer)
            live_chart(drawn.norms, key="norms", rev=drawn.rev, marks=marks, on_click=_to_cell)
            st.caption(drawn.norms_caption)
        rows = [StripNet(run.spec.net, name, _size(run)) for run, name in zip(runs, names, strict=True)]
        strip(rows, key="strip", selected=layer, on_select=address.go_to_layer)
        step_slider(
            step,
            newest=max(run.step for run in runs),
            total=total,
            moments=engine.store.moments(runs[0].id),
            epoch_steps=next((run.started.epoch_steps for run in runs if run.started), 0),
            key="step-slider",
            live=was_active,
            on_change=address.go_to_step,
        )
    with told:
        controls(runs)
        _numbers(runs, names, step)
        what_you_see(_standings(runs, names, step), step, guess, address.read().race)
    _below(drawn, versions, step, layer, total)


# ── figures, drawn once for all sessions ──


@dataclass(frozen=True)
class _Drawn:
    pairs: list[tuple[RunSpec, Series]]
    rev: str
    errors: Packed
    errors_caption: str
    norms: Packed
    norms_caption: str


def _versions(runs: Sequence[str]) -> tuple[Version, ...]:
    """What there is to draw of these runs."""
    store = jobs.engine().store
    found = [store.run(run) for run in runs]
    return tuple((run.id, run.attempt, run.step, store.history(run.id).last_epoch) for run in found)


@lru_cache(maxsize=64)
def _shared_versions(runs: tuple[str, ...], _moment: int) -> tuple[Version, ...]:
    """The same within a moment for all sessions, so that they share one picture."""
    return _versions(runs)


@lru_cache(maxsize=64)
def _drawn(versions: tuple[Version, ...], total: int) -> _Drawn:
    store = jobs.engine().store
    pairs = [(store.run(run).spec, store.history(run).series()) for run, *_ in versions]
    curves = errors(pairs, total=total, height=CHART_HEIGHT)
    each = (CHART_HEIGHT - 68 - 30 * (len(pairs) - 1)) // len(pairs)
    maps = norm_map(pairs, total=total, each=max(each, 70))
    rev = "-".join(run for run, *_ in versions)
    return _Drawn(pairs, rev, pack(curves), curves.caption, pack(maps), maps.caption)


def _below(drawn: _Drawn, versions: tuple[Version, ...], step: int | None, layer: str | None, total: int) -> None:
    """The gradient's norm layer by layer at the chosen step, and the chosen layer's history."""
    if not any(len(series.norm_steps) for _, series in drawn.pairs):
        return
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("#### Layer by layer, at the slider's step")
        chart, caption = _lines(versions, total, step)
        marks = layer_mark(drawn.pairs, layer)
        live_chart(chart, key="norm-lines", rev="lines", marks=marks, on_click=_to_layer)
        st.caption(caption)
    with right:
        chosen = layer if layer and not layer.startswith("block:") else _first_layer(layer, drawn.pairs)
        st.markdown(f"#### Step by step, in `{chosen}`")
        chart, caption = _layer(versions, total, chosen)
        live_chart(chart, key="layer-history", rev=chosen, marks=step_mark(step), on_click=_to_step)
        st.caption(caption)


@lru_cache(maxsize=64)
def _lines(versions: tuple[Version, ...], total: int, step: int | None) -> tuple[Packed, str]:
    figure = norm_lines(_drawn(versions, total).pairs, step)
    return pack(figure), figure.caption


@lru_cache(maxsize=64)
def _layer(versions: tuple[Version, ...], total: int, layer: str) -> tuple[Packed, str]:
    figure = layer_history(_drawn(versions, total).pairs, layer, total=total, height=300)
    return pack(figure), figure.caption


def _first_layer(layer: str | None, pairs: list[tuple[RunSpec, Series]]) -> str:
    prefix = f"blocks.{layer.removeprefix('block:')}." if layer else "stem."
    found = (name for _, series in pairs for name in series.layers if name.startswith(prefix))
    return next(found, "stem.conv")


# ── clicks ──


def _to_step(click: Click) -> None:
    if isinstance(click.x, int | float):
        address.go_to_step(round(click.x))


def _to_layer(click: Click) -> None:
    if isinstance(click.customdata, str):
        address.go_to_layer(click.customdata)


def _to_cell(click: Click) -> None:
    _to_step(click)
    _to_layer(click)


# ── numbers ──


def _standings(runs: list[Run], names: list[str], step: int | None) -> list[Standing]:
    history = jobs.engine().store.history
    return [
        Standing(
            name,
            run.spec,
            history(run.id).series(),
            history(run.id).train_error(at=step),
            history(run.id).window,
            run.active or run.status == "paused",
            history(run.id).norms_at,
            run.status == "diverged",
        )
        for run, name in zip(runs, names, strict=True)
    ]


def _numbers(runs: list[Run], names: list[str], step: int | None) -> None:
    st.markdown("##### Right now" if step is None else f"##### At step {step:,}")
    history = jobs.engine().store.history
    cards = []
    for run, name, style in zip(runs, names, styles([run.spec for run in runs]), strict=True):
        error = history(run.id).train_error(at=step)
        test = history(run.id).test_error(at=step)
        shown = "–" if error is None else f"{error:.1f}"
        cards.append(
            f"<div class='now'><span>{html.escape(name)}</span>"
            f"<b style='--family:{style.colour}'>{shown}<small> % train</small></b>"
            f"<span>{'test not yet' if test is None else f'{test:.1f} % test'}</span>"
            f"<span>{html.escape(_pace(run))}</span></div>"
        )
    st.html(f"<div class='nows'>{''.join(cards)}</div>")
    _downloads(runs)
    for run, name in zip(runs, names, strict=True):
        if run.message:
            st.warning(f"{name}: {run.message}")


def _downloads(runs: list[Run]) -> None:
    """A bar for each data set that these runs wait for."""
    store, downloads = jobs.engine().settings.store, jobs.engine().downloads
    for name in dict.fromkeys(run.spec.data for run in runs):
        if (under_way := downloads.get(name)) and (about := find(name, store)):
            done, size = under_way
            megabytes = f"{about.title}: {done / 1e6:,.0f} of {size / 1e6:,.0f} MB"
            st.progress(min(done / size, 1.0) if size else 0.0, text=megabytes)


def _pace(run: Run) -> str:
    """What the run is doing, how fast, and for how long yet."""
    engine = jobs.engine()
    left = engine.seconds_left(run) if run.active else None
    ends = "" if left is None else f" · {_duration(left)} left"
    if run.status == "queued":
        if run.spec.data in engine.downloads:
            return "waiting for its data"
        ahead = engine.place(run.id)
        return (f"waiting, {ahead} ahead" if ahead else "starting") + ends
    pace = engine.store.history(run.id).seconds_per_step()
    if run.status == "running" and pace:
        return f"{run.spec.recipe.batch / pace:,.0f} images/s{ends}"
    return f"{run.status} · step {run.step:,}" + (f" of {run.total:,}" if run.step < run.total else "")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _size(run: Run) -> int | None:
    about = find(run.spec.data, jobs.engine().settings.store)
    return about.size if about else None
