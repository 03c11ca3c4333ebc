"""What comes from elsewhere: a zip of images, a file of weights, the weights of a big net. A worker reads each."""

from pathlib import Path

from app.base import logs
from app.base.settings import Settings
from app.engine import worker
from app.engine.cluster import Cluster
from app.engine.policy import limits
from app.engine.policy.limits import Refusals
from app.engine.weight_downloads import Fetcher
from app.store.run import Run
from app.store.store import Store
from app.values.datasets import DataSet
from app.values.events import from_json
from app.values.run_spec import RunSpec

READ_SECONDS = 300  # a worker that has not read a file by then has hung

log = logs.events(__name__)


class Arrivals:
    """The door for files. Everything public may be called from any thread. `big_nets`: torchvision's, fetched here."""

    def __init__(self, settings: Settings, store: Store, cluster: Cluster, refusals: Refusals) -> None:
        self._settings, self._store, self._cluster, self._refusals = settings, store, cluster, refusals
        self.big_nets = Fetcher(settings, self.take_weights, self._weights_url)

    def take_images(self, archive: Path, title: str, owner: str = "") -> DataSet:
        """Read a zip of class folders into the store. Raises ValueError with what is wrong with it."""
        with self._refusals.counted():
            limits.check_disk(archive.stat().st_size, self._settings, self._store)
        task = self._cluster.submit("ask", worker.take_upload, archive, self._settings, title)
        try:
            data = DataSet.model_validate(task.result(timeout=READ_SECONDS))
        except (ValueError, TimeoutError) as error:
            log.info("upload refused", why=type(error).__name__)  # its words may quote what was uploaded
            raise
        self._store.owners.own_upload(data.name, owner)
        log.info("uploaded", data=data.name, images=data.train_images + data.test_images)
        return data

    def take_weights(self, file: Path, spec: RunSpec, name: str = "", most: int = 0, owner: str = "") -> Run:
        """Weights of another project → a finished run. Raises ValueError with what is wrong with them.

        `most`: bytes that are taken; 0: as many as may be uploaded.
        """
        with self._refusals.counted():
            limits.check_arrival(spec, file.stat().st_size, self._settings, self._store)
        run = self._store.runs.new_id(spec)
        folder = self._store.weights.folder(run)
        most = most or self._settings.upload_mb * 1_000_000
        task = self._cluster.submit("ask", worker.take_weights, file, spec, folder, self._settings, most)
        events = from_json(task.result(timeout=READ_SECONDS))
        taken = self._store.enter_import(run, name, spec, events, owner)
        log.info("imported", run=run)
        return taken

    def _weights_url(self, model: str) -> str:
        return str(self._cluster.submit("ask", worker.weights_url, model).result(timeout=60))
