"""Hooks that watch a net, always inside a `with`: a hook forgotten would slow and falsify every later run.

Places have the names of their modules: `stem`, `blocks.3`, `blocks.3.branch.conv1`.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn

from models.nets.net import Net, weight_layers

Mode = Literal["training", "evaluation"]


@contextmanager
def outputs(net: nn.Module, names: Iterable[str], see: Callable[[str, Tensor], None]) -> Iterator[None]:
    """Call `see(name, output)` as each module of those names computes."""

    def hook(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        return lambda _module, _inputs, output: see(name, output)

    handles = [net.get_submodule(name).register_forward_hook(hook(name)) for name in names]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def layer_outputs(net: Net, see: Callable[[str, Tensor], None]) -> Iterator[None]:
    """Call `see(layer name, output)` as each weight layer of `net` computes, N×C×H×W or N×classes."""
    with outputs(net, weight_layers(net), see):
        yield


Ways = Callable[[str, Tensor, Tensor | None, Tensor | None], None]


@contextmanager
def ways(net: Net, names: Iterable[str], see: Ways) -> Iterator[None]:
    """Call `see(block name, x, s, f)` as each block of those names joins its shortcut and its branch (None: zero)."""

    def hook(name: str) -> Callable[[nn.Module, tuple[Tensor, Tensor | None, Tensor | None]], None]:
        return lambda _module, joined: see(name, *joined)

    handles = [net.get_submodule(f"{name}.join").register_forward_pre_hook(hook(name)) for name in names]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def block_names(net: Net) -> list[str]:
    """Every block's place, input to output."""
    return [f"blocks.{i}" for i in range(len(net.blocks))]


@contextmanager
def undisturbed(net: nn.Module, mode: Mode | None = None, seed: int | None = None) -> Iterator[None]:
    """Look at a net and leave it as it was: running statistics, modes and the random state are put back.

    Inside, the net is in `mode` (None: as it is), and what is random in it is drawn from `seed` (None: as it comes).
    """
    buffers = {name: buffer.clone() for name, buffer in net.named_buffers()}
    training = {module: module.training for module in net.modules()}
    try:
        with torch.random.fork_rng(devices=_devices(net)):
            if mode is not None:
                net.train(mode == "training")
            if seed is not None:
                torch.manual_seed(seed)
            yield
    finally:
        for module, was in training.items():
            module.training = was
        with torch.no_grad():
            for name, buffer in net.named_buffers():
                buffer.copy_(buffers[name])


def _devices(net: nn.Module) -> list[int]:
    """The CUDA devices that hold the net; their random states are kept beside the CPU's."""
    return sorted({parameter.device.index or 0 for parameter in net.parameters() if parameter.is_cuda})
