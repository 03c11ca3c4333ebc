"""Components of the browser: HTML, a style sheet and a module that `web/` builds from TypeScript.

Streamlit sends a component's code anew with every message: with 40 sessions at 1 Hz, four fifths of all bytes. So the
code stands behind an address of this server, named by its content, and a message carries one `import` of it.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import plotly
import streamlit as st

_BUILT = Path(__file__).parent / "web" / "built"
PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
PLOTLY_NAME = f"plotly-{plotly.__version__}.min.js"


@cache
def built(name: str) -> str:
    """The text of a file under `web/built/`, read once."""
    return (_BUILT / name).read_text(encoding="utf-8")


# Each component's module, and `shared`, which all of them import: by name, the file.
_MANIFEST: dict[str, str] = json.loads(built("manifest.json"))

# What app/main.py serves under /vendor/, by file name.
MODULES = {name: built(name).encode() for name in _MANIFEST.values()}


def component(name: str, *, html: str, **options: Any) -> Any:
    """The component that the manifest has under this name. `options` are Streamlit's."""
    js = built("import.js").replace("MODULE", _MANIFEST[name])
    return st.components.v2.component(name, html=html, css=built(f"{name}.css"), js=js, **options)
