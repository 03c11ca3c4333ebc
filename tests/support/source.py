"""The project's own source as a walk over it finds it: its files, its modules, and what each of them imports."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOPS = ("app", "models", "pages", "benchmarks", "tests", "docs")  # folders of source


def tracked() -> list[Path]:
    """Every file of the project that git knows or would take; where it was unpacked without git, all there are."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        paths = [Path(line) for line in listed.stdout.splitlines()]
    else:
        tops = (*TOPS, "assets")
        found = (path.relative_to(ROOT) for top in tops for path in (ROOT / top).rglob("*"))
        paths = [path for path in found if "__pycache__" not in path.parts and "node_modules" not in path.parts]
    return sorted(path for path in paths if (ROOT / path).is_file())


TRACKED = tracked()
SOURCE = {
    ".".join(path.with_suffix("").parts).removesuffix(".__init__"): ROOT / path
    for path in TRACKED
    if path.suffix == ".py" and path.parts[0] not in ("tests", "benchmarks")
}


@cache
def imports(module: str) -> tuple[tuple[str, bool], ...]:
    """(what is imported, whether inside a function): our own by module, others by package; never the free ones."""
    path = SOURCE[module]

    def visit(node: ast.AST, inside: bool) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inside = True
        names: list[str] = []
        match node:
            case ast.Import(names=aliases):
                names = [alias.name for alias in aliases]
            case ast.ImportFrom(module=source, names=aliases, level=level):
                assert level == 0, f"{path}: a relative import"
                members = [f"{source}.{alias.name}" for alias in aliases]
                names = [member if member in SOURCE else str(source) for member in members]
            case ast.Call(
                func=ast.Name(id=called) | ast.Attribute(attr=called), args=[ast.Constant(value=str(name)), *_]
            ):
                names = [name] if called in ("import_module", "__import__") else []
        yield from ((plain, inside) for name in names if (plain := significant(name)))
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inside)

    return tuple(dict.fromkeys(visit(ast.parse(path.read_text("utf-8")), False)))


def significant(name: str) -> str:
    """The name that the table uses for an import; empty for what is free to all."""
    package = name.partition(".")[0]
    if name in SOURCE or package in TOPS:
        return name
    if name.startswith("safetensors.torch"):
        return "torch"
    return "" if package in sys.stdlib_module_names and package != "sqlite3" else package


def at_the_top(module: str) -> set[str]:
    """What a module imports when it is imported itself."""
    return {name for name, inside in imports(module) if not inside}


@cache
def reached(module: str) -> frozenset[str]:
    """All that is loaded with a module, by the imports at the top of files."""
    seen, ahead = set[str](), [module]
    while ahead:
        if (name := ahead.pop()) not in seen:
            seen.add(name)
            ahead.extend(at_the_top(name) if name in SOURCE else ())
    return frozenset(seen)
