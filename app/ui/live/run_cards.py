"""Where each run stands right now: its errors, and what it is doing, how fast and for how long yet."""

import html
from collections.abc import Sequence

from app.base.prose import prose
from app.engine import process
from app.figures.theme import Style
from app.store.history import History
from app.store.run import Run
from app.ui.runs.standing import Standing


def numbers(
    looks: Sequence[Style],
    standings: Sequence[Standing],
    each: Sequence[Sequence[History]],
    paces: Sequence[str],
    step: int | None,
) -> str:
    """A card a net, as HTML; the errors are means over its seeds, at `step`, None: the newest."""
    cards = [
        _card(look, standing.error(step), _test(histories, step), pace)
        for look, standing, histories, pace in zip(looks, standings, each, paces, strict=True)
    ]
    return f"<div class='nows'>{''.join(cards)}</div>"


def _test(histories: Sequence[History], step: int | None) -> float | None:
    """Mean test error of those that were evaluated as late as any, up to the step."""
    newest = max((history.evaluated(at=step) for history in histories), default=-1)
    errors = [history.test_error(at=step) for history in histories if history.evaluated(at=step) == newest]
    known = [error for error in errors if error is not None]
    return sum(known) / len(known) if known else None


def _card(look: Style, train: float | None, test: float | None, pace: str) -> str:
    return (
        f"<div class='now'><span>{html.escape(look.name)}</span>"
        f"<b style='--family:{look.colour}'>{'–' if train is None else f'{train:.1f}'}<small> % train</small></b>"
        f"<span>{'test not yet' if test is None else f'{test:.1f} % test'}</span>"
        f"<span>{html.escape(pace)}</span></div>"
    )


def pace(group: Sequence[Run]) -> str:
    """What a net's runs are doing, how fast, and for how long yet: of several seeds, which."""
    if len(group) == 1:
        return _pace(group[0]) + _sharing(group[0])
    at_work = next((run for run in group if run.status == "running"), next((run for run in group if run.active), None))
    if at_work is None:
        return f"mean of {len(group)} seeds" + "".join(
            sorted({f", some {run.status}" for run in group} - {", some finished"})
        )
    over = sum(not run.active for run in group)
    return f"{over} of {len(group)} seeds over · seed {at_work.spec.seed}: {_pace(at_work)}"


def _sharing(run: Run) -> str:
    """How many have asked for just this; where others are hidden nobody is told that there are some."""
    engine = process.engine()
    holders = len(engine.store.owners.holders(run))
    return f" · shared by {holders}" if holders > 1 and engine.settings.others != "hide" else ""


def _pace(run: Run) -> str:
    engine = process.engine()
    left = engine.runs.seconds_left(run) if run.active else None
    ends = "" if left is None else f" · {_duration(left)} left"
    if run.status == "queued":
        return _waiting(run) + ends
    seconds = engine.store.events.history(run.id).seconds_per_step()
    if run.status == "running" and seconds:
        if silent := engine.runs.silent(run):
            return prose("train")["silent"].format(seconds=silent, step=run.step)
        return f"{run.spec.recipe.batch / seconds:,.0f} images/s{ends}"
    return f"{run.status} · step {run.step:,}" + (f" of {run.total:,}" if run.step < run.total else "")


def _waiting(run: Run) -> str:
    """What a run in the queue waits for."""
    engine = process.engine()
    if run.spec.data in engine.runs.downloads:
        return "waiting for its data"
    if engine.runs.held(run):
        return f"waiting: {engine.settings.session_training} of this browser's runs may train at once"
    if ahead := engine.runs.place(run.id):
        return f"waiting, {ahead} ahead"
    return "starting" if len(engine.store.runs.all(["running"])) < engine.workers("train") else "next in line"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
