"""VGG and the deep bottlenecks against torchvision's logits with the same weights."""

import pytest
import torch
import torchvision.models

from models.nets.net import build
from models.spec import NetSpec
from tests.support.nets import narrow_vgg

torch.set_num_threads(1)


@pytest.mark.parametrize("name", ["vgg11", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19"])
def test_vgg_gives_torchvision_s_logits_with_the_same_weights(name: str) -> None:
    norm = "batch" if name.endswith("_bn") else "none"
    theirs = narrow_vgg(int(name[3:5]), norm == "batch", classes=7).eval()
    ours = build(NetSpec.parse(f"imagenet-vgg-{name[3:5]}:norm={norm}:width=16").fitted(3, 7)).eval()
    # Theirs has biases before BN as well; they are zero.
    beside_norm = {
        f"features.{i}.bias" for i, m in enumerate(theirs.features) if norm == "batch" and hasattr(m, "stride")
    }
    given = [parameter for key, parameter in theirs.named_parameters() if key not in beside_norm]
    for one, two in zip(ours.parameters(), given, strict=True):
        one.data = two.data
    x = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("depth", [101, 152])
def test_the_deep_bottlenecks_give_torchvision_s_logits(depth: int) -> None:
    theirs = getattr(torchvision.models, f"resnet{depth}")(num_classes=7).eval()
    ours = build(NetSpec.parse(f"imagenet-resnet-{depth}-v1.5").fitted(3, 7)).eval()

    state = dict(theirs.named_parameters())
    blocks = [f"layer{stage}.{nth}." for stage in range(1, 5) for nth in range(len(getattr(theirs, f"layer{stage}")))]
    with torch.no_grad():
        for mine, prefix in zip(ours.blocks, blocks, strict=True):
            for i in (1, 2, 3):
                mine.get_parameter(f"branch.conv{i}.weight").copy_(state[f"{prefix}conv{i}.weight"])
            if f"{prefix}downsample.0.weight" in state:
                mine.get_parameter("shortcut.conv.weight").copy_(state[f"{prefix}downsample.0.weight"])
        ours.get_parameter("stem.conv.weight").copy_(state["conv1.weight"])
        ours.get_parameter("head.fc.weight").copy_(state["fc.weight"])
        ours.get_parameter("head.fc.bias").copy_(state["fc.bias"])
    x = torch.randn(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-3, atol=1e-3)
