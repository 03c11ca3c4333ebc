"""Where each run stands right now: its errors, and what it is doing, how fast and for how long yet."""

import html
from collections.abc import Sequence

from app.engine import process
from app.figures.theme import Style
from app.store.history import History
from app.store.run import Run


def numbers(looks: Sequence[Style], histories: Sequence[History], paces: Sequence[str], step: int | None) -> str:
    """A card a run, as HTML; the errors are those at `step`, None: the newest."""
    cards = [
        _card(look, history.train_error(at=step), history.test_error(at=step), pace)
        for look, history, pace in zip(looks, histories, paces, strict=True)
    ]
    return f"<div class='nows'>{''.join(cards)}</div>"


def _card(look: Style, train: float | None, test: float | None, pace: str) -> str:
    return (
        f"<div class='now'><span>{html.escape(look.name)}</span>"
        f"<b style='--family:{look.colour}'>{'–' if train is None else f'{train:.1f}'}<small> % train</small></b>"
        f"<span>{'test not yet' if test is None else f'{test:.1f} % test'}</span>"
        f"<span>{html.escape(pace)}</span></div>"
    )


def pace(run: Run) -> str:
    """What the run is doing, how fast, and for how long yet."""
    engine = process.engine()
    left = engine.runs.seconds_left(run) if run.active else None
    ends = "" if left is None else f" · {_duration(left)} left"
    if run.status == "queued":
        if run.spec.data in engine.runs.downloads:
            return "waiting for its data"
        if engine.runs.held(run):
            return f"waiting: {engine.settings.session_training} of this browser's runs may train at once" + ends
        ahead = engine.runs.place(run.id)
        if ahead:
            return f"waiting, {ahead} ahead" + ends
        return (
            "starting" if len(engine.store.runs.all(["running"])) < engine.workers("train") else "next in line"
        ) + ends
    seconds = engine.store.events.history(run.id).seconds_per_step()
    if run.status == "running" and seconds:
        return f"{run.spec.recipe.batch / seconds:,.0f} images/s{ends}"
    return f"{run.status} · step {run.step:,}" + (f" of {run.total:,}" if run.step < run.total else "")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
