"""A block written down: what `models.nets.blocks` computes for this spec, in the notation of He 2015 and 2016.

`equation` writes one block in full, as LaTeX; `one_line` what all have in common, in plain characters.

F is the residual branch. Blocks count from 0 in code, from 1 in equations: block i makes x_{i+1} of x_i with F_{i+1}.
"""

from dataclasses import dataclass

from models.families import OWN_ORDER
from models.plan import ORDERS, Block, plan
from models.spec import NetSpec


@dataclass(frozen=True)
class Script:
    """The words and signs of an equation. `by`: element by element; `times`: a number before a term."""

    bn: str
    sigma: str
    drop: str
    by: str
    times: str
    brackets: tuple[str, str, str]


LATEX = Script(
    r"\mathrm{BN}", r"\sigma", r"\operatorname{drop}", r" \odot ", r"\,", (r"\left[\,", r",\ ", r"\,\right]")
)


@dataclass(frozen=True)
class Equation:
    """`whole` first, then the lines that say what stands in it; LaTeX each. `kind` names the passage in words."""

    kind: str
    lines: tuple[str, ...]
    source: str


SOURCES: dict[str, str] = {
    "plain": "He et al. 2015, section 3.3: the plain net",
    "vgg": "Simonyan and Zisserman 2015, section 2.1",
    "resnet": "He et al. 2015, equations 1 and 2",
    "preact": "He et al. 2016, equation 9 and figure 4(e)",
    "highway": "Srivastava et al. 2015, equation 3",
    "stochastic": "Huang et al. 2016, equations 2 and 5",
    "wide": "Zagoruyko and Komodakis 2016, equation 1 and figure 1",
    "se": "Hu et al. 2018, equations 2 to 4 and figure 3",
    "dense": "Huang et al. 2017, equation 2",
    "gate": "He et al. 2016, section 3.1 and table 1",
    "scale": "He et al. 2016, section 3.1 and table 1",
    "order": "He et al. 2016, table 2 and figure 4",
    "mnist": "A. Patala 2016, Residual networks in torch (MNIST)",
}


def equation(spec: NetSpec, index: int = 0) -> Equation:
    """The equation of block `index` (from 0). Raises IndexError where the net has no such block."""
    block = plan(spec).blocks[index]
    before, tail, after = ORDERS[spec.order]
    x, n = f"x_{{{index}}}", index + 1
    lines: list[str] = []
    if entered := _enter(spec, block, x):
        x = rf"\tilde{{x}}_{{{index}}}"
        lines.append(f"{x} = {entered}")
    h = x
    if index and before:  # the first block's stands in the stem
        h = f"h_{{{n}}}"
        lines.append(f"{h} = {_through(spec, before, x)}")

    own = f"F_{{{n}}}"
    f = f"{own}({h})"
    lines.append(f"{f} = {_branch(spec, block, tail, h)}")
    if spec.family == "se":
        made = f"U_{{{n}}}"
        lines[-1] = f"{f} = s_{{{n}}} \\odot {made},\\quad {made} = {_branch(spec, block, tail, h)}"
        squeeze = (
            rf"\operatorname{{sigmoid}}\!\left(W_b\,\mathrm{{ReLU}}(W_a\,\operatorname{{mean}}_{{hw}}\,{made})\right)"
        )
        lines.append(f"s_{{{n}}} = {squeeze}")

    passed, shortcut = _shortcut(spec, block, x, h)
    if shortcut:
        lines.append(shortcut)
    # The gate sees the block's input, not what the shortcut made of it.
    joined = _joined(spec, LATEX, passed, f, f"T({x})", f"b_{{{n}}}")
    if block.gate is not None:
        lines.append(rf"T({x}) = \operatorname{{sigmoid}}(W_T\,{x} + b_T)")
    if spec.family == "stochastic":
        p = 1 - n / spec.blocks * (1 - spec.survival)
        lines.append(
            rf"b_{{{n}}} \sim \mathrm{{Bernoulli}}(p),\quad p = {p:.3g}"
            rf"\quad\text{{in training;}}\qquad b_{{{n}}} = p \quad\text{{in evaluation}}"
        )
    whole = f"x_{{{n}}} = {_through(spec, after, joined)}"
    return Equation(_kind(spec), (whole, *lines), SOURCES[_kind(spec)])


