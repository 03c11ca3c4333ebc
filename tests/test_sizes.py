"""How long a file and a function may be, and how many files stand in a folder: what one can hold in mind."""

import ast
from collections import Counter
from pathlib import Path

from tests.support.source import ROOT, TOPS, TRACKED

LINES, FUNCTION_LINES, FILES = 300, 50, 12  # at most: of a file, of a function, in a folder
DATA = ("benchmarks/results", "app/ui/widgets/web/built")  # grows by a file a day and machine; written by a program


def of_source(*suffixes: str) -> list[Path]:
    return [path for path in TRACKED if path.parts[0] in TOPS and path.suffix in suffixes]


def test_no_file_is_longer_than_can_be_held_in_mind() -> None:
    lengths = {
        str(path): len((ROOT / path).read_text("utf-8").splitlines())
        for path in of_source(".py", ".ts", ".tsx", ".js", ".css")
    }
    assert {path: lines for path, lines in lengths.items() if lines > LINES} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {
        f"{path}: {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path in of_source(".py")
        for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES} == {}


def test_no_folder_holds_more_files_than_a_glance_takes_in() -> None:
    folders = Counter(str(path.parent) for path in TRACKED if path.parts[0] in TOPS)
    assert {name: files for name, files in folders.items() if files > FILES and name not in DATA} == {}
