"""The server seen from outside: whether it is well, and its numbers as Prometheus reads them."""

from collections.abc import Iterable, Mapping
from typing import get_args

from app.engine.engine import Engine
from app.server.guard import Guard
from app.store.run import Status

Samples = Iterable[tuple[Mapping[str, str], float]]


def health(engine: Engine) -> str:
    """What is wrong; empty while all is well."""
    return engine.trouble


def exposition(engine: Engine) -> str:
    """Every metric in Prometheus's text format, version 0.0.4."""
    runs = [run for run in engine.store.runs.all() if run.origin == "trained"]
    running = [(run, engine.store.events.history(run.id).seconds_per_step()) for run in runs if run.status == "running"]
    speeds = [run.spec.recipe.batch / pace for run, pace in running if pace]
    by_status = [({"status": status}, sum(run.status == status for run in runs)) for status in get_args(Status)]
    lanes = [({"lane": lane}, engine.workers(lane)) for lane in ("train", "ask", "study")]
    refused = [({"limit": limit}, count) for limit, count in sorted(engine.refusals.items())]
    metrics: list[tuple[str, str, str, Samples]] = [
        ("sessions", "gauge", "Pages that are open.", [({}, Guard.open)]),
        ("sessions_refused_total", "counter", "Pages turned away, the server being full.", [({}, Guard.turned_away)]),
        ("runs", "gauge", "Runs in the store by status, reference runs apart.", by_status),
        ("workers", "gauge", "Worker processes by lane.", lanes),
        ("images_per_second", "gauge", "Training images per second, all running runs together.", [({}, sum(speeds))]),
        ("refusals_total", "counter", "Runs refused since the server started, by limit.", refused),
    ]
    return "".join(_metric(*metric) for metric in metrics)


def _metric(name: str, kind: str, about: str, samples: Samples) -> str:
    full = f"resnet_explorer_{name}"
    lines = [f"# HELP {full} {about}", f"# TYPE {full} {kind}"]
    for labels, value in samples:
        said = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        lines.append(f"{full}{{{said}}} {value:.10g}" if said else f"{full} {value:.10g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
