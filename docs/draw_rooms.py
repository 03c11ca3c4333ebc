"""`python -m docs.draw_rooms`: the rooms and what they import, from the source itself → docs/architecture.svg.

A room stands above all that it imports. An arrow that others imply is left out: who may import `app.engine` may import
what the engine imports. Dashed: imported inside functions alone, that is in a worker process. The same source gives the
same picture, byte for byte; tests/test_docs.py draws it again and compares.
"""

import ast
import itertools
import textwrap
from collections import defaultdict
from html import escape
from pathlib import Path

from docs.layers import GAP_BETWEEN_FLOORS, drawn
from tests.support.source import ROOT, SOURCE, imports, reached

PICTURE = ROOT / "docs" / "architecture.svg"
DOORS = ("app.main", "pages", "app.shell", "app.__main__")  # where a process begins
APART = ("app.moved",)  # old names, for scripts of old: nothing stands on it
LISTED = {"pages": "pages/*.py", "app.studies": "app/studies/*/__init__.py"}  # rooms that say what is in them
WIDE = {"app.studies": 400, "pages": 236}
USUAL_WIDTH, LETTERS, LINES = 182, 26, 2  # pixels of a box; of its sentence
ENOUGH = 3  # words before a colon that say it by themselves
MARGIN, LEGEND = 14, 46
TORCH = {"torch", "torchvision", "captum"}

STYLE = """
  .box { stroke-width: 1.4; }
  .name { font: 600 14.5px ui-monospace, SFMono-Regular, Menlo, monospace; fill: #1f2328; }
  .said { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #57606a; }
  .arrow { fill: none; stroke: #8c959f; stroke-width: 1.5; }
  .inside { stroke-dasharray: 5 4; }
  .head { fill: #8c959f; }
  .server { fill: #ddf4ff; stroke: #54aeff; }
  .worker { fill: #fff1e5; stroke: #fb8f44; }
  .partly { fill: url(#both); stroke: #fb8f44; }
  .blue { stop-color: #ddf4ff; } .orange { stop-color: #fff1e5; }
  @media (prefers-color-scheme: dark) {
    .name { fill: #f0f6fc; } .said { fill: #a9b4bf; }
    .arrow { stroke: #768390; } .head { fill: #768390; }
    .server { fill: #0c2d4a; stroke: #316dca; }
    .worker { fill: #3d2410; stroke: #bd561d; }
    .partly { stroke: #bd561d; }
    .blue { stop-color: #0c2d4a; } .orange { stop-color: #3d2410; }
  }
"""


def room(module: str) -> str:
    """The room of a module: a file or a folder of app/, of app/ui/, of models/; all pages are one."""
    parts = module.split(".")
    if parts[0] == "pages":
        return "pages"
    deep = 3 if parts[:2] == ["app", "ui"] else 2
    folder = SOURCE.get(".".join(parts[:deep]), Path("pages.py")).name == "__init__.py"
    return ".".join(parts[:deep]) if folder or parts[0] == "app" else parts[0]


def rooms() -> dict[str, list[str]]:
    """Every room with its modules; folders that hold nothing but rooms are none."""
    found: dict[str, list[str]] = defaultdict(list)
    for module, path in SOURCE.items():
        if (
            module.startswith(("app.", "models", "pages."))
            and not module.startswith(APART)
            and (path.name != "__init__.py" or "." in module)
        ):
            found[room(module)].append(module)
    return {name: modules for name, modules in found.items() if modules != [name] or SOURCE[name].name != "__init__.py"}


def arrows(of: dict[str, list[str]]) -> dict[tuple[str, str], bool]:
    """(from, to): whether it is inside functions alone. Without those that others imply."""
    all_of_them: dict[tuple[str, str], bool] = {}
    for name, modules in of.items():
        for module in modules:
            for other, inside in imports(module):
                if (to := room(other)) in of and to != name:
                    all_of_them[name, to] = all_of_them.get((name, to), True) and inside

    def leads(start: str, end: str, but: tuple[str, str]) -> bool:
        return any(
            edge[0] == start and edge != but and (edge[1] == end or leads(edge[1], end, but)) for edge in all_of_them
        )

    return {edge: inside for edge, inside in sorted(all_of_them.items()) if not leads(*edge, edge)}


def floors(of: dict[str, list[str]], edges: dict[tuple[str, str], bool]) -> list[list[str]]:
    """From the roof to the ground: a room stands on the highest of those that it imports, the doors on the roof."""
    height: dict[str, int] = {}

    def stands(name: str) -> int:
        if name not in height:
            height[name] = 1 + max((stands(to) for start, to in edges if start == name), default=-1)
        return height[name]

    roof = max(stands(name) for name in of)
    levels = {name: roof if name in DOORS else stands(name) for name in of}
    return [sorted(name for name in of if levels[name] == level) for level in range(roof, -1, -1)]


