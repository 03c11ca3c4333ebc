"""Weights from elsewhere: a file, the net that it belongs to, the data set, and how its images were normalised."""

from pathlib import Path

import streamlit as st

from app.base.prose import literal, prose
from app.engine import process
from app.store.files.staging import arriving
from app.store.run import Run
from app.store.store import Store
from app.ui.page import visitor
from app.values.datasets import NAMED
from app.values.run_spec import imported, read_normalisation
from models.spec import NetSpec, first_reason

NORMALISATIONS = {
    "dataset": "the data set's own",
    "imagenet": "ImageNet's",
    "none": "none (pixels 0…1)",
    "numbers": "numbers",
}


def bring_weights() -> None:
    """Draw the form; what is sent becomes a finished run."""
    engine = process.engine()
    known = {**NAMED, **visitor.data_sets()}
    limit = engine.settings.upload_mb
    st.markdown(prose("runs")["bring"])
    with st.form("bring", border=False):
        given = st.file_uploader(
            f"safetensors, or a PyTorch checkpoint, up to {limit} MB",
            type=["safetensors", "pt", "pth", "th", "bin", "ckpt", "tar"],
            max_upload_size=limit,
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            net = st.text_input("Net", "resnet-20", help="With settings: `resnet-56:shortcut=B`", width=220)
            data = st.selectbox("Data", list(known), format_func=lambda name: known[name].title, width=200)
            choice = st.selectbox(
                "Normalised by", list(NORMALISATIONS), format_func=lambda name: NORMALISATIONS[name], width=190
            )
            numbers = st.text_input(
                "Numbers, if so", placeholder="0.49,0.48,0.45/0.25,0.24,0.26", help="means/deviations", width=250
            )
            sent = st.form_submit_button("Import", icon=":material/upload:")
    if not sent:
        return
    if given is None:
        st.error("Choose a file of weights first.")
        return
    dataset = known[data]
    with arriving(engine.settings.store) as folder:
        file = folder / "weights"  # never a name that a user gave
        file.write_bytes(given.getbuffer())
        try:
            fitted = NetSpec.parse(net).fitted(dataset.channels, dataset.classes)
            normalisation = read_normalisation(numbers if choice == "numbers" else choice, dataset.channels)
            with st.spinner("Reading and evaluating the weights"):
                spec, name = imported(fitted, dataset.name, normalisation), Path(given.name).stem
                run = engine.arrivals.take_weights(file, spec, visitor.here(), name)
        except (ValueError, TimeoutError) as error:
            reason = first_reason(error) if isinstance(error, ValueError) else "no worker answered: try again"
            st.error(literal(f"{reason[:1].upper()}{reason[1:]}. Nothing was kept."))
            return
    st.success(literal(f"{run.name} is now among the runs: {run.spec.title}."), icon=":material/check:")
    st.caption(arrival(engine.store, run))


def arrival(store: Store, run: Run) -> str:
    """What is known of a run that was trained elsewhere: its test error when it came, if it could be evaluated."""
    page = prose("runs")
    name, data = literal(run.name), literal(run.spec.data)
    evaluated = store.events.epochs(run.id)
    if not evaluated:
        return page["arrived-unmeasured"].format(name=name, data=data)
    first = evaluated[0]
    return page["arrived"].format(name=name, data=data, error=first.test_error, images=first.test_images)
