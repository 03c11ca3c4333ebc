"""The server seen from outside: whether it is well, and its numbers as Prometheus reads them."""

from collections.abc import Iterable
from typing import get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from app.base.histograms import REGISTRY
from app.engine.cluster import LANES
from app.engine.engine import Engine
from app.server.room import PAGES
from app.store.run import Status

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4  # what collectors of before were told; the names need no later one


def health(engine: Engine) -> str:
    """What is wrong; empty while all is well."""
    return engine.trouble


def exposition(engine: Engine) -> str:
    """Every metric in Prometheus's text format, version 0.0.4."""
    now = CollectorRegistry()
    now.register(_Now(engine))
    return (generate_latest(now) + generate_latest(REGISTRY)).decode()


class _Now(Collector):
    """What is read off the engine when it is asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterable[Metric]:
        """Every family but the histograms."""
        engine, name = self._engine, "resnet_explorer_{}".format
        runs = [run for run in engine.store.runs.all() if run.origin == "trained"]
        yield GaugeMetricFamily(name("sessions"), "Pages that are open.", PAGES.open)
        yield CounterMetricFamily(
            name("sessions_refused"), "Pages turned away, the server being full.", PAGES.turned_away
        )
        by_status = GaugeMetricFamily(
            name("runs"), "Runs in the store by status, reference runs apart.", None, ["status"]
        )
        for status in get_args(Status):
            by_status.add_metric([status], sum(run.status == status for run in runs))
        yield by_status
        workers = GaugeMetricFamily(name("workers"), "Worker processes by lane.", None, ["lane"])
        for lane in LANES:
            workers.add_metric([lane], engine.workers(lane))
        yield workers
        paces = [
            (run, engine.store.events.history(run.id).seconds_per_step()) for run in runs if run.status == "running"
        ]
        speed = sum(run.spec.recipe.batch / pace for run, pace in paces if pace)
        yield GaugeMetricFamily(
            name("images_per_second"), "Training images per second, all running runs together.", speed
        )
        refusals = CounterMetricFamily(
            name("refusals"), "Runs refused since the server started, by limit.", None, ["limit"]
        )
        for limit, count in sorted(engine.refusals.items()):
            refusals.add_metric([limit], count)
        yield refusals
