"""The map of the rooms as a table, and a walk over the source that checks it.

A row says what a room may import at the top of its files and, after the bar, what inside a function only: there the
import happens in a worker process, or when a command needs it. What a row names stands below it, so that imports run
one way. The standard library is free to all but for sqlite3; `tests` and `benchmarks` may import everything.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

NAMES = "models.spec models.plan models.families models.names"
CURRENCIES = f"app.spec app.cuts app.events app.results app.settings app.datasets {NAMES}"
PAPER = "models.costs models.equation models.lengths models.receptive"

MAP = """
app.__main__     app.cli
app.cli          typer rich CURRENCIES app.cli_train app.cli_analysis app.cli_cluster app.cli_parts app.cli_pictures | app.evaluation app.foreign app.export app.recording app.references
app.cli_train    typer rich app.store app.runs CURRENCIES app.cli_parts app.logs | app.jobs
app.cli_cluster  typer app.cli_parts | app.cluster
app.cli_pictures typer app.cli_analysis app.cli_parts CURRENCIES | torch app.analysis.attributions app.analysis.features app.figures app.pictures
app.cli_analysis typer rich numpy app.cli_parts models.lengths CURRENCIES | app.analysis.gradients app.analysis.lesions app.analysis.moment app.analysis.paths app.analysis.sampled app.data
app.cli_parts    typer rich app.store CURRENCIES | app.references
app.main         streamlit starlette app.memory app.sockets app.ui app.guard app.settings app.logs | app.jobs app.metrics
app.shell        streamlit app.ui
pages            streamlit app.ui app.questions app.figures app.jobs app.store app.runs app.races CURRENCIES PAPER app.limits
app.ui           streamlit starlette markdown_it numpy plotly models.code app.questions app.asking app.export app.figures app.jobs app.store app.history app.runs app.races CURRENCIES PAPER app.verdicts PIL app.pictures app.pretrained app.arrivals app.limits app.guard
app.figures      plotly numpy CURRENCIES PAPER app.verdicts PIL
app.metrics      app.guard app.jobs app.runs
app.guard        starlette app.logs
app.jobs         distributed app.arrivals app.asking app.queue app.cluster app.worker app.references app.store app.runs CURRENCIES app.pretrained app.estimates app.limits app.housekeeping app.logs
app.housekeeping app.asking app.queue app.store CURRENCIES app.logs
app.queue         distributed app.cluster app.worker app.database app.store app.runs CURRENCIES app.fairness app.limits app.logs
app.limits       app.cluster app.checkpoints app.estimates app.store CURRENCIES
app.estimates    app.store app.runs CURRENCIES
app.fairness
app.asking       distributed app.cluster app.worker app.questions app.database app.store CURRENCIES app.logs
app.cluster      dask distributed app.logs app.database app.settings
app.export       pyarrow models.code app.checkpoints app.store app.runs CURRENCIES
app.worker       distributed app.memory app.questions CURRENCIES app.logs | torch torchvision app.analysis.answers app.training app.data app.foreign app.uploads app.archives
app.recording    torch numpy app.training app.evaluation app.data app.references app.checkpoints models.nets CURRENCIES
app.races        CURRENCIES
app.pretrained   app.arrivals CURRENCIES
app.arrivals
app.references   app.store CURRENCIES
app.store        sqlite3 numpy pydantic app.database app.history app.runs app.checkpoints CURRENCIES
app.database     sqlite3 app.schema app.logs
app.runs         sqlite3 pydantic CURRENCIES app.cuts
app.foreign      torch safetensors models.foreign models.nets app.evaluation app.checkpoints CURRENCIES
app.analysis.answers torch app.analysis.lesions app.analysis.moment app.analysis.paths app.analysis.progress app.analysis.sampled app.analysis.subnets app.data app.questions models.nets CURRENCIES app.analysis.gradients app.analysis.identity app.analysis.shattered app.analysis.signal app.analysis.vanishing app.pictures app.analysis.attributions app.analysis.features app.analysis.maximise
app.analysis.attributions torch captum numpy app.questions app.analysis.progress app.data app.probes models.nets CURRENCIES
app.analysis.maximise torch app.analysis.features app.analysis.progress app.data app.probes models.blocks models.nets CURRENCIES
app.analysis.features torch numpy app.analysis.cut app.analysis.progress app.evaluation app.data app.probes models.blocks models.nets models.receptive CURRENCIES
app.analysis.vanishing numpy app.analysis.gradients app.analysis.progress app.verdicts app.training app.evaluation app.data app.checkpoints models.nets CURRENCIES
app.analysis.shattered torch numpy app.analysis.moment app.analysis.gradients app.analysis.progress app.data app.probes models.nets CURRENCIES
app.analysis.identity torch numpy app.analysis.progress app.training app.evaluation app.history app.checkpoints app.data app.probes models.nets CURRENCIES
app.analysis.signal torch numpy app.probes models.nets models.blocks CURRENCIES
app.analysis.gradients torch numpy app.data app.probes models.nets CURRENCIES
app.analysis.lesions torch numpy app.analysis.progress app.analysis.cut app.analysis.draws app.evaluation app.data models.nets CURRENCIES
app.analysis.draws CURRENCIES
app.analysis.moment torch app.evaluation app.data app.checkpoints models.nets CURRENCIES
app.analysis.sampled torch numpy app.analysis.linear app.analysis.paths app.analysis.bands app.analysis.progress models.nets models.lengths CURRENCIES
app.analysis.paths torch numpy app.analysis.linear app.analysis.progress models.nets models.lengths CURRENCIES
app.analysis.subnets torch numpy app.analysis.cut app.analysis.bands app.analysis.progress models.blocks models.nets CURRENCIES
app.analysis.linear torch models.nets models.blocks
app.analysis.bands numpy
app.analysis.progress
app.training     torch app.ahead app.steps app.evaluation app.precision app.memory app.data CURRENCIES
app.ahead        torch app.steps app.probes app.data app.logs CURRENCIES
app.steps        torch safetensors app.evaluation app.analysis.cut app.data app.probes app.checkpoints models.nets CURRENCIES
app.evaluation   torch safetensors app.analysis.cut app.data app.checkpoints models.nets CURRENCIES
app.precision    torch models.nets models.spec
app.analysis.cut torch models.blocks models.nets app.cuts
app.probes       torch models.nets
app.data         torch numpy models.nets CURRENCIES | torch torchvision
app.history      sqlite3 numpy CURRENCIES
app.uploads      numpy safetensors app.archives CURRENCIES app.pictures
app.archives     app.datasets
app.pictures     numpy PIL
app.checkpoints
app.verdicts     numpy CURRENCIES
app.questions    pydantic app.cuts models.spec
app.events       pydantic app.cuts
app.cuts         pydantic models.plan models.spec
app.memory
app.sockets      psutil
app.spec         pydantic app.datasets models.spec
app.results      numpy
app.logs         app.settings
app.settings     pydantic
app.schema       sqlite3
app.datasets     pydantic
models.foreign   torch models.nets models.plan models.spec
models.nets      torch models.blocks models.plan models.spec
models.blocks    torch models.plan models.spec
models.code      models.code_block models.equation models.plan models.spec models.families
models.code_block models.equation models.plan models.spec models.families
models.costs     models.plan models.spec models.families
models.equation  models.plan models.spec models.families
models.lengths   models.plan models.spec models.families
models.receptive models.plan models.spec
models.plan      models.spec models.families
models.spec      pydantic models.families models.names
models.names
models.families
assets           numpy
"""  # noqa: E501

# The rooms that load torch, by themselves or through one another. The server process loads none of them.
WORKERS = (
    "app.analysis.answers app.analysis.moment app.recording app.evaluation app.foreign app.training app.ahead "
    "app.steps app.probes app.data app.precision models.foreign models.nets models.blocks app.analysis.lesions "
    "app.analysis.cut app.analysis.paths app.analysis.sampled app.analysis.subnets app.analysis.linear "
    "app.analysis.vanishing app.analysis.gradients app.analysis.shattered app.analysis.identity "
    "app.analysis.signal app.analysis.features app.analysis.attributions app.analysis.maximise"
).split()

# These draw a page or run a command when they are imported.
SCRIPTS = ("app.shell", "app.__main__", "pages", "assets")


def table() -> dict[str, tuple[set[str], set[str]]]:
    """Room: what it may import at the top, and what inside a function."""
    rows = (
        line.replace("CURRENCIES", CURRENCIES).replace("PAPER", PAPER).partition("|")
        for line in MAP.strip().splitlines()
    )
    return {top.split()[0]: (set(top.split()[1:]), set(inside.split())) for top, _, inside in rows}


ROOMS = table()


def source() -> dict[str, Path]:
    """Every Python file of the project but tests and benchmarks, by its module's name."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        paths = [Path(line) for line in listed.stdout.splitlines()]
    else:  # unpacked from an archive
        paths = [
            path.relative_to(ROOT)
            for room in ("app", "models", "pages", "assets")
            for path in (ROOT / room).rglob("*.py")
        ]
    return {
        ".".join(path.with_suffix("").parts).removesuffix(".__init__"): ROOT / path
        for path in sorted(paths)
        if path.parts[0] not in ("tests", "benchmarks") and (ROOT / path).is_file()
    }


