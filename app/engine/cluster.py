"""Where work is done: worker processes of this machine, or a Dask cluster whose scheduler is named by a setting."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import Any, Literal, get_args

import dask
from distributed import Client, Future, Nanny, Scheduler, SpecCluster
from distributed import Event as Flag
from distributed.security import Security

from app.base import logs
from app.base.secrecy import keep_secrets_from_children
from app.base.settings import Settings

Lane = Literal["train", "ask", "study"]  # runs, quick questions, and those that take long: none waits for another
LANES: tuple[Lane, ...] = get_args(Lane)
# Of one worker process. Questions take turns there: those that wait hold their net, and what they have computed so far.
AT_ONCE: dict[Lane, int] = {"train": 1, "ask": 12, "study": 4}

CONFIG = {
    "distributed.scheduler.allowed-failures": 0,  # the engine decides when a run is given up
    "distributed.admin.low-level-log-length": 100,  # messages the scheduler remembers of each topic
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.comm.timeouts.connect": "20s",
    "distributed.scheduler.http.routes": [],  # it would tell whoever asks which runs there are
    "distributed.worker.http.routes": [],
    # Not Dask's own: its MALLOC_TRIM_THRESHOLD_ gives every tensor's memory back at once, and halves torch's speed.
    "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": 1, "MKL_NUM_THREADS": 1, "OPENBLAS_NUM_THREADS": 1},
}


RETRY_SECONDS = 2.0
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # on Windows the latter ends a process as hard

log = logs.events(__name__)

Heard = Callable[[tuple[float, Any]], None]


class Cluster:
    """A client and, where no scheduler is named, workers of its own. A worker's lane is a Dask resource."""

    def __init__(self, settings: Settings, lanes: Collection[Lane] = LANES) -> None:
        self._address = settings.scheduler
        self._heard: dict[str, Heard] = {}
        keep_secrets_from_children()
        with dask.config.set(CONFIG):
            self._own = None if settings.scheduler else _embedded(settings, lanes)
            self.client = Client(settings.scheduler or self._own, set_as_default=False)
        self._scheduler = self._id()

    def subscribe(self, topic: str, heard: Heard) -> None:
        """Have `heard` called with what workers say on a topic, whichever scheduler brings it."""
        self._heard[topic] = heard
        self.client.subscribe_topic(topic, heard)

    def connected(self) -> bool:
        """True while there is a scheduler to talk to. One that came back is another: it is told what we listen to."""
        if self.client.status == "closed" and self._address:  # Dask has given up; we have not
            try:
                with dask.config.set(CONFIG):
                    self.client = Client(self._address, set_as_default=False, timeout=RETRY_SECONDS)
            except (OSError, TimeoutError):
                return False
        if self.client.status != "running":
            return False
        if self._address and self._id() != self._scheduler:
            log.warning("another scheduler", address=self._address)
            for topic, heard in self._heard.items():
                self.client.subscribe_topic(topic, heard)
            self._scheduler = self._id()
        return True

    def _id(self) -> str:
        return str(self.client.scheduler_info(n_workers=0)["id"])

    def workers(self, lane: Lane) -> list[str]:
        """Addresses of the workers of a lane; all of them where workers have no lanes."""
        resources = self._resources()
        in_lane = [address for address, offered in resources.items() if lane in offered]
        return in_lane if any(resources.values()) else list(resources)

    def submit(self, lane: Lane, work: Callable[..., Any], *arguments: Any, **options: Any) -> Future[Any]:
        """`work(*arguments)` on a worker of a lane, settings without their secrets. `options`: Dask's key, workers.

        Raises TimeoutError while there is no scheduler.
        """
        if self.client.status != "running":
            raise TimeoutError("The machines that do the work cannot be reached right now: try again in a minute.")
        arguments = tuple(
            argument.for_workers if isinstance(argument, Settings) else argument for argument in arguments
        )
        if any(self._resources().values()):
            options["resources"] = {lane: 1}
        return self.client.submit(work, *arguments, pure=False, **options)

    def kill(self, address: str) -> None:
        """End the process of a worker of this machine's: its nanny starts another.

        Those of other machines are their scheduler's: it gives up what has been silent for its `patience`.
        """
        for nanny in self._own.workers.values() if self._own is not None else ():
            if nanny.worker_address == address and nanny.pid is not None:
                os.kill(nanny.pid, KILL)

    def close(self) -> None:
        """Let the workers go."""
        self.client.close(timeout=5)
        if self._own is not None:
            for nanny in self._own.workers.values():  # asked politely, they take seconds; nothing is lost by a kill
                nanny.auto_restart = False
                if nanny.pid is not None:
                    os.kill(nanny.pid, KILL)
            self._own.close(timeout=10)

    def raise_flag(self, name: str) -> None:
        """Set one of Dask's events, which a worker looks at; without a scheduler there is nobody who could."""
        if self.client.status == "running":
            Flag(name, client=self.client).set()

    def lower_flag(self, name: str) -> None:
        """Take it back."""
        if self.client.status == "running":
            Flag(name, client=self.client).clear()

    def _resources(self) -> dict[str, dict[str, float]]:
        if self.client.status != "running":
            return {}
        try:
            workers = self.client.scheduler_info(n_workers=-1)["workers"]
        except OSError:  # it went away just now
            return {}
        return {address: about.get("resources") or {} for address, about in workers.items()}


