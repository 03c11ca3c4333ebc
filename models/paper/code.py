"""A net as a program of its own: the shortest complete PyTorch module that builds what `models.nets.net` builds.

It needs nothing but torch. Its parts have the names that they have here, so that weights exported from a run load
into it as they are. Text only: nothing is executed here, and torch is not needed to write it.
"""

from collections.abc import Iterator

from models.families import EXPANSION, PLAIN
from models.paper.code_block import MODULES, block, branch, letters, parts, row
from models.paper.equation import one_line
from models.plan import ORDERS, SQUEEZE, Plan, plan
from models.spec import NetSpec

PAPERS: dict[str, str] = {
    "plain": "He et al. 2015, Deep Residual Learning for Image Recognition: the nets without shortcuts",
    "resnet": "He et al. 2015, Deep Residual Learning for Image Recognition",
    "preact": "He et al. 2016, Identity Mappings in Deep Residual Networks",
    "highway": "Srivastava et al. 2015, Highway Networks",
    "stochastic": "Huang et al. 2016, Deep Networks with Stochastic Depth",
    "wide": "Zagoruyko and Komodakis 2016, Wide Residual Networks",
    "se": "Hu et al. 2018, Squeeze-and-Excitation Networks",
    "dense": "Huang et al. 2017, Densely Connected Convolutional Networks",
    "vgg": "Simonyan and Zisserman 2015, Very Deep Convolutional Networks for Large-Scale Image Recognition",
}


MNIST = "\nIn the form of A. Patala 2016, Residual networks in torch (MNIST)."


def code(spec: NetSpec) -> str:
    """The source of a Python file that defines `Net`, with torch as its only import from outside."""
    layout = plan(spec)
    return "\n\n\n".join(
        [
            _heading(spec, layout),
            HELPERS.replace("BIAS", str(spec.norm == "none")),
            *([SQUEEZE_EXCITE.replace("RATIO", str(SQUEEZE))] if spec.family == "se" else []),
            "\n".join(block(spec)),
            "\n".join(_net(spec, layout)),
            "\n".join(_initialise(spec)),
            _main(spec, layout),
        ]
    )


SHORTCUTS: dict[str, str] = {
    "A": "    x' is x; where shapes change, every second pixel of x, with channels of zeros around (option A)",
    "B": "    x' is x; where shapes change, a 1 × 1 convolution of x (option B)",
    "C": "    x' is a 1 × 1 convolution of x in every block (option C)",
}

HELPERS = '''\
def row(**layers):
    """Layers in a row, each with its name."""
    return nn.Sequential(OrderedDict(layers))


def conv(inputs, outputs, kernel, stride=1):
    """A convolution, padded so that only its stride makes the maps smaller."""
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=BIAS)'''

SQUEEZE_EXCITE = '''\
class SqueezeExcite(nn.Module):
    """f, each channel rescaled by sigmoid(W2 relu(W1 mean(f)))."""

    def __init__(self, channels):
        super().__init__()
        hidden = max(1, channels // RATIO)
        self.squeeze = nn.Linear(channels, hidden)
        self.excite = nn.Linear(hidden, channels)

    def forward(self, f):
        scale = torch.sigmoid(self.excite(torch.relu(self.squeeze(f.mean((2, 3))))))  # batch × channels
        return f * scale[:, :, None, None]'''


def _heading(spec: NetSpec, layout: Plan) -> str:
    before, _, _ = ORDERS[spec.order]
    names = {"norm": "BN", "act": spec.activation, "dropout": "dropout", "conv": "conv", "se": "SE"}
    inside = [name.rstrip("0123456789") for name, _ in branch(spec)]
    ahead = ["norm" if letter == "n" else "act" for letter in letters(spec, before)]
    f = "-".join(names[name] for name in [*ahead, *inside])
    told = [f"    {one_line(spec)},  F = {f}"]
    if spec.family not in (*PLAIN, "dense"):
        told.append(SHORTCUTS[spec.shortcut])
    if spec.family == "highway" or spec.gate != "none":
        told.append("    T(x) = sigmoid(conv(x) + bias), the gate")
    if spec.family == "stochastic":
        told.append("    b is 0 or 1 in training, drawn once a batch; in evaluation it is its mean")
    return f'''"""{spec}: {layout.params:,} parameters, {len(layout.blocks)} blocks.

{PAPERS[spec.family]}.{MNIST if spec.form == "mnist" else ""}

{chr(10).join(told)}
"""

from collections import OrderedDict

import torch
from torch import nn'''


