"""Feature maps, attributions and the head read at every depth, on the student's own picture."""

import streamlit as st

from app.base.prose import prose
from app.engine import process
from app.studies.attributions.section import along_depth, attributions
from app.studies.features.chosen_picture import chosen_picture
from app.studies.features.kernels import kernels
from app.studies.features.section import maps
from app.ui.page import address, visitor
from app.ui.runs.subject import Look, look, moment_slider, subject
from app.ui.widgets.strip import StripNet, strip
from app.values.datasets import find

DEFAULT, TWIN = "reference-resnet-20", "reference-plain-20"
NONE = "none"

page = prose("features")
st.title(page["title"])
st.markdown(page["lead"])


def second(seen: Look) -> Look | None:
    """Draw the menu of nets to stand beside: those of the same data."""
    runs = {run.id: run for run in visitor.runs() if run.has_weights}
    fit = [name for name, run in runs.items() if run.spec.data == seen.run.spec.data and name != seen.run.id]
    index = fit.index(TWIN) + 1 if TWIN in fit else 0
    chosen = st.selectbox("Beside it", [NONE, *fit], index=index, key="beside", bind="query-params", width=240)
    return look(runs[chosen]) if chosen in fit else None


left, middle, right = st.columns([1.2, 0.9, 2.2], gap="medium", vertical_alignment="bottom")
with left:
    seen = subject(DEFAULT)
if seen is None:
    st.stop()
with middle:
    other = second(seen)
with right:
    moment_slider(seen)
looks = [one for one in (seen, other) if one is not None]
strip(
    [StripNet(look.net, look.net.name, look.size) for look in looks],
    key="strip",
    selected=address.layer() or "block:0",
    on_select=address.go_to_layer,
)
about = find(seen.run.spec.data, process.engine().settings.store)
if about is None:
    st.info("The images of this run are not here any more: upload their zip again.")
    st.stop()
picture = chosen_picture(seen, about)
if picture is None:
    if not about.test_images:  # the page waits for a picture; what needs none is there already
        st.markdown(page["kernels"])
        kernels(looks)
    st.stop()

st.markdown(page["maps"])
with st.container(horizontal=True):
    st.segmented_control(
        "Show",
        ["shortcut + branch", "output"],
        default="shortcut + branch",
        key="part",
        bind="query-params",
        required=True,
    )
    st.segmented_control(
        "Colours", ["per channel", "shared"], default="per channel", key="scale", bind="query-params", required=True
    )
maps(seen, picture, about)
if other is not None:
    maps(other, picture, about, beside=True)

st.markdown(page["kernels"])
kernels(looks)

st.markdown(page["attribution"])
attributions(looks, picture, about)

st.markdown(page["depth"])
along_depth(looks, picture, about)
with st.expander(page["why"], icon=":material/function:"):
    st.markdown(page["why-words"])
    st.latex(page["why-equation"])
    st.caption(f":violet-badge[paper] {page['why-source']}")
