"""Setting up a race: contestants, data, recipe and seed. Every choice is in the address."""

import tempfile
from pathlib import Path

import streamlit as st

from app import datasets, jobs
from app.datasets import BUNDLED, DATASETS, DataSet
from app.spec import RECIPES, RunSpec
from models.spec import PRESETS, NetSpec, first_reason

DEFAULT_NETS = ("plain-56", "resnet-56")
MAX_CONTESTANTS = 4
NO_DIFFERENCE = "no difference"
WIDTHS = {8: "8 · a minute", 16: "16 · the paper's", 4: "4 · tiny", 32: "32"}
RECIPE_TITLES = {
    "quick": "quick · 4 epochs",
    "paper": "paper · 64,000 steps",
    "paper-warmup": "paper, warmed up",
}


def race_form() -> tuple[list[RunSpec], str]:
    """Draw the choices. Returns what is chosen, and one sentence on what is wrong with it ("" if nothing is)."""
    known = {**DATASETS, **{about.name: about for about in datasets.uploaded(jobs.engine().settings.store)}}
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
            width=340,
        )
        width = st.selectbox(
            "Width",
            list(WIDTHS),
            format_func=lambda width: WIDTHS[width],
            key="width",
            bind="query-params",
            width=140,
            help="Channels of the first stage",
        )
        data = st.selectbox(
            "Data",
            list(known),
            format_func=lambda name: known[name].title,
            key="data",
            bind="query-params",
            width=200,
        )
        recipe = st.selectbox(
            "Recipe",
            list(RECIPES),
            format_func=lambda name: RECIPE_TITLES[name],
            key="recipe",
            bind="query-params",
            width=190,
        )
        seed = st.number_input("Seed", 0, 9999, 0, key="seed", bind="query-params", width=90)
    specs: list[RunSpec] = []
    try:
        for text in nets:
            specs.append(_spec(text, width, known[data], recipe, int(seed)))
    except ValueError as error:
        return [], f"{first_reason(error)}. The other choices are kept."
    if not specs:
        return [], "Choose at least one net."
    if DATASETS.get(data, DATASETS[BUNDLED]).source == "torchvision" and not datasets.available(
        data, jobs.engine().settings.data
    ):
        megabytes = known[data].download_bytes / 1e6
        st.caption(f"{known[data].title} is downloaded once, when its first race starts: {megabytes:,.0f} MB.")
    return specs, ""


def _spec(text: str, width: int, about: DataSet, recipe: str, seed: int) -> RunSpec:
    net = NetSpec.parse(text)
    if net.form == "cifar" and "width=" not in text:
        net = NetSpec.model_validate({**net.model_dump(), "width": width})
    net = net.fitted(about.channels, about.classes)
    return RunSpec(net=net, data=about.name, recipe=RECIPES[recipe], seed=seed)


def own_images() -> None:
    """Upload a zip of class folders."""
    limit = jobs.engine().settings.upload_mb
    st.markdown(f"A zip with one folder of pictures for each class, up to {limit} MB. Pictures become 32×32.")
    given = st.file_uploader("Zip of class folders", type="zip", label_visibility="collapsed", max_upload_size=limit)
    if given is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "upload.zip"  # never a name that a user gave
        archive.write_bytes(given.getbuffer())
        try:
            with st.spinner("Reading the pictures"):
                about = jobs.engine().take_upload(archive, Path(given.name).stem)
        except (ValueError, TimeoutError) as error:
            st.error(str(error))
            return
    st.success(
        f"{about.title}: {about.train_images:,} training and {about.test_images:,} test images in {about.classes} "
        f"classes. It is now among the data sets. {about.remark}"
    )


def prediction(specs: list[RunSpec]) -> str | None:
    """Ask which contestant will make fewer mistakes on its own training images. Returns the net's name, or None."""
    names = list(dict.fromkeys(spec.net.name for spec in specs))
    if len(names) < 2:
        return None
    return st.segmented_control(
        "Your prediction: fewer mistakes on its own training images",
        [*names, NO_DIFFERENCE],
        key="guess",
        bind="query-params",
    )


def default_race() -> list[RunSpec]:
    """The race of the first page: the same 56 layers without and with shortcuts, width 8, on the bundled images."""
    return [_spec(name, 8, DATASETS[BUNDLED], "quick", 0) for name in DEFAULT_NETS]
