"""`python -m app reproduce`: the cards; `reproduce CARD`: one of them, its missing runs trained first."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from app.base import logs
from app.base.settings import Settings
from app.cli.shared import Json, clear_errors, fail, open_store, out, print_json, progress_bar, read_settings
from app.store.store import Store
from app.studies.reproduction.machine import processor
from app.studies.reproduction.trial import Trial
from app.studies.reproduction.verdict_table import keep, known
from app.values.reproduction.card import Card
from app.values.reproduction.cards import CARDS, find
from app.values.reproduction.kept import Reproduced, bundle, reached

verbs = typer.Typer()

LOOK_SECONDS = 0.5


@verbs.command()
def reproduce(
    card: Annotated[str | None, typer.Argument(metavar="CARD", help="its name; without it, all cards")] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, max=100, help="from 0 on, by default the card's; an interval needs two")
    ] = None,
    bundled: Annotated[bool, typer.Option("--bundle", help="write the verdict to assets/reproduced.json")] = False,
    as_json: Json = False,
) -> None:
    """What the literature claims, measured here: all cards with their cost and verdict, or one put to the test."""
    configured = read_settings()
    if card is None:
        return _print_cards(open_store(configured), as_json)
    with clear_errors():
        outcome = _measured(find(card), seeds, configured, bundled)
    if as_json:
        figures = outcome.model_dump(include={"card", "verdict", "measured", "low", "high", "seeds"})
        return print_json(figures)
    about = find(card)
    ends = " to ".join("…" if end is None else f"{end:.{about.digits}f}" for end in (outcome.low, outcome.high))
    measured = f"{outcome.measured:.{about.digits}f} {about.unit}"
    return out.print(
        f"{about.claim} ({about.source})\npaper: {about.paper}\nhere: {measured}, {ends}, {outcome.seeds} seeds; "
        f"reproduced: {about.tolerance}\n{outcome.verdict}",
        highlight=False,
        soft_wrap=True,
    )


def _measured(card: Card, seeds: int | None, configured: Settings, bundled: bool) -> Reproduced:
    """Train what is missing, measure, keep the verdict. Raises ValueError, with a sentence, where that cannot be."""
    if card.why_not:
        raise ValueError(f"{card.name} is not tried here: {card.why_not}")
    store = open_store(configured)
    trial = Trial.of(card, store.runs.all(), store, seeds)
    if trial.missing or trial.under_way:
        store.close()  # an engine wants it for itself
        _train(trial, configured)
        store = open_store(configured)
        trial = Trial.of(card, store.runs.all(), store, seeds)
    if trial.missing or trial.under_way:
        fail(f"not all runs of {card.name} came to an end: see `python -m app runs`")
    effect = trial.effect(store, _answers(trial, store, configured))
    if effect is None:
        raise ValueError(f"no seed of {card.name} came to a number: its nets diverged")
    outcome = reached(card, effect, trial.seeds, processor(), datetime.now(UTC).date().isoformat())
    keep(store, card, outcome)
    if bundled:
        bundle(outcome)
    return outcome


def _answers(trial: Trial, store: Store, configured: Settings) -> list[Any]:
    asked = trial.questions(store)
    if not asked:
        return []
    from app.analysis.answering import answer
    from app.analysis.subject import Subject

    answers = []
    with progress_bar(trial.card.name) as progress:
        for done, question in enumerate(asked):
            progress(done, len(asked))
            answers.append(answer(question, Subject(*store.about(question.run), configured)))
    return answers


def _train(trial: Trial, configured: Settings) -> None:
    """What is missing, and what began before, by an engine for them alone. Raises RefusedError."""
    import logging

    from app.engine import process
    from app.engine.policy.visitor import MACHINE

    logging.getLogger("distributed.scheduler").setLevel(logging.CRITICAL)  # it complains of workers that are let go
    logs.begin(configured, logging.WARNING)
    engine = process.start(configured, lanes=["train", "study"])
    try:
        runs = [run.id for run in (*trial.under_way, *engine.runs.submit(trial.missing, MACHINE))]
        with progress_bar("training") as progress:
            while active := [run for run in map(engine.store.runs.get, runs) if run.active]:
                progress(len(runs) - len(active), len(runs))
                time.sleep(LOOK_SECONDS)
    finally:
        process.stop()


def _print_cards(store: Store, as_json: bool) -> None:
    runs = store.runs.all()
    rows = [
        {
            "card": card.name,
            "claim": card.claim,
            "source": card.source,
            "paper": card.paper,
            "tolerance": card.tolerance,
            "seconds": round(Trial.of(card, runs, store).seconds, 1),
            "verdict": told.verdict if (told := known(store, card)) else "not tried",
        }
        for card in CARDS.values()
    ]
    if as_json:
        return print_json(rows)
    table = Table("card", "claim", "source", "seconds", "verdict")
    for row in rows:
        table.add_row(*(str(row[name]) for name in ("card", "claim", "source", "seconds", "verdict")))
    return out.print(table)
