"""The limit: a net's convolutions alone, forward and backward, in the precision and layout in which the engine trains.

No normalisation, activation, addition, loss, data or update: nothing that a step of training could do without.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from models.plan import plan
from models.spec import NetSpec


class Convolutions:
    """Every convolution of a net with an input, a weight and an output's gradient of its own."""

    def __init__(self, spec: NetSpec, batch: int, device: str, precision: str) -> None:
        dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32

        def noise(*shape: int) -> Tensor:
            values = torch.randn(*shape, device=device).to(dtype)
            return values.contiguous(memory_format=torch.channels_last)

        layers = [layer for layer in plan(spec).layers if layer.kind == "conv"]
        self.strides = [layer.stride for layer in layers]
        self.inputs = [noise(batch, layer.inputs, layer.size_in, layer.size_in) for layer in layers]
        self.weights = [noise(layer.outputs, layer.inputs, layer.kernel, layer.kernel) for layer in layers]
        self.gradients = [noise(batch, layer.outputs, layer.size_out, layer.size_out) for layer in layers]
        # The images themselves need no gradient, in training neither.
        self.learned = [*self.weights, *self.inputs[1:]]
        for tensor in self.learned:
            tensor.requires_grad_()

    def step(self) -> tuple[Tensor, ...]:
        """All outputs, then the gradients of all weights and inputs."""
        outputs = [
            F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)
            for x, weight, stride in zip(self.inputs, self.weights, self.strides, strict=True)
        ]
        return torch.autograd.grad(outputs, self.learned, self.gradients)
