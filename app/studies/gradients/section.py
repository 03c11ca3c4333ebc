"""The gradient in runs that were trained: block by block at kept moments, and layer by layer at every step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from app.base.prose import prose
from app.engine import process
from app.figures.norm_map import COLUMNS, CellOf, layer_mark, map_marks
from app.figures.over_steps import step_mark
from app.figures.theme import Style
from app.store.history import History
from app.store.run import Run
from app.studies.gradients.chosen_runs import FIRST, Seen, measured_runs, where_and_when
from app.studies.gradients.figures import Backward, Measured, block_lines, block_mark, histograms, weight_lines
from app.studies.gradients.questions import (
    Course,
    DistributionQuestion,
    Gradients,
    GradientsQuestion,
    Sizes,
    SizesQuestion,
)
from app.studies.gradients.truth_table import truth_table
from app.studies.gradients.verdicts import Trained, course_of
from app.ui.live.scene import Scene, scene
from app.ui.live.scene_picture import picture
from app.ui.page import address
from app.ui.page import page_parameter as own_parameter
from app.ui.page.chart_clicks import to_cell, to_layer, to_step
from app.ui.page.pending_answer import ask, ask_all, draw_answers
from app.ui.page.sections import section
from app.ui.widgets.live_chart import live_chart

OUTPUTS, WEIGHTS, UPDATES = "block outputs", "weights", "update ÷ weight"
SEEDS = 5  # of one net in the truth table: each is measured at four moments, over several batches
CELLS: tuple[CellOf, ...] = ("mean", "largest", "smallest")  # of the steps that a cell of the map stands for
_LINES, _WITHOUT = "lines", "without"  # the widget; the parameter


@section("gradients", title="In this run", place=10)
def in_this_run() -> None:
    """Lines for chosen moments, the map of every step, and what both say."""
    seen = measured_runs()
    if seen is None:
        return
    left, right = st.columns([1.1, 1], gap="medium")
    with left:
        of = st.segmented_control(
            "Gradient of",
            (OUTPUTS, WEIGHTS, UPDATES),
            default=OUTPUTS,
            key="gradient",
            bind="query-params",
            required=True,
            label_visibility="collapsed",
        )
        lines = st.container()
    with right:
        _live(seen, partial(_map, _cell_of(seen.scene)))
    where_and_when(seen)
    asked = {
        (place, step): GradientsQuestion(run=look.run.id, step=step)
        for place, look in seen.looks.items()
        for step in seen.telling(place)
    }
    if asked:
        with lines:
            _measured(seen, asked, partial(_answered, seen, of=of))
    _one_layer(seen)
    _sources(seen)


def _measured(
    watched: Seen,
    asked: Mapping[tuple[int, int], GradientsQuestion],
    draw: Callable[[Sequence[tuple[int, int]], Sequence[Gradients]], None],
) -> None:
    """A moment that is being measured is drawn when it is there: until then the chart stays, and its zoom."""
    there = [moment for moment, question in asked.items() if not ask(question).pending]
    if {place for place, _ in there} != set(watched.looks):
        there = list(asked)
    draw_answers([asked[moment] for moment in there], partial(draw, there), doing=prose("gradients")["measuring"])
    ask_all(*(question for moment, question in asked.items() if moment not in there))


def _answered(watched: Seen, asked: Sequence[tuple[int, int]], results: Sequence[Gradients], *, of: str | None) -> None:
    page = prose("gradients")
    found = dict(zip(asked, results, strict=True))
    shown = _chosen_steps(watched, sorted({step for _, step in asked}))
    layer = address.layer()
    if of == OUTPUTS:
        runs = [_backward(watched, place, found, shown) for place in watched.looks]
        over = f"{max(result.images for result in results)} training images"
        figure, marks = block_lines(runs, over=over), block_mark(layer)
    else:
        per = of == WEIGHTS and st.toggle("per parameter", key="per-parameter", bind="query-params")
        moments = [
            Measured(watched.styles[place], step, result, _rate(watched, place, step))
            for (place, step), result in found.items()
            if step in shown
        ]
        measure = "update" if of == UPDATES else "parameter" if per else "weight"
        figure, marks = weight_lines(moments, measure), layer_mark(watched.scene.pairs, layer)  # type: ignore[arg-type]
    live_chart(figure, key="gradient-lines", rev=str(of), marks=marks, on_click=to_layer)
    st.caption(figure.caption)
    if of != OUTPUTS:
        st.caption(page[f"about-{'update' if of == UPDATES else 'weights'}"])


def _chosen_steps(watched: Seen, steps: Sequence[int]) -> list[int]:
    """Draw the choice of lines. The address names those left out, so that a new moment has a line by itself."""
    left_out = own_parameter.numbers(_WITHOUT, watched.moments, "kept moment")
    st.session_state[_LINES] = [step for step in steps if step not in left_out]

    def choose() -> None:
        others = left_out.difference(steps)
        own_parameter.write(_WITHOUT, sorted(others.union(steps).difference(st.session_state[_LINES])))

    return st.pills(
        "Lines at steps",
        steps,
        selection_mode="multi",
        format_func=lambda step: f"{step:,}",
        key=_LINES,
        on_change=choose,
    )


def _backward(watched: Seen, place: int, found: Mapping[tuple[int, int], Gradients], shown: Sequence[int]) -> Backward:
    steps = tuple(step for of, step in found if of == place and step in shown)
    places = watched.looks[place].net.blocks + 1
    rms = np.array([found[place, step].block_rms for step in steps]).reshape(len(steps), places)
    return Backward(watched.styles[place], steps, rms)


# ---- what the sources claim ----------------------------------------------------------------------------------------


def _sources(watched: Seen) -> None:
    """The truth table: at the first moments and the last, over several batches or, where there are, over seeds."""
    nets = _over_seeds(watched)
    asked = {
        (seed.run.id, step): SizesQuestion(run=seed.run.id, step=step)
        for _, seeds in nets
        for seed in seeds
        for step in sorted({*FIRST} & {*seed.moments} | {seed.moments[-1]})
    }
    if not asked:
        return
    page = prose("gradients")
    st.markdown(f"##### {page['what']}")

    def draw(results: Sequence[Sizes]) -> None:
        found = dict(zip(asked, results, strict=True))
        truth_table([(style, _trained(seeds, found)) for style, seeds in nets], "truth-table")

    draw_answers(list(asked.values()), draw, doing=page["measuring-table"])


@dataclass(frozen=True)
class _Seed:
    """One run of a net, the moments that it kept, and its history."""

    run: Run
    moments: tuple[int, ...]
    history: History


def _over_seeds(watched: Seen) -> list[tuple[Style, list[_Seed]]]:
    """Each net with the runs of it that were kept as far as the chosen one, one a seed: chosen side by side or not."""
    kept = process.engine().store.events.moments
    named: dict[str, Style] = {}
    nets: dict[str, dict[int, _Seed]] = {}
    for place, look in watched.looks.items():
        members = zip(watched.scene.groups[place], watched.scene.each[place], strict=True)
        every = [_Seed(run, tuple(kept(run.id)), history) for run, history in members]
        as_far = [seed for seed in every if seed.moments[-1:] == look.moments[-1:]]
        net = f"{look.run.alike} {look.moments[-1]}"
        named.setdefault(net, watched.styles[place])
        # The chosen run first; two of one seed are one run twice, and no sample of seeds.
        for seed in sorted(as_far, key=lambda seed: seed.run.id != look.run.id)[:SEEDS]:
            nets.setdefault(net, {}).setdefault(seed.run.spec.seed, seed)
    return [(_named(named[net], list(seeds.values())), list(seeds.values())) for net, seeds in nets.items()]


def _named(style: Style, seeds: Sequence[_Seed]) -> Style:
    if len(seeds) == 1:
        return style
    return replace(style, name=f"{seeds[0].run.spec.net.name}, {len(seeds)} seeds")


def _trained(seeds: Sequence[_Seed], found: Mapping[tuple[str, int], Sizes]) -> Trained:
    return Trained(tuple(_course(seed, found) for seed in seeds))


def _course(seed: _Seed, found: Mapping[tuple[str, int], Sizes]) -> Course:
    """As far as it came; an error is NaN where there is none."""
    train, test = seed.history.train_error(), seed.history.test_error()
    return course_of(
        seed.run.spec.net,
        {step: sizes for (run, step), sizes in found.items() if run == seed.run.id},
        np.nan if train is None else train,
        np.nan if test is None else test,
        seed=seed.run.spec.seed,
        diverged=seed.run.status == "diverged",
        going_on=seed.run.active or seed.run.status == "paused",
    )


def _rate(watched: Seen, place: int, step: int) -> float:
    """The learning rate of the step made from this moment; after the last one, of the last."""
    run = watched.scene.runs[place]
    total = watched.scene.totals[place]
    return run.spec.recipe.rate(min(step, max(total - 1, 0)), total)


# ---- what was recorded at every step -------------------------------------------------------------------------------


def _live(watched: Seen, draw: Callable[[Scene], None]) -> None:
    """Draw, and again when the feed says that more has changed than it brings; the page, when a moment was kept."""
    ids = tuple(run.id for run in watched.scene.runs)

    def again() -> None:
        try:
            now = scene(ids).followed()
        except KeyError:  # deleted meanwhile, by another browser
            st.rerun()
        if now.shape != watched.scene.shape:
            st.rerun()
        draw(now)

    st.fragment(again)()


def _cell_of(now: Scene) -> CellOf:
    """Draw the choice of what a cell shows, once a run has more steps than the map columns."""
    if now.newest <= COLUMNS:
        return "mean"
    chosen: CellOf | None = st.segmented_control(
        "Each cell",
        CELLS,
        default="mean",
        key="cells",
        bind="query-params",
        required=True,
        label_visibility="collapsed",
    )
    return chosen or "mean"


def _map(of: CellOf, seen: Scene) -> None:
    marks = map_marks(seen.pairs, address.step(), address.layer())
    rev = "-".join(run.id for run in seen.runs)
    picture(seen.maps(of), key="gradient-map", rev=rev, marks=marks, on_click=to_cell)


def _history(seen: Scene) -> None:
    chosen = seen.layer_of(address.layer())
    st.markdown(f"##### Step by step, in `{chosen}`")
    picture(seen.layer(chosen), key="gradient-history", rev=chosen, marks=step_mark(address.step()), on_click=to_step)


def _one_layer(watched: Seen) -> None:
    """The chosen layer's history, and on demand how the numbers of its gradient are distributed."""
    left, right = st.columns([1.1, 1], gap="medium")
    with left:
        _live(watched, _history)
    with right:
        layer = watched.scene.layer_of(address.layer())
        if not st.toggle(f"Distribution of the gradient of `{layer}`", key="distribution", bind="query-params"):
            return
        having = [place for place in watched.looks if layer in watched.scene.pairs[place][1].layers]
        if not having:
            st.info(prose("gradients")["no-layer"].format(layer=layer))
            return
        steps = [watched.looks[place].step for place in having]
        draw_answers(
            [
                DistributionQuestion(run=watched.looks[place].run.id, step=step, layer=layer)
                for place, step in zip(having, steps, strict=True)
            ],
            lambda results: _histograms(watched, having, results, steps[0]),
            doing=prose("gradients")["measuring"],
        )


def _histograms(watched: Seen, having: Sequence[int], results: Sequence[Any], step: int) -> None:
    figure = histograms(
        [(watched.styles[place], distribution) for place, distribution in zip(having, results, strict=True)], step
    )
    live_chart(figure, key="gradient-distribution", rev=figure.alt)
    st.caption(figure.caption)
