"""What scripts and notebooks outside the program may rely on: these names stay, wherever what they name is moved to.

spec = RunSpec.model_validate_json(text)
for event in train(spec, load_for(spec, load_settings())): …
"""

from app.base.settings import Settings
from app.base.settings import load as load_settings
from app.data.images import Images, load, load_for
from app.store.store import Store, open_store
from app.training.checkpoint_import import receive
from app.training.evaluation import evaluate
from app.training.loop import train
from app.values.events import StepMeasured, from_json
from app.values.run_spec import Recipe, RunSpec
from models.nets.net import Net, build
from models.spec import NetSpec

__all__ = [
    "Images",
    "Net",
    "NetSpec",
    "Recipe",
    "RunSpec",
    "Settings",
    "StepMeasured",
    "Store",
    "build",
    "evaluate",
    "from_json",
    "load",
    "load_for",
    "load_settings",
    "open_store",
    "receive",
    "train",
]
