"""The unrolled equation as the browser gets it, against the net that it is written of."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from app.ui.widgets.unrolled import terms
from models.spec import NetSpec


def written(pieces: Sequence[Sequence[Any]], i: int) -> str:
    """What leaves block `i` − 1, all the way down to x₀, as the browser writes it."""
    if i == 0:
        return "x₀"
    inner = written(pieces, i - 1)
    return "".join(inner if p == 0 else f"F{i}({inner})" if p == 1 else p for p in pieces[i - 1])


def test_three_preactivated_blocks_are_the_lecture_s_equation() -> None:
    text = written(terms(NetSpec.parse("preact-20"), 3), 3)
    assert text == "x₀ + F1(x₀) + F2(x₀ + F1(x₀)) + F3(x₀ + F1(x₀) + F2(x₀ + F1(x₀)))"


@pytest.mark.parametrize("net", ["preact-20", "resnet-20", "highway-32", "stochastic-20", "dense-40-12", "wide-28-10"])
@pytest.mark.parametrize("depth", range(1, 7))
def test_every_path_ends_at_an_x_of_its_own_and_a_plain_net_has_one(net: str, depth: int) -> None:
    assert written(terms(NetSpec.parse(net), depth), depth).count("x₀") == 2**depth
    assert written(terms(NetSpec.parse("plain-20"), depth), depth).count("x₀") == 1


@pytest.mark.parametrize(
    ("net", "step"),
    [
        ("preact-20", lambda i, x, f: (3 * x if i == 3 else x) + f),
        ("resnet-20", lambda i, x, f: max((3 * x if i == 3 else x) + f, 0)),
        ("highway-32", lambda _, x, f: 0.25 * f + 0.75 * x),
        ("resnet-20:shortcut_scale=0.5:shortcut=C", lambda _, x, f: max(0.5 * 3 * x + f, 0)),
        ("preact-20:gate=exclusive", lambda i, x, f: 0.25 * f + 0.75 * (3 * x if i == 3 else x)),
    ],
)
def test_the_written_equation_computes_what_the_blocks_do(net: str, step: Any) -> None:
    """With numbers for F, σ, T and the projection ′, brackets that are missing give another value."""

    def branch(i: int, x: float) -> float:
        return (-1) ** i * 0.4 * x + i

    x = 1.5
    for i in range(4):
        x = step(i, x, branch(i + 1, x))
    text = written(terms(NetSpec.parse(net), 4), 4)
    text = re.sub(r"T[₀-₉]+", "0.25", text).replace("−", "-").replace("·", "*").replace("x₀", "X(1.5)")
    text = re.sub(r"F(\d)\(", r"F(\1, ", text).replace("σ(", "S(")
    names = {
        "F": lambda i, x: X(branch(i, float(x))),
        "S": lambda x: X(max(float(x), 0)),
        "X": X,
    }
    text = text.replace(")′", ").projected")  # Python has no sign that stands behind
    assert float(eval(text, {"__builtins__": {}}, names)) == pytest.approx(x)


class X(float):
    """A number that can be projected."""

    @property
    def projected(self) -> "X":
        """x′ = 3x."""
        return X(3 * self)

    def __add__(self, other: float) -> "X":
        return X(float(self) + float(other))

    def __rmul__(self, other: float) -> "X":
        return X(float(self) * float(other))
