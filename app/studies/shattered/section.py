"""Shattered gradients: is the gradient, as a function of the input, a signal or noise?"""

import streamlit as st

from app.base.prose import prose
from app.studies.shattered.figures import autocorrelation, gradient_rows, neighbour_lines
from app.studies.shattered.questions import Neighbours, NeighboursQuestion, Shattered, ShatteredQuestion
from app.ui.page.pending_answer import draw_answer, is_answered
from app.ui.page.sections import section
from app.ui.widgets.live_chart import live_chart
from models.spec import NetSpec

DEPTHS = (2, 4, 8, 16, 24, 32, 50, 75, 100)
BETAS = (0.1, 0.3, 0.5, 1.0)
NETS = tuple(f"{family}-{depth}:width=8" for depth in (8, 20, 56) for family in ("plain", "resnet"))
_PRESSED = "neighbours"


@section("gradients", title="Shattered gradients", place=40)
def shattered_gradients() -> None:
    """One input first, then images."""
    page = prose("gradients")
    st.markdown(page["shattered"])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        depth = st.select_slider("Depth, layers", DEPTHS, value=50, key="depth", bind="query-params", width=340)
        beta = st.segmented_control(
            "β, scale of the branch", BETAS, default=0.1, key="beta", bind="query-params", required=True
        )
        norm = st.toggle("Batch normalisation", value=True, key="bn", bind="query-params")
    draw_answer(ShatteredQuestion(depth=depth, beta=beta or BETAS[0], norm=norm), _one_input, doing=page["measuring"])
    st.latex(
        r"h \leftarrow h + \beta\,W\,\sigma(\mathrm{BN}(h)), \qquad R(k) = "
        r"\mathbb{E}\left[\frac{\sum_i (g_i - \bar g)(g_{i+k} - \bar g)}{\sum_i (g_i - \bar g)^2}\right]"
    )
    st.caption(f":violet-badge[paper] {page['shattered-source']}")
    st.markdown(f"#### {page['images']}")
    question = NeighboursQuestion(nets=NETS)
    if st.button("Measure it between images", icon=":material/play_arrow:"):
        st.session_state[_PRESSED] = True
    if st.session_state.get(_PRESSED) or is_answered(question):
        draw_answer(question, _images, doing=page["measuring"], on_stop=lambda: st.session_state.pop(_PRESSED, None))
    else:
        st.caption(page["images-wait"])


def _one_input(result: Shattered) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        rows = gradient_rows(result)
        live_chart(rows, key="gradient-rows", rev=rows.alt)
        st.caption(rows.caption)
    with right:
        lines = autocorrelation(result)
        live_chart(lines, key="autocorrelation", rev=lines.alt)
        st.caption(lines.caption)
        at = {name: float(mean[1]) for name, mean in zip(result.names, result.autocorrelation, strict=True)}
        plain, residual = result.names[1], result.names[2]
        nearer = {name: _nearer(at[name], at["brown noise"], at["white noise"]) for name in (plain, residual)}
        st.markdown(
            prose("gradients")["lag"].format(
                plain=plain,
                plain_at=at[plain],
                plain_like=nearer[plain],
                residual=residual,
                residual_at=at[residual],
                residual_like=nearer[residual],
                brown=at["brown noise"],
                white=at["white noise"],
            )
        )


def _nearer(value: float, brown: float, white: float) -> str:
    return "brown noise, a signal" if abs(value - brown) < abs(value - white) else "white noise"


def _images(result: Neighbours) -> None:
    figure = neighbour_lines(result)
    live_chart(figure, key="neighbours", rev=figure.alt)
    st.caption(figure.caption)
    at = int((result.distances <= 0.1).sum()) - 1
    likeness = zip(result.nets, result.correlation[:, at], strict=True)
    listed = ", ".join(f"**{NetSpec.parse(net).name}** {value:.2f}" for net, value in likeness)
    st.markdown(prose("gradients")["likeness"].format(part=f"{100 * result.distances[at]:.0f} %", listed=listed))
