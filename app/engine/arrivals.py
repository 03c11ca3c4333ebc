"""What comes from elsewhere: a zip of images, a file of weights, the weights of a big net. A worker reads each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.base import logs
from app.base.settings import Settings
from app.engine import worker
from app.engine.cluster import Cluster, Lane
from app.engine.policy import limits
from app.engine.policy.limits import Refusals
from app.engine.policy.ownership import Ownership
from app.engine.policy.visitor import MACHINE, Visitor
from app.engine.weight_downloads import Fetcher
from app.store.run import Run
from app.store.store import Store
from app.values.datasets import DataSet
from app.values.events import from_json
from app.values.run_spec import RunSpec

READ_SECONDS = 300  # a worker that has not read a file, or some of a zip, by then has hung

log = logs.events(__name__)


class Arrivals:
    """The door for files. Everything public may be called from any thread. `big_nets`: torchvision's, fetched here.

    What is read takes seconds to minutes, so a worker for studies reads it: quick questions never wait for a file.
    """

    def __init__(
        self, settings: Settings, store: Store, cluster: Cluster, refusals: Refusals, ownership: Ownership
    ) -> None:
        self._settings, self._store, self._cluster, self._refusals = settings, store, cluster, refusals
        self._ownership = ownership
        self.big_nets = Fetcher(settings, self._take_big_net, self._weights_url, ownership.looks_after)

    def take_images(self, archive: Path, title: str, by: Visitor) -> DataSet:
        """Read a zip of class folders into the store, a part at a time. Raises ValueError with what is wrong with it.

        `archive` has its folder for itself: what was read of it waits there for the rest.
        """
        with self._refusals.counted():
            limits.check_disk(archive.stat().st_size, self._settings, self._store)
        try:
            read = None
            while read is None or not read.over:  # between two parts it is the turn of whoever else asks this worker
                read = self._work("study", worker.read_images, archive, self._settings, read)
            data = DataSet.model_validate(self._work("study", worker.keep_images, archive, self._settings, title))
        except (ValueError, TimeoutError) as error:
            log.info("upload refused", why=type(error).__name__)  # its words may quote what was uploaded
            raise
        self._store.owners.own_upload(data.name, by.owner)
        log.info("uploaded", data=data.name, images=data.train_images + data.test_images)
        return data

    def take_weights(self, file: Path, spec: RunSpec, by: Visitor, name: str = "", most: int = 0) -> Run:
        """Weights of another project → a finished run. Raises ValueError with what is wrong with them.

        `most`: bytes that are taken; 0: as many as may be uploaded.
        """
        with self._refusals.counted():
            self._ownership.check_data(spec.data, by)
            limits.check_arrival(spec, file.stat().st_size, self._settings, self._store)
        run = self._store.runs.new_id(spec)
        folder = self._store.weights.folder(run)
        most = most or self._settings.upload_mb * 1_000_000
        events = from_json(self._work("study", worker.take_weights, file, spec, folder, self._settings, most))
        taken = self._store.enter_import(run, name, spec, events, by.owner)
        log.info("imported", run=run)
        return taken

    def _take_big_net(self, file: Path, spec: RunSpec, name: str, most: int) -> Run:
        return self.take_weights(file, spec, MACHINE, name, most)  # for all who use this server

    def _weights_url(self, model: str) -> str:
        return str(self._work("ask", worker.weights_url, model))

    def _work(self, lane: Lane, work: Callable[..., Any], *given: Any) -> Any:
        task = self._cluster.submit(lane, work, *given)
        try:
            return task.result(timeout=READ_SECONDS)
        except TimeoutError:
            task.cancel()  # the file is about to go
            raise