# ── the whole net ──
def _net(spec: NetSpec, layout: Plan) -> Iterator[str]:
    stem, side = layout.stem, spec.image_size
    before = letters(spec, ORDERS[spec.order][0])
    stages = ", ".join(map(str, spec.stage_blocks))
    yield "class Net(nn.Module):"
    yield f'    """Images of {spec.channels} × {side} × {side} pixels → {spec.classes} classes."""'
    yield ""
    yield "    def __init__(self):"
    yield "        super().__init__()"
    size = f"{stem.kernel}, {stem.stride}" if stem.stride != 1 else str(stem.kernel)
    first = [("conv", f"conv({stem.inputs}, {stem.outputs}, {size})"), *parts(spec, "na", str(stem.outputs))]
    if spec.form == "imagenet" and spec.family != "vgg":
        first.append(("pool", "nn.MaxPool2d(3, stride=2, padding=1)"))
    yield from row("self.stem", first, 8)
    yield f"        blocks, inputs = [], {stem.outputs}"
    yield f"        for stage, count in enumerate([{stages}]):"
    if spec.family == "vgg":
        yield "            for nth in range(count if stage else count - 1):  # the first convolution is the stem"
    else:
        yield "            for nth in range(count):"
    yield from (f"                {line}" for line in _stage(spec, bool(before)))
    yield "        self.blocks = nn.Sequential(*blocks)"
    yield from row("self.head", _head(spec, layout, before), 8)
    yield ""
    yield "    def forward(self, x):"
    yield "        return self.head(self.blocks(self.stem(x)))"


def _stage(spec: NetSpec, ahead: bool) -> Iterator[str]:
    """The body of the loop over blocks."""
    first = ", not blocks" if ahead else ""
    if spec.family == "dense":
        yield "transition = stage > 0 and nth == 0"
        yield f"blocks.append(Block(inputs, transition{first}))"
        shrunk = "(inputs // 2 if transition else inputs)" if spec.branch == "bottleneck" else "inputs"
        yield f"inputs = {shrunk} + {spec.k}"
        return
    if spec.family == "vgg":
        yield f"outputs = {spec.width} * min(2**stage, 8)"
        yield "blocks.append(Block(inputs, outputs, pool=stage > 0 and nth == 0))"
    else:
        yield f"outputs = {spec.width * (spec.k or 1) * EXPANSION[spec.branch]} * 2**stage"
        survival = ""
        if spec.family == "stochastic":
            yield f"p = 1 - (len(blocks) + 1) / {spec.blocks} * {1 - spec.survival!r}  # falls from block to block"
            survival = ", p"
        yield "stride = 2 if stage > 0 and nth == 0 else 1"
        yield f"blocks.append(Block(inputs, outputs, stride{first}{survival}))"
    yield "inputs = outputs"


def _head(spec: NetSpec, layout: Plan, before: str) -> list[tuple[str, str]]:
    fcs = [f"nn.Linear({layer.inputs}, {layer.outputs})" for layer in layout.head]
    if spec.family == "vgg":
        act, pooled = MODULES[spec.activation], 7 if spec.form == "imagenet" else 1
        pooling = [("last", "nn.MaxPool2d(2, ceil_mode=True)"), ("pool", f"nn.AdaptiveAvgPool2d({pooled})")]
        hidden = [("fc1", fcs[0]), ("act1", act), ("dropout1", "nn.Dropout()")]
        hidden += [("fc2", fcs[1]), ("act2", act), ("dropout2", "nn.Dropout()")]
        return [*pooling, ("flatten", "nn.Flatten()"), *hidden, ("fc", fcs[2])]
    last = ", ".join(f"{name}={part}" for name, part in parts(spec, before, str(layout.head[-1].inputs)))
    ahead = [("last", f"row({last})")] if last else []
    pool = "nn.AdaptiveMaxPool2d(1)" if spec.form == "mnist" else "nn.AdaptiveAvgPool2d(1)"
    return [*ahead, ("pool", pool), ("flatten", "nn.Flatten()"), ("fc", fcs[0])]


def _initialise(spec: NetSpec) -> Iterator[str]:
    yield "def initialise(net):"
    yield {
        "he": '    """He et al. 2015, Delving Deep into Rectifiers: the signal keeps its variance on its way back."""',
        "lecun": '    """LeCun et al. 1998, Efficient BackProp: the signal keeps its variance on its way forward."""',
        "orthogonal": '    """Saxe et al. 2014: random orthogonal matrices keep the length of what they are given."""',
    }[spec.init]
    yield "    for name, parameter in net.named_parameters():"
    lecun = "nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)"
    gated = spec.family == "highway" or spec.gate != "none"
    if gated:
        yield '        if name.endswith("gate.bias"):'
        yield f"            nn.init.constant_(parameter, {spec.gate_bias!r})"
    yield f'        {"elif" if gated else "if"} name.endswith("bias"):'
    yield "            nn.init.zeros_(parameter)"
    if spec.init == "he":
        yield "        elif parameter.ndim == 4:"
        yield '            nn.init.kaiming_normal_(parameter, mode="fan_out")'
    yield "        elif parameter.ndim > 1:" + ("  # LeCun's: no ReLU follows" if spec.init == "he" else "")
    yield f"            {'nn.init.orthogonal_(parameter)' if spec.init == 'orthogonal' else lecun}"


def _main(spec: NetSpec, layout: Plan) -> str:
    images = f"2, {spec.channels}, {spec.image_size}, {spec.image_size}"
    return f"""\
if __name__ == "__main__":
    net = Net()
    initialise(net)
    # Weights from an export: net.load_state_dict(safetensors.torch.load_file("weights.safetensors"))
    print(sum(parameter.numel() for parameter in net.parameters()), "parameters")  # {layout.params:,}
    print(net.eval()(torch.randn({images})).shape)
"""
