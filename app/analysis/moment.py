"""A run's net as it was at a kept moment: evaluation mode, float32, on the CPU."""

from pathlib import Path

import torch
from torch import nn

from app.data.images import Images, prepare
from app.store.files.checkpoints import weights_file
from app.training.evaluation import EVALUATION_BATCH, load_weights
from app.values.run_spec import RunSpec
from models.nets.net import Net, build

STATISTICS_IMAGES = 2000


def net_at(spec: RunSpec, folder: Path, step: int, images: Images, epoch_steps: int, digest: str = "") -> Net:
    """The net of a run, its weights those that `folder` keeps of `step`.

    Before the end of the first epoch the running statistics of batch normalisation still lag behind the weights (at
    step 0 they are none at all): they are then computed anew over training images. Raises
    DamagedError where the file has not the SHA-256 `digest`.
    """
    net = kept_net(spec, folder, step, digest)
    if step < epoch_steps:
        recompute_statistics(net, images)
    return net.eval()


def kept_net(spec: RunSpec, folder: Path, step: int, digest: str = "") -> Net:
    """The same with the running statistics that were kept: for training mode, which does not look at them."""
    net = build(spec.net)
    load_weights(net, weights_file(folder, step), digest)
    return net


@torch.no_grad()
def recompute_statistics(net: Net, images: Images, count: int = STATISTICS_IMAGES) -> None:
    """Running mean and variance of every batch normalisation: averages over the first `count` training images."""
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    if not norms or not len(images.train):
        return
    net.eval()  # no branch is dropped meanwhile
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain average over the batches
        norm.train()
    for begin in range(0, min(count, len(images.train)), EVALUATION_BATCH):
        net(prepare(images.train[begin : min(begin + EVALUATION_BATCH, count)], images.info, torch.float32))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    net.eval()
