"""The cards on a page: what is claimed, what would count, the button with its cost, what was found."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from app.base.prose import literal, prose
from app.engine import process
from app.store.run import Run
from app.studies.reproduction.interval_bar import interval_bar
from app.studies.reproduction.machine import processor
from app.studies.reproduction.trial import Trial
from app.studies.reproduction.verdict_table import keep, known
from app.ui.page import visitor
from app.ui.page.pending_answer import draw_answers
from app.ui.runs.submit import submitted
from app.values.reproduction.card import Card
from app.values.reproduction.cards import CARDS, TABLES
from app.values.reproduction.kept import Reproduced, reached

LONG = 3600  # seconds from which a card has no button: a page is not waited on for hours
VERDICTS = {"reproduced": "green", "contrary": "red", "underpowered": "orange", "not tried": "gray"}
BEGUN = "card"  # the parameter of the address that names the card which is being measured


def tally() -> None:
    """How many claims came out how."""
    store = process.engine().store
    told = [known(store, card) for card in CARDS.values()]
    counts = {name: sum((one.verdict if one else "not tried") == name for one in told) for name in VERDICTS}
    badges = " ".join(f":{colour}-badge[{counts[name]} {name}]" for name, colour in VERDICTS.items())
    st.markdown(f"{prose('reproduce')['sum'].format(count=len(CARDS))}: {badges}")


def tables() -> None:
    """All cards, in two columns under the headings of `TABLES`."""
    runs = visitor.runs()
    for heading, names in TABLES.items():
        st.markdown(f"### {heading}")
        for begin in range(0, len(names), 2):
            pair = names[begin : begin + 2]
            for column, name in zip(st.columns(2, gap="medium"), pair, strict=False):
                with column, st.container(border=True, height="stretch", key=f"card-{name}"):
                    _card(CARDS[name], runs)


def _card(card: Card, runs: Sequence[Run]) -> None:
    page, store = prose("reproduce"), process.engine().store
    outcome = known(store, card)
    verdict = outcome.verdict if outcome else "not tried"
    st.markdown(f"#### {card.claim}")
    st.markdown(f":{VERDICTS[verdict]}-badge[{verdict}] {page[verdict]}")
    st.markdown(f":violet-badge[paper] {literal(card.paper)}. *{literal(card.source)}*")
    if outcome is not None:
        value = f"**{number(outcome.measured, card)}** {literal(card.unit)}"
        st.markdown(f":green-badge[measured] {literal(card.measured)}: {value}")
        st.html(interval_bar(card, outcome))
    st.caption(" ".join([page["wants"].format(tolerance=card.tolerance), _smaller(card)]))
    if outcome is not None:
        st.caption(literal(_circumstances(card, outcome)))
    _button(card, Trial.of(card, runs, store))


def _smaller(card: Card) -> str:
    return prose("reproduce")["smaller"].format(here=card.here) if card.here else ""


def _circumstances(card: Card, outcome: Reproduced) -> str:
    page = prose("reproduce")
    if outcome.low == outcome.high:
        return page["counted"].format(seeds=outcome.seeds, date=outcome.date)
    ends = {
        name: "no end" if end is None else number(end, card)
        for name, end in (("low", outcome.low), ("high", outcome.high))
    }
    return page["measured"].format(
        **ends, seeds=outcome.seeds, machine=outcome.machine, torch=outcome.versions["torch"], date=outcome.date
    )


def _button(card: Card, trial: Trial) -> None:
    """What begins the measurement or, once it has begun, how far it is; then the verdict is kept, and drawn."""
    page = prose("reproduce")
    if card.why_not:
        st.caption(page["why-not"].format(why=card.why_not, cost=duration(card.hours * 3600)))
    elif st.query_params.get(BEGUN) == card.name and not trial.missing:
        _go_on(card, trial)
    elif trial.seconds > LONG:
        st.caption(f"{page['long'].format(card=card.name)} · {duration(trial.seconds)}")
    elif st.button(
        f"Measure here · {duration(trial.seconds)}", icon=":material/play_arrow:", key=f"try-{card.name}"
    ) and (not trial.missing or submitted(trial.missing)):
        st.query_params[BEGUN] = card.name
        st.rerun()


def _go_on(card: Card, trial: Trial) -> None:
    if trial.under_way:
        st.fragment(_wait, run_every=1)(tuple(run.id for run in trial.runs if run is not None))
        return
    store = process.engine().store
    questions = trial.questions(store)
    if questions:
        draw_answers(questions, lambda results: _conclude(card, trial, results), doing="Measuring", on_stop=_stop)
    else:
        _conclude(card, trial, [])


def _conclude(card: Card, trial: Trial, results: Sequence[Any]) -> None:
    store = process.engine().store
    effect = trial.effect(store, results)
    _stop()
    if effect is None:
        st.error(prose("reproduce")["diverged"])
        return
    keep(store, card, reached(card, effect, trial.seeds, processor(), datetime.now(UTC).date().isoformat()))
    st.rerun()


def _stop() -> None:
    if BEGUN in st.query_params:
        del st.query_params[BEGUN]


def _wait(ids: tuple[str, ...]) -> None:
    runs = [process.engine().store.runs.get(run) for run in ids]
    if not any(run.active for run in runs):
        st.rerun()
    over = sum(not run.active for run in runs)
    share = sum(run.step / run.total if run.total else float(not run.active) for run in runs) / len(runs)
    st.progress(min(share, 1.0), text=prose("reproduce")["training"].format(over=over, runs=len(runs)))


def number(value: float, card: Card) -> str:
    """With the card's digits, and a true minus."""
    return f"{value:,.{card.digits}f}".replace("-", "−")


def duration(seconds: float) -> str:
    """`at once`, `about 20 s`, `about 4 min`, `about 18 hours`."""
    if seconds < 2:
        return "at once"
    if seconds < 90:
        return f"about {max(5, 5 * round(seconds / 5)):.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < LONG else f"about {seconds / 3600:.0f} hours"
