"""`python -m tests.trials.soak`: sessions come and go while a net trains; what memory does meanwhile.

Each of the places is taken by one browser session after another: it opens a page, keeps it fresh for a random while,
and goes. A small net trains from before the first of them until the end. The server's resident memory, and that of
its workers, may be at most GROWTH times at the end what they were once every page had been opened, and a sixth of the
time was over. One line of JSON.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path

from websockets.exceptions import WebSocketException

from app.store.store import Store
from app.values.run_spec import Recipe, RunSpec
from benchmarks.served.live_server import LiveServer, live_server
from benchmarks.served.sessions import Session
from models.spec import NetSpec
from tests.support.waiting import until

GROWTH = 1.1
EVERY = 5.0  # seconds between two looks at the memory
PAGES = ("", "architecture", "train", "gradients", "paths", "lesions", "features", "reproduce", "runs", "class")
LIVE = ("train", "gradients")  # there every other session looks at the run that trains
STAYS = 5.0, 45.0  # seconds, at least and at most
STEPS = 1_000_000  # more than there will be time for


@dataclass(frozen=True)
class Sample:
    """Seconds since the start, visits that were over, and resident memory in 10⁶ bytes."""

    seconds: float
    visits: int
    server: float
    workers: float


@dataclass
class Crowd:
    """What the sessions met."""

    begun: int = 0
    visits: int = 0
    refreshes: int = 0
    exceptions: int = 0
    dropped: int = 0


@dataclass(frozen=True)
class Figures:
    """What came of it. Memory in 10⁶ bytes: once every page was open and a sixth of the time over, and at the end."""

    minutes: float
    sessions: int
    begun: int
    visits: int
    refreshes: int
    exceptions: int
    dropped: int
    steps: int  # that the net has trained
    training: bool  # to the end
    server_early: float
    server_late: float
    workers_early: float
    workers_late: float

    @property
    def growth(self) -> tuple[float, float]:
        """Of the server and of its workers, each as a factor."""
        return self.server_late / self.server_early, self.workers_late / self.workers_early

    @property
    def good(self) -> bool:
        """True if nothing was lost, and memory stayed within GROWTH."""
        return self.training and not self.exceptions and not self.dropped and max(self.growth) <= GROWTH


@dataclass(frozen=True)
class Plan:
    """How long it takes. `visits`: it ends after so many, if the time is not over before."""

    minutes: float
    sessions: int
    seed: int = 0
    visits: float = inf
    stays: tuple[float, float] = STAYS
    every: float = EVERY


def soak(plan: Plan) -> tuple[Figures, list[Sample]]:
    """Serve, train, and let so many sessions at a time come and go."""
    with live_server(
        fill=_long_run,
        RESNET_EXPLORER_MODE="class",
        RESNET_EXPLORER_TEACHER_KEY="a key of many letters",
        RESNET_EXPLORER_WORKERS="1",
        RESNET_EXPLORER_MAX_MINUTES="0",
    ) as served:
        store = Store(served.store)
        [run] = [run for run in store.runs.all() if run.origin == "trained"]
        until(lambda: store.runs.get(run.id).step, "the first steps")
        crowd, samples = asyncio.run(_watched(served, run.id, plan))
        run = store.runs.get(run.id)
        store.close()
    (early, late), (workers_early, workers_late) = (
        _early_and_late([getattr(sample, name) for sample in samples], _opened(samples))
        for name in ("server", "workers")
    )
    figures = Figures(
        minutes=plan.minutes,
        sessions=plan.sessions,
        **asdict(crowd),
        steps=run.step,
        training=run.status == "running",
        server_early=early,
        server_late=late,
        workers_early=workers_early,
        workers_late=workers_late,
    )
    return figures, samples


def _long_run(store: Path) -> None:
    """A run that the server finds waiting."""
    recipe = Recipe(steps=STEPS, batch=64)
    kept = Store(store)
    kept.runs.create(RunSpec(net=NetSpec.parse("resnet-8:width=4").fitted(1, 10), recipe=recipe, threads=1))
    kept.close()


async def _watched(served: LiveServer, run: str, plan: Plan) -> tuple[Crowd, list[Sample]]:
    """Everybody comes and goes until the time is over, while memory is looked at."""
    crowd, samples, begun = Crowd(), list[Sample](), time.perf_counter()
    end = begun + 60 * plan.minutes
    async with asyncio.TaskGroup() as group:
        for place in range(plan.sessions):
            rng = random.Random(f"{plan.seed} {place}")
            group.create_task(_place(served.address, run, end, crowd, rng, plan))
        while time.perf_counter() < end and crowd.visits < plan.visits:
            await asyncio.sleep(min(plan.every, 60 * plan.minutes / 12))
            samples.append(Sample(time.perf_counter() - begun, crowd.visits, served.memory_mb(), served.workers_mb()))
    return crowd, samples


async def _place(address: str, run: str, end: float, crowd: Crowd, rng: random.Random, plan: Plan) -> None:
    """One session after another, for random times: on each page once, then on random ones."""
    await asyncio.sleep(rng.uniform(0, plan.stays[0]))
    while (now := time.perf_counter()) < end and crowd.begun < plan.visits:
        page = PAGES[crowd.begun] if crowd.begun < len(PAGES) else rng.choice(PAGES)
        crowd.begun += 1
        session = Session(page, f"run={run}" if page in LIVE and rng.random() < 0.5 else "")
        try:
            await session.watch(address, min(end, now + rng.uniform(*plan.stays)))
        except (OSError, WebSocketException) as error:  # a time-out is an OSError
            crowd.dropped += 1
            print(f"/{session.page}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        crowd.visits += 1
        crowd.refreshes += len(session.refreshes)
        crowd.exceptions += len(session.exceptions)


def _opened(samples: Sequence[Sample]) -> int:
    """The place of the first sample by which every page had been opened."""
    return next((place for place, sample in enumerate(samples) if sample.visits >= len(PAGES)), 0)


def _early_and_late(values: Sequence[float], opened: int) -> tuple[float, float]:
    """Medians of a twelfth of the values each: those after the first sixth and `opened`, and the last."""
    few = max(1, len(values) // 12)
    begin = max(len(values) // 6, opened)
    return statistics.median(values[begin : begin + few]), statistics.median(values[-few:])


def main() -> None:
    """Exit status 1 if memory grew beyond GROWTH, a session was dropped or met an exception, or training ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--sessions", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    figures, samples = soak(Plan(given.minutes, given.sessions, given.seed))
    print(f"{'minute':>8}{'server, MB':>12}{'workers, MB':>13}")
    for sample in samples[:: max(1, len(samples) // 12)]:
        print(f"{sample.seconds / 60:8.1f}{sample.server:12.0f}{sample.workers:13.0f}")
    server, workers = figures.growth
    print(json.dumps({**asdict(figures), "server_growth": round(server, 3), "workers_growth": round(workers, 3)}))
    sys.exit(not figures.good)


if __name__ == "__main__":
    main()
