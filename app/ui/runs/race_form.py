"""Setting up a race: contestants, data, recipe and seed. Every choice is in the address."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.base.prose import literal, prose
from app.engine import process
from app.figures.theme import short_names
from app.store.files.staging import arriving
from app.ui.page import address, visitor
from app.ui.runs.curve_words import NO_DIFFERENCE
from app.values import datasets
from app.values.datasets import BUNDLED, DATASETS, DataSet
from app.values.run_spec import RECIPES, SEEDS, RunSpec
from models.names import PRESETS
from models.spec import NetSpec, first_reason

# The deep pair first: it begins at once, and is what the first page asks about.
DEFAULT_NETS = ("plain-56", "preact-56", "plain-20", "preact-20")
PAIR = DEFAULT_NETS[:2]
MAX_CONTESTANTS = 4
SCALED = ("plain", "resnet", "preact", "highway", "stochastic", "se")  # families whose width the menu sets
_READ = "_upload_read"
WIDTHS = {8: "8 · small", 16: "16 · the paper's", 4: "4 · tiny", 32: "32"}
SEED_TITLES = {count: "1 seed" if count == 1 else f"{count} seeds" for count in SEEDS}
RECIPE_TITLES = {
    "quick": "quick · 4 epochs",
    "paper": "paper · 64,000 steps",
    "paper-warmup": "paper, warmed up",
}


def race_form() -> tuple[list[RunSpec], str]:
    """Draw the choices. Returns what is chosen, and one sentence on what is wrong with it ("" if nothing is)."""
    known = {**DATASETS, **visitor.data_sets()}
    with st.container(horizontal=True, vertical_alignment="bottom", key="race-form"):
        nets = st.multiselect(
            "Contestants",
            PRESETS,
            default=DEFAULT_NETS,
            key="net",
            bind="query-params",
            max_selections=MAX_CONTESTANTS,
            accept_new_options=True,
            help="Up to four. Any depth that the form allows can be typed, with settings: `resnet-26:shortcut=B`, "
            "`plain-20:norm=none`, `resnet-single-11`.",
            width=430,
        )
        width = _choice("Width", "width", WIDTHS, 140, help="Channels of the first stage")
        data = _choice("Data", "data", {name: dataset.title for name, dataset in known.items()}, 185)
        recipe = _choice("Recipe", "recipe", RECIPE_TITLES, 160)
        seed = st.number_input("Seed", 0, 9999, 0, key="seed", bind="query-params", width=76)
    specs: list[RunSpec] = []
    try:
        for text in nets:
            specs.append(_spec(str(text)[: address.LONGEST], width, known[data], recipe, int(seed)))
    except ValueError as error:
        return [], literal(f"{first_reason(error)}. The other choices are kept.")
    if not specs:
        return [], "Choose at least one net."
    if DATASETS.get(data, DATASETS[BUNDLED]).source == "torchvision" and not datasets.available(
        data, process.engine().settings.data
    ):
        megabytes = known[data].download_bytes / 1e6
        st.caption(f"{known[data].title} is downloaded once, when its first race starts: {megabytes:,.0f} MB.")
    return specs, ""


def with_own_seed(specs: Sequence[RunSpec]) -> list[RunSpec]:
    """Draw the choice of a seed that is this browser's own; the runs, with it or as they are."""
    own = st.toggle("own seed", key="own", bind="query-params", width="content")
    return [spec.model_copy(update={"seed": visitor.own_seed()}) for spec in specs] if own else list(specs)


def seeds_chosen() -> int:
    """Draw the choice of how many seeds each net is trained with, the form's own the first."""
    return int(_choice("Seeds", "seeds", SEED_TITLES, 100, help=prose("train")["seeds"]))


def _choice(label: str, name: str, titles: Mapping[Any, str], pixels: int, **options: Any) -> Any:
    """A menu whose value stands in the address as it is; `bind` would write and want the title instead."""
    key, default = f"choice-{name}", next(iter(titles))

    def chosen() -> None:
        value = st.session_state.get(key, default)  # whoever clears Streamlit's caches clears the session too
        address.write(**{name: None if value == default else value})

    value = getattr(address.read(), name)
    st.session_state[key] = value if value in titles else default
    return st.selectbox(
        label, list(titles), format_func=titles.__getitem__, key=key, on_change=chosen, width=pixels, **options
    )


def _spec(text: str, width: int, dataset: DataSet, recipe: str, seed: int) -> RunSpec:
    net = NetSpec.parse(text)
    if net.form == "cifar" and net.family in SCALED and "width=" not in text:
        net = NetSpec.model_validate({**net.model_dump(), "width": width})
    net = net.fitted(dataset.channels, dataset.classes)
    return RunSpec(net=net, data=dataset.name, recipe=RECIPES[recipe], seed=seed)


def own_images() -> None:
    """Upload a zip of class folders."""
    limit = process.engine().settings.upload_mb
    st.markdown(f"A zip with one folder of pictures for each class, up to {limit} MB. Pictures become 32×32.")
    given = st.file_uploader("Zip of class folders", type="zip", label_visibility="collapsed", max_upload_size=limit)
    if given is None:
        return
    read = st.session_state.get(_READ)
    if read is None or read[0] != given.file_id:  # once a file: it stays there while the page is drawn again and again
        with st.spinner("Reading the pictures"):
            read = given.file_id, *_taken(given)
        st.session_state[_READ] = read
        if read[1]:
            st.rerun()  # the menu of data sets has been drawn without it
    _, taken, message = read
    (st.success if taken else st.error)(literal(message))


def _taken(given: UploadedFile) -> tuple[bool, str]:
    """Whether the zip is now a data set, and what to say of it."""
    with arriving(process.engine().settings.store) as folder:
        archive = folder / "upload.zip"  # never a name that a user gave
        archive.write_bytes(given.getbuffer())
        try:
            dataset = process.engine().arrivals.take_images(archive, Path(given.name).stem, visitor.here())
        except (ValueError, TimeoutError) as error:
            return False, str(error) or "Reading it took too long."
    return True, (
        f"{dataset.title}: {dataset.train_images:,} training and {dataset.test_images:,} test images in "
        f"{dataset.classes} classes. It is now among the data sets. {dataset.remark}"
    )


def prediction(specs: list[RunSpec]) -> str | None:
    """Ask which contestant will make fewer mistakes on its own training images. Returns the net's name, or None."""
    names = short_names(specs)
    if len(names) < 2:
        return None
    return st.segmented_control(
        "Your prediction: fewer mistakes on its own training images",
        [*names, NO_DIFFERENCE],
        key="guess",
        bind="query-params",
    )


def default_race() -> list[RunSpec]:
    """The race of the first page: 56 and 20 layers, without and with shortcuts, width 8, on the bundled images."""
    return [_spec(name, 8, DATASETS[BUNDLED], "quick", 0) for name in DEFAULT_NETS]
