"""What is used of Streamlit beside what it promises, each with a test of its own: an upgrade fails there.

Two doors have no function here. `app/ui/widgets/web/src/page/history.ts` takes the place of the `history.pushState`
that Streamlit's page calls, and `app/server/sockets.py` finds the socket that its server listens on.
"""

from types import ModuleType

STREAM = "/_stcore/stream"  # each open page holds one WebSocket there


def in_fragment() -> bool:
    """True while a part of the page is drawn anew: by its clock, or by a click in it."""
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)


def component_scanner() -> tuple[ModuleType, str]:
    """The function, by its module and name, that reads the metadata of all packages whenever a runtime starts."""
    from streamlit.components.v2 import manifest_scanner

    return manifest_scanner, "scan_component_manifests"