def one_line(spec: NetSpec) -> str:
    """y of one block, in plain characters: `y = relu(x' + F(x))`; x' is the shortcut where shapes change."""
    x = "x" if spec.family == "dense" else "x'"
    return f"y = {joined(spec, x, 'F(x)', 'T(x)', 'b', spec.activation, ' ')}"


def joined(
    spec: NetSpec, shortcut: str, branch: str, gate: str, chance: str, sigma: str = "σ", times: str = " · "
) -> str:
    """What one block makes of its shortcut and its branch, in plain characters; a plain net's leaves the first out.

    `gate` stands for highway's T, `chance` for stochastic depth's b.
    """
    script = Script("BN", sigma, "dropout", by=times, times=times, brackets=("[", ", ", "]"))
    whole = _joined(spec, script, shortcut, branch, gate, chance)
    return _through(spec, ORDERS[spec.order][2], whole, script)


def _kind(spec: NetSpec) -> str:
    """Which setting the equation is about, the most special one first."""
    if spec.gate != "none":
        return "gate"
    if spec.dialled:
        return "scale"
    if spec.form == "mnist" and (spec.family, spec.order) == ("resnet", "relu-around-add"):
        return "mnist"
    return "order" if spec.order not in ("original", OWN_ORDER.get(spec.family)) else spec.family


def _through(spec: NetSpec, letters: str, inner: str, script: Script = LATEX) -> str:
    """`inner` through BN for an n, where the net has it, and σ for an a, in that order."""
    for letter in letters:
        if letter == "a":
            inner = f"{script.sigma}({inner})"
        elif spec.norm == "batch":
            inner = f"{script.bn}({inner})"
    return inner


def _enter(spec: NetSpec, block: Block, x: str) -> str:
    if block.transition is not None:
        return rf"\operatorname{{avgpool}}\!\left(W_t\,{_through(spec, 'na', x)}\right)"
    return rf"\operatorname{{maxpool}}({x})" if block.pooled != 1 else ""


def _branch(spec: NetSpec, block: Block, tail: str, inner: str) -> str:
    """W₂ σ(BN(W₁ x)) and what follows; inside out, the way the data go."""
    for i, _ in enumerate(block.branch, start=1):
        last = i == len(block.branch)
        inner = _through(spec, tail if last else "na", rf"W_{i}\,{inner}")
        if spec.dropout and not last:
            inner = f"{LATEX.drop}({inner})"
    return inner


def _shortcut(spec: NetSpec, block: Block, x: str, h: str) -> tuple[str, str]:
    """What is passed on beside the branch, and the line that says so where it is not x itself."""
    if spec.shortcut == "none":
        return "", ""
    if block.projection is not None:
        made = rf"W_s\,{h}"
        return f"{x}'", f"{x}' = {_through(spec, 'n', made) if block.projection.norm else made}"
    if block.reshapes:
        pixel = rf"\text{{every {block.stride}nd pixel, }}" if block.stride != 1 else ""
        pad = block.passes - block.inputs
        return f"{x}'", rf"{x}' = [0,\ {x},\ 0]:\quad {pixel}\text{{{pad} channels of zeros around}}"
    return x, ""


def _joined(spec: NetSpec, script: Script, x: str, f: str, t: str, b: str) -> str:
    """Shortcut x and branch f, joined: t is the gate's sign, b that of stochastic depth."""
    if spec.shortcut == "none":
        return f
    if spec.family == "dense":
        left, between, right = script.brackets
        return f"{left}{x}{between}{f}{right}"
    if spec.gate == "shortcut-only":
        return f"(1 - {t}){script.by}{x} + {f}"
    if spec.family == "highway" or spec.gate == "exclusive":
        return f"{t}{script.by}{f} + (1 - {t}){script.by}{x}"
    if spec.family == "stochastic":
        return f"{x} + {b}{script.times}{f}"
    if spec.shortcut_dropout:
        x = f"{script.drop}({x})"
    scaled = (_times(script, spec.shortcut_scale, x), _times(script, spec.branch_scale, f))
    return " + ".join(term for term in scaled if term) or "0"


def _times(script: Script, scale: float, term: str) -> str:
    """Nothing for a scale of 0: the term is gone."""
    return "" if scale == 0 else term if scale == 1 else f"{scale:g}{script.times}{term}"
