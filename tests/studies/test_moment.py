"""The net of a moment: batch normalisation's statistics against those computed by hand."""

from pathlib import Path

import torch
from safetensors.torch import save_file

from app.analysis.moment import net_at
from app.base.settings import load as settings
from app.data.images import load, prepare
from app.store.files.checkpoints import weights_file
from app.values.datasets import BUNDLED
from app.values.run_spec import RunSpec
from models.nets.net import build
from models.spec import NetSpec

SPEC = RunSpec(net=NetSpec.parse("resnet-8:width=4").fitted(1, 10))


def test_statistics_of_the_first_epoch_are_those_of_training_images(tmp_path: Path) -> None:
    images = load(BUNDLED, settings())
    save_file(build(SPEC.net).state_dict(), weights_file(tmp_path, 0))
    net = net_at(SPEC, tmp_path, 0, images, epoch_steps=78)
    conv = net.get_submodule("stem.conv")
    stem = [conv(prepare(images.train[i : i + 500], images.info, torch.float32)) for i in range(0, 2000, 500)]
    means = torch.stack([batch.mean((0, 2, 3)) for batch in stem]).mean(0)
    variances = torch.stack([batch.var((0, 2, 3)) for batch in stem]).mean(0)
    assert torch.allclose(net.get_buffer("stem.norm.running_mean"), means, atol=1e-5)
    assert torch.allclose(net.get_buffer("stem.norm.running_var"), variances, rtol=1e-4)
    assert not net.training
    assert not any(module.training for module in net.modules())


def test_later_statistics_are_those_that_were_kept(tmp_path: Path) -> None:
    state = {name: value.clone() for name, value in build(SPEC.net).state_dict().items()}
    state["stem.norm.running_mean"] += 3
    save_file(state, weights_file(tmp_path, 100))
    net = net_at(SPEC, tmp_path, 100, load(BUNDLED, settings()), epoch_steps=78)
    assert torch.equal(net.get_buffer("stem.norm.running_mean"), state["stem.norm.running_mean"])
