"""Where scripts that were exported before 2026-11-26 find what they import: they run as before.

Exports of today import `app.api`. Nothing in the program itself imports an old name.
"""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any

# Old module: old name: where it is now. Of these, data, store and training are rooms today: they ask `old_names`.
MOVED = {
    "app.data": {"load_for": "app.data.images"},
    "app.events": {"StepMeasured": "app.values.events", "from_json": "app.values.events"},
    "app.foreign": {"receive": "app.training.checkpoint_import"},
    "app.settings": {"ASSETS": "app.base.settings", "load": "app.base.settings"},
    "app.spec": {"RunSpec": "app.values.run_spec"},
    "app.store": {"Store": "app.export.old_store"},
    "app.training": {"train": "app.training.loop"},
}


def old_names(module: str) -> Callable[[str], Any]:
    """The `__getattr__` of a module that has moved: finds its old names where they are now."""

    def find(name: str) -> Any:
        if name not in MOVED[module]:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return getattr(import_module(MOVED[module][name]), name)

    return find


class _Finder(MetaPathFinder, Loader):
    """Makes the modules that are no more, when a script asks for them."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname in MOVED else None

    def create_module(self, _spec: ModuleSpec) -> None:
        return None  # an empty one

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__getattr__"] = old_names(module.__name__)


def install() -> None:
    """Have old names found where nothing else is."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
