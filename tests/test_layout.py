"""The map of the rooms as a table, and a walk over the source that checks it.

A row says what a room may import at the top of its files and, after the bar, what inside a function only: there the
import happens in a worker process, or when a command needs it. What a row names stands below it, so that imports run
one way. The standard library is free to all but for sqlite3; `tests` and `benchmarks` may import everything.
"""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.support.source import ROOT, SOURCE, at_the_top, imports, reached

MODELS = "models models.nets models.paper"
UI = "app.ui.live app.ui.runs app.ui.page app.ui.widgets"

MAP = f"""
app.__main__    app.cli
app.api         app.training app.data app.store app.values app.base models models.nets
app.main        streamlit starlette app.server app.ui.widgets app.base | app.engine
app.shell       app.ui.page
pages           streamlit app.studies {UI} app.engine app.figures app.store app.values app.base models models.paper
app.studies     streamlit typer rich pydantic numpy torch captum app.cli {UI} app.engine app.figures app.analysis app.training app.data app.store app.values app.base {MODELS}
app.server      starlette streamlit psutil prometheus_client {UI} app.engine app.figures app.store app.base
app.cli         typer rich numpy pydantic app.store app.values app.base models | torch app.engine app.export app.analysis app.training app.data
app.ui.live     streamlit app.ui.runs app.ui.page app.ui.widgets app.engine app.figures app.store app.values app.base
app.ui.runs     streamlit numpy app.ui.page app.ui.widgets app.engine app.figures app.store app.values app.base models models.paper
app.ui.page     streamlit app.ui.widgets app.engine app.store app.values app.base models
app.ui.widgets  streamlit plotly numpy app.figures app.data app.values app.base models models.paper
app.engine      dask distributed filelock app.store app.values app.base models | torch torchvision app.export app.analysis app.training app.data
app.export      pyarrow app.store app.values models.paper
app.figures     numpy PIL app.values models
app.analysis    torch numpy app.training app.data app.store app.values app.base models.nets
app.training    torch numpy safetensors filelock app.moved app.data app.store app.values app.base models models.nets
app.data        torch numpy safetensors PIL filelock app.moved app.values app.base models.nets | torchvision
app.store       sqlite3 numpy pydantic filelock app.moved app.values app.base
app.values      numpy pydantic app.base models
app.base        pydantic markdown_it prometheus_client | streamlit
models.nets     torch models
models.paper    models
models          pydantic
app.moved
assets          numpy
docs            tests.support.source
"""  # noqa: E501

# A study that stands on others names their questions, figures and measurements; the rest stand alone.
STANDS_ON = {
    "attributions": "features",
    "cuts": "features",
    "identity": "cuts",
    "lesions": "cuts features",
    "reproduction": "gradients lesions paths shattered signal",
    "shattered": "gradients",
    "signal": "gradients",
    "subnetworks": "paths",
    "truth_test": "gradients",
}

# Who may load torch. Of a study: its measurement.py and what that imports, but never what a page or a command reads.
WITH_TORCH = ("app.api", "app.analysis", "app.training", "app.data.images", "models.nets")
TORCH = {"torch", "torchvision", "captum"}
WITHOUT_TORCH = ("questions", "section", "words", "figures", "command")

# These draw a page or run a command when they are imported.
SCRIPTS = ("app.shell", "app.__main__", "pages", "assets")

# Packages that were modules, or hold some: scripts that were exported long ago find their old names there.
DOORS = ("app", "app.data", "app.store", "app.training")


def table() -> dict[str, tuple[set[str], set[str]]]:
    """Room: what it may import at the top, and what inside a function."""
    rows = (line.partition("|") for line in MAP.strip().splitlines())
    return {top.split()[0]: (set(top.split()[1:]), set(inside.split())) for top, _, inside in rows}


ROOMS = table()


def room(module: str) -> str | None:
    """The row that a module belongs to: the longest name that it starts with."""
    rows = [name for name in ROOMS if module == name or module.startswith(f"{name}.")]
    return max(rows, key=len, default=None)


def study(module: str) -> str:
    """The study that a module is part of; empty for none."""
    parts = module.split(".")
    return parts[2] if module.startswith("app.studies.") else ""


def may_load_torch(module: str) -> bool:
    """True for the rooms of the workers, and in a study for its measurement.py and the files under it."""
    if module.startswith(WITH_TORCH):
        return True
    measuring = {
        name for one in SOURCE if study(one) and one.endswith(".measurement") for name in reached(one) if study(name)
    }
    return module in measuring and module.rpartition(".")[2] not in WITHOUT_TORCH


# ---- rooms ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", SOURCE)
def test_every_module_has_its_place_on_the_map(module: str) -> None:
    assert room(module) or SOURCE[module].name == "__init__.py"


@pytest.mark.parametrize("name", ROOMS)
def test_every_place_on_the_map_exists(name: str) -> None:
    assert [module for module in SOURCE if room(module) == name]


@pytest.mark.parametrize("module", [module for module in SOURCE if room(module)])
def test_a_module_imports_only_what_its_row_allows(module: str) -> None:
    own = room(module)
    assert own is not None
    at_top, in_functions = ROOMS[own]
    forbidden = [
        f"{name} (inside a function)" if inside else name
        for name, inside in imports(module)
        if (room(name) or name) not in (at_top | in_functions if inside else at_top) | {own}
    ]
    assert not forbidden, f"{module} may not import {', '.join(forbidden)}"


def test_the_map_runs_one_way() -> None:
    order = list(ROOMS)
    upwards = [
        (name, other)
        for name, allowed in ROOMS.items()
        for other in set.union(*allowed)
        if other in order and order.index(other) <= order.index(name)
    ]
    assert not upwards


def test_models_never_know_the_app() -> None:
    reaching = {name for module in SOURCE if module.startswith("models") for name, _ in imports(module)}
    assert not [name for name in reaching if name.startswith(("app", "pages"))]


def test_no_modules_import_one_another_in_a_circle() -> None:
    try:
        TopologicalSorter({module: at_the_top(module) for module in SOURCE}).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


# ---- studies -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted({study(module) for module in SOURCE if study(module)}))
def test_a_study_stands_only_on_those_that_the_table_says(name: str) -> None:
    used = {
        study(other) for module in SOURCE if study(module) == name for other, _ in imports(module) if study(other)
    } - {name}
    assert used == set(STANDS_ON.get(name, "").split())


def test_studies_stand_on_one_another_without_a_circle() -> None:
    TopologicalSorter({name: others.split() for name, others in STANDS_ON.items()}).prepare()


# ---- torch ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [module for module in SOURCE if not may_load_torch(module)])
def test_only_what_measures_and_trains_loads_torch(module: str) -> None:
    assert not reached(module) & TORCH, f"{module} loads torch, by itself or through what it imports"


def test_all_else_is_imported_in_the_server_process_without_torch() -> None:
    modules = [name for name in SOURCE if not name.startswith(SCRIPTS) and not reached(name) & TORCH]
    assert {"app.main", "app.engine.engine", "app.studies.lesions.section", "models.plan"} <= set(modules)
    script = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
        "    found = {module.partition('.')[0] for module in sys.modules} & {'torch', 'torchvision'}\n"
        "    assert not found, f'{name} loads {found}'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *modules], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


# ---- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [name for name, path in SOURCE.items() if path.name == "__init__.py"])
def test_an_init_file_holds_its_room_s_sentence_alone(module: str) -> None:
    tree = ast.parse(SOURCE[module].read_text("utf-8"))
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1 or module in DOORS
