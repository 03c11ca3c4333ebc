"""Small nets that behave as trained ones do: batch normalisation is not the identity."""

import torch
from torch import nn

from models.nets.net import Net, build
from models.spec import NetSpec


def lively(text: str) -> Net:
    """A net in evaluation mode with running statistics, scales and shifts of its own."""
    net = build(NetSpec.parse(text), seed=3)
    rng = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                for values in (module.weight, module.running_var):
                    assert values is not None
                    values.uniform_(0.5, 1.5, generator=rng)
                for values in (module.bias, module.running_mean):
                    assert values is not None
                    values.normal_(0, 0.3, generator=rng)
    return net.eval()
