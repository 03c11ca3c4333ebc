"""The three components, live, and what each of them has reported."""

import sys
import time
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[3])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

import numpy as np  # noqa: E402
import streamlit as st  # noqa: E402

from app.figures import norm_map  # noqa: E402
from app.figures.errors import errors  # noqa: E402
from app.figures.over_steps import step_mark  # noqa: E402
from app.ui.page import address  # noqa: E402
from app.ui.widgets.live_chart import Click, live_chart  # noqa: E402
from app.ui.widgets.step_slider import step_slider  # noqa: E402
from app.ui.widgets.strip import StripNet, strip  # noqa: E402
from app.values.run_spec import RunSpec  # noqa: E402
from app.values.series import Series  # noqa: E402
from models.plan import plan  # noqa: E402
from models.spec import NetSpec  # noqa: E402

st.set_page_config(layout="wide")
NETS = [NetSpec.parse(name).fitted(1, 10) for name in ("plain-20", "resnet-20")]
TOTAL, EPOCH, LEAP = 312, 78, 120


def series(net: NetSpec, newest: int) -> Series:
    layers = tuple(layer.name for layer in plan(net, 28).layers)
    steps = np.arange(newest)
    norms = np.exp(np.linspace(-2, 1, len(layers)))[None] * np.ones((newest, 1))
    ends = np.arange(EPOCH, newest + 1, EPOCH)
    error = 90 * np.exp(-steps / 200)
    return Series(
        steps,
        error / 40,
        error,
        0.1 + 0 * steps,
        layers,
        steps,
        norms,
        norms,
        norms,
        ends,
        error[ends - 1],
        error[ends - 1],
    )


def clicked(click: Click) -> None:
    address.write(step=int(click.x), layer=click.customdata)


st.session_state.setdefault("began", time.monotonic())


@st.fragment(run_every=0.5)
def live() -> None:
    newest = min(100 + int(4 * (time.monotonic() - st.session_state.began)), TOTAL)
    runs = [(RunSpec(net=net), series(net, newest)) for net in NETS]
    step, layer = address.step(), address.layer()
    st.text(f"step={step} layer={layer} newest={newest} cut={sorted(st.session_state.get('cut', ()))}")
    left, right = st.columns(2)
    with left:
        end = TOTAL if newest > LEAP else LEAP  # as the axis of a long run grows
        live_chart(errors(runs, total=end), key="errors", marks=step_mark(step))
    with right:
        live_chart(
            norm_map.norm_map(runs, total=TOTAL),
            key="map",
            marks=norm_map.map_marks(runs, step, layer),
            on_click=clicked,
        )
    strip([StripNet(net, net.name, 28) for net in NETS], key="strip", selected=layer, on_select=address.go_to_layer)
    step_slider(
        step,
        newest=newest,
        total=TOTAL,
        moments=[0, 1, 10, 78, 100],
        epoch_steps=EPOCH,
        key="slider",
        live=True,
        on_change=address.go_to_step,
    )
    strip(
        [StripNet(NetSpec.parse("resnet-1202"), "resnet-1202")],
        key="cutting",
        mode="cut",
        cut=st.session_state.get("cut", frozenset()),
        detail=False,
        on_cut=lambda cut: st.session_state.__setitem__("cut", cut),
    )


live()
for notice in address.notices():
    st.warning(notice)
