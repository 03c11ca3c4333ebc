"""Stem, blocks, head: whole nets, and their initial weights.

CIFAR form: He et al. 2015, section 4.2. ImageNet form: section 4.1 and table 1.
"""

import hashlib
import math
from collections import OrderedDict

import torch
from torch import Tensor, nn

from models.blocks import Block, conv, norm, norm_act
from models.plan import plan
from models.spec import NetSpec


class Net(nn.Module):
    """head(block_n(… block_1(stem(x))))."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        layout = plan(spec)
        self.spec = spec
        self.stem = nn.Sequential(OrderedDict(conv=conv(layout.stem), norm=norm(spec, layout.stem.norm), act=nn.ReLU()))
        if spec.form == "imagenet":
            self.stem.add_module("pool", nn.MaxPool2d(3, stride=2, padding=1))
        self.blocks = nn.ModuleList(Block(spec, block) for block in layout.blocks)
        # He 2016, section 4.1: one more activation after the last addition of a pre-activation net.
        last = norm_act(spec, layout.head.inputs) if spec.family == "preact" else nn.Identity()
        self.head = nn.Sequential(
            OrderedDict(
                last=last,
                pool=nn.AdaptiveAvgPool2d(1),
                flatten=nn.Flatten(),
                fc=nn.Linear(layout.head.inputs, layout.head.outputs),
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)  # N×C×H×W
        for block in self.blocks:
            x = block(x)
        return self.head(x)  # N×classes


def build(spec: NetSpec, seed: int = 0) -> Net:
    """The net with its initial weights, in training mode, on the CPU, float32."""
    with torch.device("meta"):  # no time spent on PyTorch's own initial weights
        net = Net(spec)
    net = net.to_empty(device="cpu")
    initialise(net, seed)
    return net


@torch.no_grad()
def initialise(net: Net, seed: int) -> None:
    """He's initialisation (He et al. 2015, *Delving Deep into Rectifiers*, eq. 14), parameter by parameter.

    Each parameter is drawn from a generator seeded by (seed, its name): a plain net and its residual twin start equal,
    and adding a layer changes no other.
    """
    for name, parameter in net.named_parameters():
        if parameter.ndim == 4:  # out × in × k × k, fan-out: the backward signal keeps its variance
            std = math.sqrt(2 / (parameter.shape[0] * parameter.shape[2] * parameter.shape[3]))
            parameter.normal_(0, std, generator=generator(seed, name))
        elif parameter.ndim == 2:  # no ReLU follows the last layer
            parameter.normal_(0, math.sqrt(1 / parameter.shape[1]), generator=generator(seed, name))
        else:
            parameter.fill_(1.0 if name.endswith("weight") else 0.0)  # a norm's scale; any bias
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
