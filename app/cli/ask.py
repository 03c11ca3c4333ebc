"""`python -m app ask KIND [RUN] field=value …`: any study's question, put without a page or a verb of its own."""

import inspect
from collections.abc import Sequence
from dataclasses import fields
from typing import Annotated, Any, get_origin

import numpy as np
import typer
from pydantic.fields import FieldInfo
from rich.table import Table

from app.base import studies
from app.base.settings import Settings
from app.cli.shared import Json, Step, clear_errors, out, print_json, progress_bar, read_settings, subject_at
from app.store.store import About
from app.values.questions import KINDS, Question
from app.values.results import Result

app = typer.Typer()


@app.command()
def ask(
    kind: Annotated[str | None, typer.Argument(metavar="KIND", help="what is asked; without it, all kinds")] = None,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN] field=value…", help="of which run, and what of it")
    ] = None,
    step: Step = None,
    as_json: Json = False,
) -> None:
    """Put any study's question to a run and print its result: the same question, and answer, as on a page."""
    list(studies.modules("questions"))
    if kind is None:
        return _print_kinds(as_json)
    from app.analysis.answering import answer

    configured = read_settings()
    with clear_errors():
        run, given = _read(words or [])
        question, subject = _prepared(_kind(kind), run, step, given, configured)
        with progress_bar(kind) as progress:
            result = answer(question, subject, progress)
    if as_json:
        return print_json({"question": question.model_dump(mode="json"), "result": _plain(result)})
    return _print_result(question, result)


def _kind(name: str) -> type[Question]:
    if name not in KINDS:
        raise ValueError(f"there is no question {name[:60]!r}: {', '.join(sorted(KINDS))}")
    return KINDS[name]


def _read(words: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The run, if one is named, and the fields."""
    runs = [word for word in words if "=" not in word]
    if len(runs) > 1:
        raise ValueError(f"one run at most, then field=value: {' '.join(runs)[:60]!r} are {len(runs)}")
    return runs[0] if runs else "", dict(word.split("=", 1) for word in words if "=" in word)


def _prepared(
    kind: type[Question], run: str, step: int | None, given: dict[str, str], configured: Settings
) -> tuple[Question, Any]:
    """The question, and what it is about: a run at a kept moment, or no run."""
    own = _own_fields(kind)
    if unknown := sorted(set(given) - set(own)):
        raise ValueError(f"{unknown[0][:60]!r} is not asked by this question: {', '.join(own) or 'it asks nothing'}")
    asked: dict[str, Any] = {name: _value(own[name], text) for name, text in given.items()}
    if not run:
        from app.analysis.subject import Subject

        return kind(**asked), Subject(*About(), configured)
    subject, moment = subject_at(run, step, configured)
    return kind(run=run, step=moment, **asked), subject


def _own_fields(kind: type[Question]) -> dict[str, FieldInfo]:
    """What a kind asks apart from the run and the step."""
    return {name: field for name, field in kind.model_fields.items() if name not in Question.model_fields}


def _value(field: FieldInfo, text: str) -> Any:
    """As pydantic reads it; several values stand between commas: `k=1,2,4`."""
    if get_origin(field.annotation) is tuple:
        return tuple(part for part in text.split(",") if part)
    return text


def _plain(result: Result) -> dict[str, Any]:
    """A result by its fields: arrays and tuples as lists."""
    values = {field.name: getattr(result, field.name) for field in fields(result)}
    return {name: np.asarray(value).tolist() if _many(value) else value for name, value in values.items()}


def _many(value: Any) -> bool:
    return isinstance(value, np.ndarray | tuple)


def _print_kinds(as_json: bool) -> None:
    rows = [(name, _first_line(kind), _own_fields(kind)) for name, kind in sorted(KINDS.items())]
    if as_json:
        return print_json([{"kind": name, "asks": what, "fields": list(own)} for name, what, own in rows])
    table = Table("kind", "what is asked", "fields, and what they are unless said")
    for name, what, own in rows:
        table.add_row(name, what, " ".join(_shown(field, value) for field, value in own.items()))
    return out.print(table)


def _first_line(kind: type[Question]) -> str:
    return inspect.getdoc(kind).partition("\n")[0]  # type: ignore[union-attr]  # every class here has one: ruff asks


def _shown(name: str, field: FieldInfo) -> str:
    if field.is_required():
        return f"{name}=…"
    value = field.default
    return f"{name}={','.join(map(str, value)) if isinstance(value, tuple) else '' if value is None else value}"


def _print_result(question: Question, result: Result) -> None:
    about = f", {question.run} at step {question.step:,}" if question.run else ""
    out.print(f"[bold]{type(result).__name__}[/bold]{about}", highlight=False)
    for name, value in _plain(result).items():
        array = np.asarray(value)
        shape = f" ({' × '.join(map(str, array.shape))})" if array.ndim else ""
        shown = np.array2string(array, precision=4, threshold=24, separator=", ") if array.ndim else str(value)
        out.print(f"{name}{shape}: {shown}", markup=False, highlight=False, soft_wrap=True)
