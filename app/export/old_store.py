"""The store as scripts that were exported before 2026-11-26 know it."""

from pathlib import Path

from app.store import store
from app.values.events import EpochEvaluated
from app.values.run_spec import RunSpec


class Store(store.Store):
    """Today's store, with the three verbs of then that such scripts call under their old names."""

    def new_id(self, spec: RunSpec) -> str:
        """`runs.new_id`."""
        return self.runs.new_id(spec)

    def weights_folder(self, run: str) -> Path:
        """`weights.folder`."""
        return self.weights.folder(run)

    def epochs(self, run: str) -> list[EpochEvaluated]:
        """`events.epochs`."""
        return self.events.epochs(run)
