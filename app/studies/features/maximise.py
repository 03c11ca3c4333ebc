"""What a channel looks for: a picture made to excite it, by gradient ascent.

Erhan et al. 2009, *Visualizing Higher-Layer Features of a Deep Network*, section 3. Jitter and a frequency prior after
Olah, Mordvintsev and Schubert 2017, *Feature Visualization*: the picture is kept as its spectrum, each frequency
divided by its height, so that ascent finds shapes before it finds noise. It ends in a local maximum: some test image
may excite the channel more.
"""

import torch
from torch import Tensor

from app.analysis.progress import Progress, quiet
from app.studies.features.maps import field_at
from app.studies.features.questions import Maximised
from app.training.probes import outputs, undisturbed
from app.values.datasets import DataSet
from models.nets.blocks import Block
from models.nets.net import Net, generator

STEPS = 160
RATE = 0.05  # four times as much ends lower: it leaps over what it climbs
JITTER = 2  # pixels, each way


def maximise(
    net: Net,
    info: DataSet,
    at: str,
    channel: int,
    steps: int = STEPS,
    seed: int = 0,
    progress: Progress = quiet,
) -> Maximised:
    """Ascend the mean of one channel's map, before the ReLU: of a block the sum, of a layer its own output.

    Raises ValueError for a place or a channel that the net has not.
    """
    field_at(net, at, info.size)
    rng = generator(seed, "maximise", at, channel)
    spectrum = _noise(info, rng).requires_grad_()
    ascent = torch.optim.Adam([spectrum], lr=RATE)
    values: list[float] = []
    with undisturbed(net, "evaluation"), torch.enable_grad():
        for step in range(steps):
            shift = torch.randint(-JITTER, JITTER + 1, (2,), generator=rng).tolist()
            maps = before_relu(net, at, _prepared(spectrum, info).roll(shift, (2, 3)))
            if not 0 <= channel < maps.shape[1]:
                raise ValueError(f"{at} has {maps.shape[1]} channels, from 0: {channel} is none of them")
            value = maps[:, channel].mean()
            values.append(float(value.detach()))
            ascent.zero_grad()
            (-value).backward(inputs=[spectrum])
            ascent.step()
            progress(step + 1, steps)
        picture = (_picture(spectrum.detach(), info.size) * 255).round().byte()[0]
    return Maximised(at=at, channel=channel, picture=picture.numpy(), values=torch.tensor(values).numpy(), seed=seed)


def before_relu(net: Net, at: str, x: Tensor) -> Tensor:
    """What a place computes, N×C×H×W or N×C: a block's joined ways, a layer's output."""
    seen: list[Tensor] = []
    module = net.get_submodule(at)
    where = f"{at}.join" if isinstance(module, Block) else at
    with outputs(net, [where], lambda _, y: seen.append(y)):
        net(x)
    return seen[0]


def _noise(info: DataSet, rng: torch.Generator) -> Tensor:
    """A faint spectrum to begin with, 1×C×H×(W/2+1), real and imaginary part last."""
    return 0.1 * torch.randn(1, info.channels, info.size, info.size // 2 + 1, 2, generator=rng)


def _picture(spectrum: Tensor, side: int) -> Tensor:
    """Pixels in 0…1."""
    down = torch.fft.fftfreq(side)[:, None]
    across = torch.fft.rfftfreq(side)[None]
    height = torch.hypot(down, across).clamp(min=1 / side)
    waves = torch.view_as_complex(spectrum) / height
    return torch.sigmoid(torch.fft.irfft2(waves, s=(side, side), norm="ortho"))


def _prepared(spectrum: Tensor, info: DataSet) -> Tensor:
    """As the net takes it; `prepare` is for bytes, which have no gradient."""
    mean = torch.tensor(info.mean).view(1, -1, 1, 1)
    std = torch.tensor(info.std).view(1, -1, 1, 1)
    return (_picture(spectrum, info.size) - mean) / std
