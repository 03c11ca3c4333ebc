"""The truth table on the page: the picture, and in words what it says; every number in them was measured."""

import math
from collections.abc import Sequence

import numpy as np
import streamlit as st

from app.base.prose import literal, prose
from app.figures.theme import Style
from app.studies.gradients.claims import chain, claims, likeness_pairs, prediction, range_change
from app.studies.gradients.truth_figure import short, truth_picture
from app.studies.gradients.verdicts import (
    VERBS,
    WHOLE,
    Stage,
    Trained,
    between,
    exponential,
    named,
    place,
    times,
    verdict,
)
from app.ui.widgets.live_chart import live_chart
from app.values.comparing import about_intervals, comparison
from app.values.evidence import Effect
from models.plan import plan
from models.spec import plain_pairs

_ACTIVATIONS = {"relu": "ReLU", "elu": "ELU", "selu": "SELU"}


def truth_table(nets: Sequence[tuple[Style, Trained]], key: str) -> None:
    """Where a plain net stands beside its twin, the sources against the two; else the nets alone."""
    page = prose("gradients")
    pairs = plain_pairs([trained.net for _, trained in nets])
    pair = [nets[at] for at in pairs[0]] if pairs else []
    figure = truth_picture(pair or nets, claims(*(trained for _, trained in pair)) if pair else ())
    names = " · ".join(f"**{literal(style.name)}**" for style, _ in pair or nets)
    st.markdown(page["table"].format(nets=names))
    left, right = st.columns([1.7, 1], gap="medium")
    with left:
        live_chart(figure, key=key, rev=figure.alt)
        st.caption(figure.caption)
        if pair:
            st.caption(f"{page['signs']} {about_intervals(page['pairs'])}")
            st.caption(f":violet-badge[paper] {page['claims-source']}")
        else:
            st.caption(page["no-twin"])
    with right:
        for style, trained in nets:
            st.markdown(said(style.name, trained))
        if pair:
            st.markdown("\n\n".join(compared(pair)))


def said(name: str, trained: Trained) -> str:
    """A net in a sentence: what its gradient does in each stage at each moment, and the error that it reached."""
    net = trained.net
    norm = "with batch normalisation" if net.norm == "batch" else "without normalisation"
    moments = "\n".join(
        f"- {named(moment, [trained])}: {_by_stage(trained.stages(moment))}" for moment in trained.moments
    )
    return f"**{literal(name)}** {norm}, {_ACTIVATIONS[net.activation]}: {_reached(trained)}\n{moments}"


def _by_stage(stages: Sequence[Stage]) -> str:
    """Stages of one word together: explodes in 1 (×34.7) and 2 (×15.6), grows in 3 (×9.8)."""
    words: dict[str, list[str]] = {}
    for stage in stages:
        if stage.number != WHOLE:
            words.setdefault(VERBS[verdict(stage.ratio)], []).append(f"{stage.number + 1} ({_times(stage.ratio)})")
    return ", ".join(f"{verb} in {_listed(those)}" for verb, those in words.items()) or VERBS["unknown"]


def _reached(trained: Trained) -> str:
    page = prose("gradients")
    if any(course.diverged for course in trained.courses):
        return page["diverged"].format(step=max(int(course.steps[-1]) for course in trained.courses))
    each = {
        "training": np.array([course.train_error for course in trained.courses]),
        "test": np.array([course.test_error for course in trained.courses]),
    }
    known = [f"{what} error {errors.mean():.1f} %" for what, errors in each.items() if np.isfinite(errors).all()]
    return ", ".join(known) + " so far" * bool(known and trained.going_on) or page["no-error"]


def compared(pair: Sequence[tuple[Style, Trained]]) -> list[str]:
    """What the claims were tested by, in words: the prediction, the range, the likeness, and the mechanism."""
    (plain_style, plain), (twin_style, twin) = pair
    name = literal(plain_style.name)
    sentences = [predicted(name, plain)] if prediction(plain) and "start" in plain.moments else []
    if change := range_change(plain):
        sentences.append(
            comparison(
                f"{name} after one step",
                f"{name} at initialisation",
                change,
                "range of the gradient over the blocks",
                unit="decades",
                over=plain.over,
                digits=2,
            )
        )
    if pairs := likeness_pairs(plain, twin):
        over = f"{len(pairs[0][0])} images" if len(pairs) == 1 else f"{len(pairs)} seeds"
        means = [float(np.mean([side[which].mean() for side in pairs])) for which in (0, 1)]
        sentences.append(
            prose("gradients")["likeness-here"].format(
                plain=name, twin=literal(twin_style.name), plain_at=short(means[0]), twin_at=short(means[1]), over=over
            )
        )
    return [*sentences, *mechanism(name, plain, literal(twin_style.name), twin)]


def predicted(name: str, plain: Trained) -> str:
    """Yang's factor per block beside the measured ones, with how far off each is."""
    gain = prediction(plain) or math.nan
    stages = [stage for stage in plain.stages("start") if stage.number != WHOLE]
    off = [f"{100 * (stage.per_block[0] / gain - 1):+.0f} %".replace("-", "−") for stage in stages]
    listed = "; ".join(f"{between(*stage.per_block)}, off by {far}" for stage, far in zip(stages, off, strict=True))
    return prose("gradients")["predicted"].format(
        name=name, gain=f"{gain:.3f}", layers=len(plan(plain.net).blocks[0].branch), listed=listed
    )


# ---- from an explosion to starved weights --------------------------------------------------------------------------


def mechanism(name: str, plain: Trained, twin_name: str, twin: Trained) -> list[str]:
    """How an explosion starves the first layers, where each link of the chain is seen; else the links, and which fails.

    Nothing where its moments were not kept, or without batch normalisation, which it is about.
    """
    late = plain.moments[-1] if plain.moments else "start"
    if plain.net.norm != "batch" or "start" not in plain.moments or late == "start":
        return []
    page, links = prose("gradients"), chain(plain, late)
    first = [course.weight_size[:, 0] for course in plain.courses]
    after = [size[place(course, late)] for course, size in zip(plain.courses, first, strict=True)]
    sentences = [
        page["mechanism" if links.complete else "mechanism-not"].format(
            name=name,
            exploded=_times(links.exploded),
            step=named(late, [plain]),
            before=f"{np.mean([size[0] for size in first]):.3g}",
            after=f"{np.mean(after):.3g}",
            grew=_times(links.grew),
            starved=_times(links.starved),
            weights=_times(links.weights),
            outputs=_times(plain.stages(late)[-1].ratio),
        )
    ]
    if {"start", late} <= {*twin.moments}:
        other = chain(twin, late)
        sentences.append(
            page["mechanism-twin"].format(
                name=twin_name,
                exploded=_times(other.exploded),
                step=named(late, [twin]),
                grew=_times(other.grew),
                starved=_times(other.starved),
            )
        )
    return sentences


def _times(log: Effect) -> str:
    return times(exponential(log.value))


def _listed(parts: Sequence[str]) -> str:
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else "".join(parts)