async def schedule(host: str, port: int, patience: int) -> None:
    """Serve as the scheduler of engines and workers of any machine, until cancelled. Raises OSError.

    A worker that has said nothing for `patience` seconds is given up, and its runs go on elsewhere.
    """
    with dask.config.set(CONFIG | {"distributed.scheduler.worker-ttl": f"{patience}s"}):
        async with Scheduler(host=host, port=port, dashboard=False) as scheduler:
            await scheduler.finished()


async def work(scheduler: str, lanes: Mapping[Lane, int]) -> None:
    """Keep so many worker processes of each lane at a scheduler, until cancelled; while it is gone, wait for it."""
    keep_secrets_from_children()
    with dask.config.set(CONFIG):
        while True:
            options = [_worker(lane) for lane, count in lanes.items() for _ in range(count)]
            nannies = [Nanny(scheduler, **option) for option in options]
            try:
                await asyncio.gather(*(_until_lost(nanny) for nanny in nannies))
            finally:
                await asyncio.gather(*(nanny.close(timeout=5) for nanny in nannies), return_exceptions=True)
            await asyncio.sleep(RETRY_SECONDS)


async def _until_lost(nanny: Nanny) -> None:
    with suppress(OSError, TimeoutError, RuntimeError):
        await nanny
        await nanny.finished()


def _worker(lane: Lane) -> dict[str, Any]:
    count = AT_ONCE[lane]
    return {"nthreads": count, "resources": {lane: count}, "memory_limit": 0, "silence_logs": logging.ERROR}


def _embedded(settings: Settings, lanes: Collection[Lane]) -> SpecCluster:
    """Workers on this machine: one a run, and two that answer questions meanwhile.

    They are spoken to under a key that was made for this cluster and is in its processes' memory alone: whoever has an
    account on this machine reaches the ports, and Dask runs what it is sent.
    """
    security = Security.temporary()
    here = {"host": "127.0.0.1", "protocol": "tls", "security": security}
    counts = {"train": settings.runs_at_once, "ask": 1, "study": 1}
    workers = {
        f"{lane}-{index}": {"cls": Nanny, "options": {**_worker(lane), **here}}
        for lane in lanes
        for index in range(counts[lane])
    }
    scheduler = {"cls": Scheduler, "options": {"dashboard_address": "127.0.0.1:0", "port": 0, **here}}
    with _interrupts_kept_from_children():
        return SpecCluster(workers=workers, scheduler=scheduler, security=security, silence_logs=logging.ERROR)


@contextmanager
def _interrupts_kept_from_children() -> Iterator[None]:
    """Threads that begin meanwhile, and the processes that these start ever after, do not hear Ctrl-C.

    A terminal sends it to all of them. A worker that is still importing would print a traceback and be started again;
    it is this process that answers, and ends its workers.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # the first call of it lets interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
