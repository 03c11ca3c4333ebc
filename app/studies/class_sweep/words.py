"""What the class plot says: deep against shallow, plain against residual, over the seeds that both have."""

from collections.abc import Iterator, Sequence

from app.base.prose import prose
from app.figures.theme import short_names
from app.studies.class_sweep.points import Line, Seeds
from app.values.comparing import about_intervals, comparison
from app.values.evidence import paired
from app.values.run_spec import RunSpec
from models.spec import NetSpec, plain_pairs


def passages(drawn: Sequence[Line], quantity: str) -> list[str]:
    """Paragraphs of Markdown; `quantity`: which error. Nothing where there is no pair yet."""
    ended = {net: seeds for line in drawn for _, net, seeds in line.ended}
    specs = [next(point.spec for line in drawn for point in line.points if point.spec.net == net) for net in ended]
    names = dict(zip(ended, short_names(_of_one_seed(specs)), strict=True))
    sentences, counts = [], [0]
    for first, second in [*_of_two_depths(drawn), *_twins(list(ended))]:
        sentence, count = _said((names[first], ended[first]), (names[second], ended[second]), quantity)
        sentences.append(sentence)
        counts.append(count)
    if max(counts) > 1:
        sentences.append(f"*{about_intervals('seeds')}*")
    return sentences


def _said(first: tuple[str, Seeds], second: tuple[str, Seeds], quantity: str) -> tuple[str, int]:
    """The sentence, and over how many seeds."""
    (one, errors), (other, others) = first, second
    common = sorted(errors.keys() & others.keys())
    if not common:
        return prose("class")["no-pair"].format(first=one, second=other), 0
    effect = paired([errors[seed] for seed in common], [others[seed] for seed in common])
    return comparison(one, other, effect, quantity), effect.count


def _of_two_depths(drawn: Sequence[Line]) -> Iterator[tuple[NetSpec, NetSpec]]:
    """The deepest and the shallowest net of each line."""
    for line in drawn:
        ended = line.ended
        if len(ended) > 1:
            yield ended[-1][1], ended[0][1]


def _twins(nets: Sequence[NetSpec]) -> Iterator[tuple[NetSpec, NetSpec]]:
    """A plain net and its twin with shortcuts; of each kind of twin the deepest."""
    told = set()
    for plain, other in plain_pairs(nets):
        kind = nets[other].model_copy(update={"depth": 0})
        if kind not in told:
            told.add(kind)
            yield nets[plain], nets[other]


def _of_one_seed(specs: Sequence[RunSpec]) -> list[RunSpec]:
    """So that no seed gets into a name that stands for several."""
    return [spec.model_copy(update={"seed": 0}) for spec in specs]
