"""What shortcuts cost, against counts by hand, and our counts against the papers' printed numbers."""

import pytest
import torch
import torchvision
from torch import Tensor, nn

from models.paper.costs import PRINTED, RELATIVES, Printed, Relative, added, printed, residual
from models.spec import NetSpec


@pytest.mark.parametrize("row", PRINTED, ids=lambda row: f"{row.net} {row.what}")
def test_every_printed_number_is_met(row: Printed) -> None:
    # Within a tenth of a billion; within what the paper's rounding hides (it cuts 1.73 to 1.7).
    assert abs(row.difference) < (0.1 if row.what == "multiply-adds" else 0.6 * 10**-row.digits)


def test_the_tables_of_the_papers_are_complete() -> None:
    macs = {row.net: row.value for row in PRINTED if row.what == "multiply-adds"}
    assert list(macs.values()) == [19.6, 3.6, 1.8, 3.6, 3.8, 7.6, 11.3]
    params = {row.net: row.value for row in PRINTED if row.what == "parameters"}
    assert list(params.values()) == [0.27, 0.46, 0.66, 0.85, 1.7, 19.4, 36.5, 0.8]


def test_a_printed_number_belongs_to_the_paper_s_own_net_only() -> None:
    assert printed(NetSpec.parse("resnet-20"), "parameters") is not None
    assert printed(NetSpec.parse("resnet-20:width=8"), "parameters") is None
    assert printed(NetSpec.parse("resnet-20"), "multiply-adds") is None


def test_the_options_of_a_small_net_by_hand() -> None:
    a, b, c = added(NetSpec.parse("resnet-20"))
    assert (a.params, a.macs) == (0, 0)
    # Two projections, 16 → 32 and 32 → 64, and the scale and shift of their normalisation.
    assert b.params == 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64
    assert b.macs == 16 * 32 * 16**2 + 32 * 64 * 8**2
    more = 3 * (16 * 16 + 2 * 16) + 2 * (32 * 32 + 2 * 32) + 2 * (64 * 64 + 2 * 64)
    assert c.params == b.params + more


def test_a_plain_net_is_asked_about_its_residual_twin() -> None:
    plain, twin = NetSpec.parse("imagenet-plain-34"), NetSpec.parse("imagenet-resnet-34")
    assert residual(plain) == twin
    assert [row.params for row in added(plain)] == [row.params for row in added(twin)]


def test_a_wide_net_counts_its_projections_alone() -> None:
    a, b, _ = added(NetSpec.parse("wide-16-4"))
    assert (a.params, a.macs) == (0, 0)
    assert b.params == 16 * 64 + 64 * 128 + 128 * 256


@pytest.mark.parametrize("name", ["vgg-16", "dense-bc-100-12"])
def test_nets_without_a_choice_have_no_rows(name: str) -> None:
    assert added(NetSpec.parse(name)) == []


@pytest.mark.parametrize("one", RELATIVES, ids=lambda one: one.module)
def test_the_other_nets_of_the_story_are_counted_in_torchvision_s_own_modules(one: Relative) -> None:
    heads = {"init_weights": False, "aux_logits": False} if one.module in ("googlenet", "inception_v3") else {}
    with torch.device("meta"):  # shapes alone: nothing is computed
        net: nn.Module = getattr(torchvision.models, one.module)(weights=None, **heads).eval()
        images = torch.empty(1, 3, one.size, one.size)
    macs = 0

    def count(layer: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal macs
        assert isinstance(layer.weight, Tensor)
        macs += layer.weight.numel() * output[0, 0].numel()  # each weight once a place of the map

    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    net(images)
    assert (sum(parameter.numel() for parameter in net.parameters()), macs) == (one.params, one.macs)
