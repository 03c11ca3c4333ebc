"""Components of the browser: HTML, a style sheet and a module of JavaScript.

Streamlit sends a component's code anew with every message: with 40 sessions at 1 Hz, four fifths of all bytes. So the
code stands behind an address of this server, named by its content, and a message carries one `import` of it.
"""

import json
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import plotly
import streamlit as st

_BUILT = Path(__file__).parent / "web" / "built"
_FRONTEND = Path(__file__).parents[1] / "frontend"
PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
PLOTLY_NAME = f"plotly-{plotly.__version__}.min.js"

# Each module of the files that are joined into it.
_FILES = {
    "feed": ("feed.js",),
}


@cache
def frontend(name: str) -> str:
    """The text of a file under `frontend/`, read once."""
    return (_FRONTEND / name).read_text(encoding="utf-8")


@cache
def built(name: str) -> str:
    """The text of a file under `web/built/`, read once."""
    return (_BUILT / name).read_text(encoding="utf-8")


def _named(name: str, code: bytes) -> str:
    return f"{name}-{blake2b(code, digest_size=6).hexdigest()}.js"


def _module(files: tuple[str, ...]) -> bytes:
    text = "".join(map(frontend, files))
    return text.replace("plotly.min.js", PLOTLY_NAME).replace("./feed.js", f"./{_FEED}").encode()


_FEED = _named("feed", frontend("feed.js").encode())
_CODE = {name: _module(files) for name, files in _FILES.items()}
_MANIFEST: dict[str, str] = json.loads(built("manifest.json"))
_ADDRESS = {name: _named(name, code) for name, code in _CODE.items()} | _MANIFEST

# What app/main.py serves under /vendor/, by file name.
MODULES = {_ADDRESS[name]: code for name, code in _CODE.items()} | {
    name: built(name).encode() for name in _MANIFEST.values()
}


def component(name: str, *, html: str, **options: Any) -> Any:
    """The component that `frontend/` has under this name. `options` are Streamlit's."""
    js = built("import.js").replace("MODULE", _ADDRESS[name])
    css = frontend(f"{name}.css") if name in _CODE else built(f"{name}.css")
    return st.components.v2.component(name, html=html, css=css, js=js, **options)