SOURCE = source()


def room(module: str) -> str | None:
    """The row that a module belongs to: the longest name that it starts with."""
    rows = [name for name in ROOMS if module == name or module.startswith(f"{name}.")]
    return max(rows, key=len, default=None)


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """(what is imported, whether inside a function): our own by module, others by package; never the free ones."""

    def visit(node: ast.AST, inside: bool) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inside = True
        names: list[str] = []
        match node:
            case ast.Import(names=aliases):
                names = [alias.name for alias in aliases]
            case ast.ImportFrom(module=module, names=aliases, level=level):
                assert level == 0, f"{path}: a relative import"
                members = [f"{module}.{alias.name}" for alias in aliases]
                names = [member if member in SOURCE else str(module) for member in members]
            case ast.Call(
                func=ast.Name(id=called) | ast.Attribute(attr=called), args=[ast.Constant(value=str(name)), *_]
            ):
                names = [name] if called in ("import_module", "__import__") else []
        yield from ((plain, inside) for name in names if (plain := significant(name)))
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inside)

    yield from dict.fromkeys(visit(ast.parse(path.read_text("utf-8")), False))


def significant(name: str) -> str:
    """The name that the table uses for an import; empty for what is free to all."""
    package = name.partition(".")[0]
    if name in SOURCE:
        return "" if SOURCE[name].name == "__init__.py" else name
    if package in ("app", "models", "pages", "tests", "benchmarks"):
        return name
    if name.startswith("safetensors.torch") or package == "torchvision":
        return "torch" if package == "safetensors" else package
    return "" if package in sys.stdlib_module_names and package != "sqlite3" else package


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
        for name, inside in imports(SOURCE[module])
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
    reached = {name for module in SOURCE if module.startswith("models.") for name, _ in imports(SOURCE[module])}
    assert not [name for name in reached if name.startswith("app")]


