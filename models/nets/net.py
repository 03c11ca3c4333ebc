"""Stem, blocks, head: whole nets, and their initial weights.

CIFAR form: He et al. 2015, section 4.2. ImageNet form: section 4.1 and table 1. MNIST form: `models.families`.
"""

import hashlib
import math
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.nets.blocks import Block, activation, conv, norm, sequence
from models.plan import ORDERS, Layer, plan
from models.spec import NetSpec


class Net(nn.Module):
    """head(block_n(… block_1(stem(x))))."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        layout = plan(spec)
        self.spec = spec
        self.stem = nn.Sequential(
            OrderedDict(conv=conv(layout.stem), norm=norm(spec, layout.stem.norm), act=activation(spec))
        )
        if spec.form == "imagenet" and spec.family != "vgg":
            self.stem.add_module("pool", nn.MaxPool2d(3, stride=2, padding=1))
        self.blocks = nn.ModuleList(Block(spec, block) for block in layout.blocks)
        self.head = (vgg_head if spec.family == "vgg" else head)(spec, layout.head)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)  # N×C×H×W
        for block in self.blocks:
            x = block(x)
        return self.head(x)  # N×classes


class GlobalAverage(nn.Module):
    """N×C×H×W → N×C×1×1.

    The gradient of adaptive pooling forgets the channels-last layout, as a slice's does: 1 ms of a step of 125.
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, x.shape[2:])


def head(spec: NetSpec, layers: tuple[Layer, ...]) -> nn.Sequential:
    """Global average pooling (MNIST form: maximum) and one linear layer."""
    # He 2016, section 4.1: one more activation after the last addition of a pre-activation net.
    last = sequence(spec, ORDERS[spec.order][0], layers[-1].inputs)
    pool = nn.AdaptiveMaxPool2d(1) if spec.form == "mnist" else GlobalAverage()
    return nn.Sequential(OrderedDict(last=last, pool=pool, flatten=nn.Flatten(), fc=linear(layers[-1])))


def vgg_head(spec: NetSpec, layers: tuple[Layer, ...]) -> nn.Sequential:
    """The last pooling and three linear layers; dropout ½ between them (Simonyan 2015, section 3.1)."""
    fc1, fc2, fc = layers
    size = 7 if spec.form == "imagenet" else 1
    return nn.Sequential(
        OrderedDict(
            last=nn.MaxPool2d(2, ceil_mode=True),
            pool=nn.AdaptiveAvgPool2d(size),
            flatten=nn.Flatten(),
            fc1=linear(fc1),
            act1=activation(spec),
            dropout1=nn.Dropout(),
            fc2=linear(fc2),
            act2=activation(spec),
            dropout2=nn.Dropout(),
            fc=linear(fc),
        )
    )


def linear(layer: Layer) -> nn.Linear:
    """The layer's fully connected layer."""
    return nn.Linear(layer.inputs, layer.outputs)


def build(spec: NetSpec, seed: int = 0) -> Net:
    """The net with its initial weights, in training mode, on the CPU, float32."""
    with torch.device("meta"):  # no time spent on PyTorch's own initial weights
        net = Net(spec)
    net = net.to_empty(device="cpu")
    initialise(net, seed)
    return net


@torch.no_grad()
def initialise(net: Net, seed: int) -> None:
    """He's initialisation (He et al. 2015, *Delving Deep into Rectifiers*, eq. 14), LeCun's, or orthogonal.

    Each parameter is drawn from a generator seeded by (seed, its name): a plain net and its residual twin start equal,
    and adding a layer changes no other.
    """
    for name, parameter in net.named_parameters():
        own = generator(seed, name)
        if name.endswith("gate.bias"):
            parameter.fill_(net.spec.gate_bias)
        elif parameter.ndim == 1:
            parameter.fill_(1.0 if name.endswith("weight") else 0.0)  # a norm's scale; any bias
        elif net.spec.init == "orthogonal":
            nn.init.orthogonal_(parameter, generator=own)
        elif parameter.ndim == 4 and net.spec.init == "he":
            # out × in × k × k, fan-out: the backward signal keeps its variance.
            std = math.sqrt(2 / (parameter.shape[0] * parameter.shape[2] * parameter.shape[3]))
            parameter.normal_(0, std, generator=own)
        else:  # LeCun's; also of a linear layer under He's, since no ReLU follows the last one
            parameter.normal_(0, math.sqrt(1 / parameter[0].numel()), generator=own)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()


def generator(seed: int, *purpose: object) -> torch.Generator:
    """A CPU generator of its own for each purpose: no draw depends on how many others were made before it."""
    key = ":".join(str(part) for part in (seed, *purpose)).encode()
    return torch.Generator().manual_seed(int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big") >> 1)


def weight_layers(net: Net) -> OrderedDict[str, nn.Parameter]:
    """Weight of every convolution and fully connected layer by its name, in the order of the plan."""
    weights = dict(net.named_parameters())
    return OrderedDict((layer.name, weights[f"{layer.name}.weight"]) for layer in plan(net.spec).layers)


def blocks_of(net: Net) -> list[Block]:
    """The net's blocks, from the image on."""
    return [block for block in net.blocks if isinstance(block, Block)]
