"""Hooks that watch a net, always inside a `with`: a hook forgotten would slow and falsify every later run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from models.nets import Net, weight_layers


@contextmanager
def layer_outputs(net: Net, see: Callable[[str, Tensor], None]) -> Iterator[None]:
    """Call `see(layer name, output)` as each weight layer of `net` computes, N×C×H×W or N×classes."""

    def hook(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        return lambda _module, _inputs, output: see(name, output)

    handles = [net.get_submodule(name).register_forward_hook(hook(name)) for name in weight_layers(net)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
