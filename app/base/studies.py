"""The studies by name: a study is a folder in app/studies, and adds itself to the program by files of fixed names.

`questions.py`: what is asked and what comes back, without torch. `measurement.py`: what answers, with torch.
`section.py`: its part of a page. `command.py`: its verbs on the command line. None of them need be there.
"""

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from app.base.settings import ROOT

STUDIES = ROOT / "app" / "studies"


def modules(name: str) -> Iterator[ModuleType]:
    """The file of this name of every study that has one, imported; in alphabetical order of the studies."""
    for file in sorted(STUDIES.glob(f"*/{name}.py")):
        yield import_module(f"app.studies.{file.parent.name}.{name}")
