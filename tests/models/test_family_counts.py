"""Every family's parameters, multiply-adds and memory, as its paper counts them or as they were measured."""

import pytest

from models.plan import plan
from models.spec import NetSpec


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("wide-28-10", 36_479_194),
        ("dense-bc-100-12", 769_162),
        ("imagenet-vgg-16", 138_357_544),
        ("imagenet-vgg-19", 143_667_240),
    ],
)
def test_parameter_counts_are_the_papers(name: str, params: int) -> None:
    assert plan(NetSpec.parse(name)).params == params


def test_a_highway_net_has_resnet_s_parameters_and_its_gates() -> None:
    shapes = [(16, 16)] * 3 + [(16, 32)] + [(32, 32)] * 2 + [(32, 64)] + [(64, 64)] * 2
    gates = sum(9 * inputs * outputs + outputs for inputs, outputs in shapes)
    assert plan(NetSpec.parse("highway-20")).params == 269_722 + gates


@pytest.mark.parametrize(("name", "billions"), [("imagenet-vgg-19", 19.6), ("imagenet-plain-34", 3.6)])
def test_multiply_adds_are_the_lecture_s(name: str, billions: float) -> None:
    assert plan(NetSpec.parse(name)).macs / 1e9 == pytest.approx(billions, abs=0.1)


def test_a_wide_net_is_a_preactivation_net_of_k_times_the_channels() -> None:
    wide = plan(NetSpec.parse("wide-16-4"))
    assert [block.outputs for block in wide.blocks] == [64, 64, 128, 128, 256, 256]
    assert [block.projection is not None for block in wide.blocks] == [True, False] * 3
    assert wide.params == 2_748_890  # Zagoruyko 2016, table 4: 2.7M


def test_memory_grows_with_batch_and_depth_and_is_near_what_was_measured() -> None:
    small = plan(NetSpec.parse("resnet-110")).training_bytes(64, 2)
    assert small == pytest.approx(460e6, rel=0.2)  # measured: 460 MB, bfloat16, CPU
    assert plan(NetSpec.parse("resnet-110")).training_bytes(128, 2) > 1.9 * small
    assert plan(NetSpec.parse("resnet-1202")).training_bytes(8, 2) == pytest.approx(
        0.8e9, rel=0.35
    )  # measured: 0.61 GB
