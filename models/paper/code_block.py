"""The source of one block: what `models.nets.blocks` builds, written down. code.py writes the net around it."""

from collections.abc import Iterator

from models.families import CONVOLUTIONS, EXPANSION, PLAIN
from models.paper.equation import one_line
from models.plan import BOTTLENECK_GROWTH, ORDERS
from models.spec import NetSpec

MODULES = {"relu": "nn.ReLU()", "elu": "nn.ELU()", "selu": "nn.SELU()"}
FUNCTIONS = {"relu": "torch.relu", "elu": "nn.functional.elu", "selu": "nn.functional.selu"}
LINE = 120


def branch(spec: NetSpec) -> list[tuple[str, str]]:
    """(name, source) of each part of F."""
    k = spec.k or 1
    shapes: list[tuple[str, str, int, bool]]  # inputs, outputs, kernel, whether the stride is here
    if spec.family == "dense":
        many, few = str(BOTTLENECK_GROWTH * k), str(k)
        single = [("inputs", few, 3, False)]
        shapes = [("inputs", many, 1, False), (many, few, 3, False)] if spec.branch == "bottleneck" else single
    elif spec.branch == "bottleneck":
        first = spec.stride_at == "first"
        shapes = [("inputs", "middle", 1, first), ("middle", "middle", 3, not first), ("middle", "outputs", 1, False)]
    else:
        count, strided = CONVOLUTIONS[spec.branch], spec.family != "vgg"
        shapes = [("outputs" if i else "inputs", "outputs", 3, strided and not i) for i in range(count)]

    made: list[tuple[str, str]] = []
    for i, (inputs, outputs, kernel, strided) in enumerate(shapes, start=1):
        last = i == len(shapes)
        made.append((f"conv{i}", f"conv({inputs}, {outputs}, {kernel}{', stride' if strided else ''})"))
        made += [(f"{n}{i}", part) for n, part in parts(spec, ORDERS[spec.order][1] if last else "na", outputs)]
        if spec.dropout and not last:
            made.append((f"dropout{i}", f"nn.Dropout({spec.dropout:g})"))
    if spec.family == "se":
        made.append(("se", "SqueezeExcite(outputs)"))
    return made


def block(spec: NetSpec) -> Iterator[str]:
    """The lines of `class Block`."""
    before, _, after = (letters(spec, wanted) for wanted in ORDERS[spec.order])
    yield "class Block(nn.Module):"
    yield f'    """{one_line(spec)}"""'
    yield ""
    # What the blocks of this net differ in.
    differs = {"vgg": "outputs, pool", "dense": "transition"}.get(spec.family, "outputs, stride")
    first, survival = ", first" if before else "", ", p" if spec.family == "stochastic" else ""
    yield f"    def __init__(self, inputs, {differs}{first}{survival}):"
    yield "        super().__init__()"
    if spec.family == "vgg":
        yield "        self.enter = nn.MaxPool2d(2, ceil_mode=True) if pool else nn.Identity()"
    if spec.family == "dense":
        yield "        self.enter = nn.Identity()"
        yield "        if transition:  # between two stages: the maps shrink" + (
            ", and the channels" if spec.branch == "bottleneck" else ""
        )
        smaller = "inputs // 2" if spec.branch == "bottleneck" else "inputs"
        shrink = [*parts(spec, "na", "inputs"), ("conv", f"conv(inputs, {smaller}, 1)")]
        yield from row("self.enter", [*shrink, ("pool", "nn.AvgPool2d(2, ceil_mode=True)")], 12)
        if spec.branch == "bottleneck":
            yield "            inputs = inputs // 2"
    if before:
        yield "        # The first block's stands in the stem, before the first split."
        yield from row("self.before = nn.Identity() if first else", parts(spec, before, "inputs"), 8, "")
    if spec.branch == "bottleneck" and spec.family != "dense":
        yield f"        middle = outputs // {EXPANSION[spec.branch]}"
    yield from row("self.branch", branch(spec), 8)
    yield from _shortcut(spec, bool(before))
    if spec.family == "highway" or spec.gate != "none":
        kernel, padding = (3, 1) if spec.family == "highway" else (1, 0)
        gate = f"nn.Conv2d(inputs, outputs, {kernel}, stride, {padding})"
        yield from row("self.join", [("gate", gate), ("sigmoid", "nn.Sigmoid()")], 8)
    if spec.shortcut_dropout:
        yield f"        self.dropout = nn.Dropout({spec.shortcut_dropout:g})"
    if "n" in after:
        yield from row("self.after", parts(spec, after, "outputs"), 8)
    if spec.family == "stochastic":
        yield "        self.p = p  # probability that the branch is there"
    yield ""
    if spec.shortcut == "A" and spec.family != "dense":
        yield from OPTION_A.splitlines()
        yield ""
    yield "    def forward(self, x):"
    yield from _forward(spec, bool(before), after)