def test_no_modules_import_one_another_in_a_circle() -> None:
    graph = {module: {name for name, inside in imports(path) if not inside} for module, path in SOURCE.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_only_workers_reach_torch_by_the_imports_at_the_top_of_files() -> None:
    graph = {module: {name for name, inside in imports(path) if not inside} for module, path in SOURCE.items()}

    def reached(module: str) -> set[str]:
        seen, ahead = set[str](), [module]
        while ahead:
            if (name := ahead.pop()) not in seen:
                seen.add(name)
                ahead.extend(graph.get(name, ()))
        return seen

    loaded = {room(module) for module in SOURCE if reached(module) & {"torch", "torchvision", "captum"}}
    assert loaded == set(WORKERS)


def test_the_server_process_imports_all_its_modules_without_torch() -> None:
    modules = [
        name
        for name in SOURCE
        if not name.startswith(SCRIPTS) and room(name) not in WORKERS and (room(name) or "") in ROOMS
    ]
    assert {"app.main", "app.jobs", "app.store", "models.plan"} <= set(modules)
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


@pytest.mark.parametrize(
    "path", [path for path in SOURCE.values() if path.name == "__init__.py"], ids=lambda path: path.parent.name
)
def test_an_init_file_holds_a_docstring_at_most(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert len(tree.body) == (ast.get_docstring(tree) is not None)
