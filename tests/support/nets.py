"""Small nets that behave as trained ones do, where batch normalisation is not the identity; and narrow ones."""

import torch
from torch import Tensor, nn
from torchvision.models.vgg import VGG, cfgs, make_layers

from models.nets.blocks import Block
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


def block_of(net: Net, index: int) -> tuple[Block, Tensor]:
    """A block, and two small images of noise as they would enter it."""
    block = net.blocks[index]
    assert isinstance(block, Block)
    channels = block.plan.inputs if block.plan.transition is None else block.plan.transition.inputs
    return block, torch.randn(2, channels, 8, 8, generator=torch.Generator().manual_seed(1))


def narrow_vgg(depth: int, norm: bool, classes: int) -> VGG:
    """Torchvision's, a quarter as wide: a sixteenth of the numbers to be drawn."""
    widths = cfgs[{11: "A", 13: "B", 16: "D", 19: "E"}[depth]]
    with torch.device("meta"):
        net = VGG(nn.Identity(), num_classes=classes, init_weights=False)
    net.features = make_layers([one if one == "M" else int(one) // 4 for one in widths], batch_norm=norm)
    for one in net.features:
        if norm and isinstance(one, nn.Conv2d) and one.bias is not None:
            nn.init.zeros_(one.bias)  # as torchvision's own begin
    sizes = iter([(128 * 7 * 7, 1024), (1024, 1024), (1024, classes)])
    net.classifier = nn.Sequential(
        *(nn.Linear(*next(sizes)) if hasattr(one, "weight") else one for one in net.classifier)
    )
    return net