OPTION_A = '''\
    def shortcut(self, x):
        """Option A: where shapes change, every second pixel, and channels of zeros. No parameters."""
        x = x[:, :, :: self.stride, :: self.stride]
        return nn.functional.pad(x, (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))'''


def _shortcut(spec: NetSpec, ahead: bool) -> Iterator[str]:
    """What `__init__` needs for the shortcut."""
    if spec.family in (*PLAIN, "dense"):
        return
    # Pre-activation: the projection shares its block's normalisation, and has none of its own.
    norm = [] if spec.order == "full" else parts(spec, "n", "outputs")
    project = [("conv", "conv(inputs, outputs, 1, stride)"), *norm]
    if spec.shortcut == "A":
        yield "        self.stride, self.more = stride, outputs - inputs"
    elif spec.shortcut == "C":
        yield from row("self.shortcut", project, 8)
    else:
        yield (
            "        self.projects = inputs != outputs or stride != 1"
            if ahead
            else ("        self.shortcut = nn.Identity()")
        )
        yield f"        if {'self.projects' if ahead else 'inputs != outputs or stride != 1'}:  # option B"
        yield from row("self.shortcut", project, 12)


def _forward(spec: NetSpec, ahead: bool, after: str) -> Iterator[str]:
    """The equation."""
    h = "h" if ahead else "x"
    f, s = f"self.branch({h})", f"self.shortcut({h if spec.shortcut == 'C' else 'x'})"

    def out(y: str) -> str:
        if "n" in after:
            return f"        return self.after({y})"
        return f"        return {FUNCTIONS[spec.activation]}({y})" if after else f"        return {y}"

    if spec.family in ("vgg", "dense"):
        yield "        x = self.enter(x)"
    if ahead:
        yield "        h = self.before(x)"
    if spec.family in PLAIN:
        yield out(f)
        return
    if spec.family == "dense":
        yield out(f"torch.cat([x, {f}], 1)")
        return
    if ahead and spec.shortcut == "B":
        yield "        s = self.shortcut(h) if self.projects else x"
        s = "s"
    if spec.family == "stochastic":
        yield "        if self.training and torch.rand(()) >= self.p:"
        yield "    " + out(s) + "  # b = 0: the branch is not even computed"
        yield "        b = 1 if self.training else self.p"
        yield out(f"{s} + b * {f}")
    elif spec.family == "highway" or spec.gate != "none":
        yield "        t = self.join(x)"
        yield out(f"{'' if spec.gate == 'shortcut-only' else 't * '}{f} + (1 - t) * {s}")
    elif spec.dialled:
        s = f"self.dropout({s})" if spec.shortcut_dropout else s
        yield out(f"{spec.shortcut_scale!r} * {s} + {spec.branch_scale!r} * {f}")
    else:
        yield out(f"{s} + {f}")


# ── parts ──


def letters(spec: NetSpec, wanted: str) -> str:
    """`wanted` without the normalisations of a net that has none."""
    return wanted if spec.norm == "batch" else wanted.replace("n", "")


def parts(spec: NetSpec, wanted: str, channels: str) -> list[tuple[str, str]]:
    """BN for an n, σ for an a, with their names."""
    kinds = {"n": ("norm", f"nn.BatchNorm2d({channels})"), "a": ("act", MODULES[spec.activation])}
    return [kinds[letter] for letter in letters(spec, wanted)]


def row(target: str, layers: list[tuple[str, str]], indent: int, equals: str = " =") -> Iterator[str]:
    """`target = row(…)`: on one line where it fits, else a line for each part."""
    pad = " " * indent
    whole = f"{pad}{target}{equals} row({', '.join(f'{name}={part}' for name, part in layers)})"
    if len(whole) <= LINE:
        yield whole
        return
    yield f"{pad}{target}{equals} row("
    yield from (f"{pad}    {name}={part}," for name, part in layers)
    yield f"{pad})"
