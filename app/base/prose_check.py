"""Before the server starts: is every passage that the program asks of assets/prose there?

The program is read, not run: `prose("train")["lead"]`, `page = prose("train")` with `page["lead"]` after it, and
`page[f"words-{kind}"]`, for which one passage of that form has to be there.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from app.base.prose import prose
from app.base.settings import ROOT

ASKING = ("app/ui", "app/studies", "app/values", "app/engine", "app/store", "pages")  # what shows passages


def missing_passages(root: Path = ROOT) -> list[str]:
    """Each passage that is asked for and absent, as `train.md: lead`. A file that is absent is named alone."""
    missing = set[str]()
    for folder in ASKING:
        for file in sorted((root / folder).rglob("*.py")):
            for page, heading in asked_in(ast.parse(file.read_text("utf-8"))):
                try:
                    there = prose(page)
                except OSError:
                    missing.add(f"{page}.md")
                    continue
                if not any(re.fullmatch(heading, title) for title in there):
                    missing.add(f"{page}.md: {_plain(heading)}")
    return sorted(missing)


def asked_in(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(page, heading as a regular expression) of every passage that a file asks for, as far as it can be read off."""
    module = {name: page for node in tree.body for name, page in _named(node)}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for nodes in ([*_outside(tree)], *([*ast.walk(function)] for function in functions)):
        known = module | {name: page for node in nodes for name, page in _named(node)}
        for node in nodes:
            if isinstance(node, ast.Subscript):
                page = _page(node.value) or (known.get(node.value.id) if isinstance(node.value, ast.Name) else None)
                heading = _pattern(node.slice)
                if page and heading:
                    yield page, heading


def _outside(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in no function."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef):
            yield child
            yield from _outside(child)


def _named(node: ast.AST) -> Iterator[tuple[str, str]]:
    """`page = prose("train")`, alone or among others."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            pairs = (
                zip(target.elts, node.value.elts, strict=False)
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
                else [(target, node.value)]
            )
            for name, value in pairs:
                if isinstance(name, ast.Name) and (page := _page(value)):
                    yield name.id, page


def _page(node: ast.AST) -> str | None:
    match node:
        case ast.Call(func=ast.Name(id="prose"), args=[ast.Constant(value=str(page))]):
            return page
    return None


def _pattern(node: ast.AST) -> str | None:
    """The heading; what a variable stands for may be anything."""
    match node:
        case ast.Constant(value=str(heading)):
            return re.escape(heading)
        case ast.JoinedStr(values=parts):
            return "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in parts)
        case ast.IfExp(body=ast.Constant(value=str(first)), orelse=ast.Constant(value=str(second))):
            return f"{re.escape(first)}|{re.escape(second)}"
    return None


def _plain(pattern: str) -> str:
    return re.sub(r"\\(.)", r"\1", pattern).replace(".+", "…")