def sentence(name: str) -> list[str]:
    """What a room is for, as its own docstring says it, or what is in it."""
    if pattern := LISTED.get(name):
        files = sorted(ROOT.glob(pattern))
        said = "\N{NO-BREAK SPACE}· ".join(path.parent.name if "*/" in pattern else path.stem for path in files)
    else:
        docstring = ast.get_docstring(ast.parse(SOURCE[name].read_text("utf-8"))) or ""
        said = docstring.split("\n")[0].replace("`", "").removesuffix(".").partition(". ")[0]
        head = said.partition(": ")[0]
        said = head if len(head.split()) >= ENOUGH else said
    letters = LETTERS * WIDE.get(name, USUAL_WIDTH) // USUAL_WIDTH
    return textwrap.wrap(said, letters, max_lines=LINES + (name in LISTED), placeholder=" …", break_long_words=False)


def kind(modules: list[str]) -> str:
    """Whether torch is loaded there: by most of its files, by some, by none."""
    loading = [bool(reached(module) & TORCH) for module in modules]
    return "server" if not any(loading) else "worker" if 2 * sum(loading) > len(loading) else "partly"


def box(name: str, place: tuple[float, float, float, float], colour: str) -> str:
    """A room, as SVG: x and y of its middle, width and height."""
    x, y, width, height = place
    lines = sentence(name)
    top = y - (18 + 16 * len(lines)) / 2 + 14
    said = "".join(
        f'<text class="said" x="{x:.0f}" y="{top + 18 + 16 * nth:.0f}" text-anchor="middle">{escape(line)}</text>'
        for nth, line in enumerate(lines)
    )
    return (
        f'<rect class="box {colour}" x="{x - width / 2:.0f}" y="{y - height / 2:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" rx="8"/><text class="name" x="{x:.0f}" y="{top:.0f}" text-anchor="middle">'
        f"{escape(name.replace('.', '/'))}</text>{said}"
    )


def arrow(points: list[tuple[float, float]], inside: bool) -> str:
    """A smooth line through the points, downwards, with a head."""
    path = f"M{points[0][0]:.0f} {points[0][1]:.0f}"
    for (x, y), (to_x, to_y) in itertools.pairwise(points):
        middle = (y + to_y) / 2
        path += f" C{x:.0f} {middle:.0f} {to_x:.0f} {middle:.0f} {to_x:.0f} {to_y:.0f}"
    return f'<path class="arrow{" inside" * inside}" d="{path}" marker-end="url(#head)"/>'


def legend(width: float, y: float) -> str:
    """What the colours and the lines mean."""
    entries = (("server", "without torch: the server"), ("partly", "some files with torch"), ("worker", "with torch"))
    x, parts = MARGIN, []
    for colour, words in entries:
        parts.append(f'<rect class="box {colour}" x="{x}" y="{y - 11:.0f}" width="22" height="14" rx="4"/>')
        parts.append(f'<text class="said" x="{x + 30}" y="{y:.0f}">{words}</text>')
        x += 52 + 7 * len(words)
    parts.append(f'<path class="arrow inside" d="M{x} {y - 4:.0f} h34" marker-end="url(#head)"/>')
    parts.append(f'<text class="said" x="{x + 46}" y="{y:.0f}">imported in a worker only</text>')
    return "".join(parts)


def picture() -> str:
    """The whole of it."""
    of = rooms()
    edges = arrows(of)
    sizes = {name: (float(WIDE.get(name, USUAL_WIDTH)), 34.0 + 16 * len(sentence(name))) for name in of}
    laid = drawn(floors(of, edges), list(edges), sizes)
    width, height = laid.width + 2 * MARGIN, laid.height + 2 * MARGIN + LEGEND
    lines = [arrow(points, edges[edge]) for edge, points in laid.lines.items()]
    boxes = [box(name, laid.boxes[name], kind(of[name])) for name in sorted(of)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
            f'height="{height:.0f}" role="img">',
            "<title>The rooms of ResNet Explorer, and what they import</title>",
            f"<style>{STYLE}</style>",
            '<defs><linearGradient id="both"><stop class="blue" offset="0.45"/><stop class="orange" offset="0.55"/>'
            '</linearGradient><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto"><path class="head" d="M0 0 8 4 0 8z"/></marker></defs>',
            f'<g transform="translate({MARGIN} {MARGIN})">',
            *lines,
            *boxes,
            "</g>",
            legend(width, height - GAP_BETWEEN_FLOORS / 3),
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(), "utf-8")
