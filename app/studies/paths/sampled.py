"""Single paths, drawn at random: how much gradient one path of each length carries, and which lengths matter.

Veit et al. 2016, *Residual Networks Behave Like Ensembles of Relatively Shallow Networks*, section 4.3. A path passes
the branch of k blocks and the shortcut of all others. Number × mean norm sums norms, and norms cannot cancel: over
all paths it is never less than the norm of the sum that `app.studies.paths.by_length` gives.
"""

from math import log10

import numpy as np
import torch
from torch import Tensor

from app.analysis.bands import mean_band
from app.analysis.progress import Progress, quiet
from app.studies.paths.by_length import image_norms
from app.studies.paths.linear import LinearBlock, first_block, forward, through_stem
from app.studies.paths.questions import SampledPaths
from app.values.arrays import Floats
from models.nets.net import Net, generator
from models.paper.lengths import LONGEST, path_counts, share, shortest_range


def sample_paths(
    net: Net,
    images: Tensor,
    labels: Tensor,
    at: str = "stem",
    draws: int = 1,
    longest: int = LONGEST,
    seed: int = 0,
    progress: Progress = quiet,
) -> SampledPaths:
    """Mean norm of one path's gradient by its length: for each image, `draws` paths of each length.

    `images`: N×C×H×W as the net takes them, `labels`: N; the net in evaluation mode; `at` and `longest` as for
    `gradients_by_length`. `progress` counts images. Raises ValueError for another `at`.
    """
    blocks = len(net.blocks) - first_block(net, at)
    counts = path_counts(net.spec, blocks, longest)
    norms = np.empty((len(images), len(counts), draws))
    for i, (x, y) in enumerate(zip(images.split(1), labels.split(1), strict=True)):
        passes = torch.cat([_subsets(blocks, k, draws, generator(seed, "paths", i, k)) for k in counts])
        norms[i] = image_norms(path_gradients(net, x, y, at, passes)).view(len(counts), draws).numpy()
        progress(i + 1, len(images))
    rng = np.random.default_rng(seed)
    of_length = norms.transpose(1, 0, 2).reshape(len(counts), -1)
    bands = np.array([mean_band(values, rng) for values in of_length])
    means = of_length.mean(1)
    log10_counts = np.array([log10(n) for n in counts.values()])
    # Longer paths that were left out might carry more: then no range is known to hold 95%.
    complete = counts == path_counts(net.spec, blocks)
    effective = _effective(log10_counts, means, min(counts)) if complete else ()
    return SampledPaths(
        at=at,
        images=len(images),
        blocks=blocks,
        draws=of_length.shape[1],
        lengths=np.array(list(counts)),
        counts=tuple(map(str, counts.values())),
        log10_counts=log10_counts,
        means=means,
        low=bands[:, 0],
        high=bands[:, 1],
        effective=effective,
        effective_share=share(counts, *effective) if effective else np.nan,
    )


def path_gradients(net: Net, x: Tensor, y: Tensor, at: str, passes: Tensor) -> Tensor:
    """The gradient by `at` that each of P paths carries, P×N×C×H×W.

    `passes`: P×n, true where the path passes the branch of a block.
    """
    run = forward(net, x, y, at)
    g = run.top[None].expand(len(passes), *run.top.shape)
    for block, entering, through in zip(run.blocks[::-1], run.inputs[::-1], passes.T.flip(0), strict=True):
        here = LinearBlock(block, entering)
        g = here.after(g)
        below = g.new_empty(len(g), *here.entered.shape)
        below[through], below[~through] = here.branch(g[through]), here.shortcut(g[~through])
        g = here.enter(below)
    return through_stem(net, x, g) if at == "image" else g


def _subsets(n: int, k: int, draws: int, rng: torch.Generator) -> Tensor:
    """draws×n: in each row k of n places, all sets equally likely."""
    return torch.rand(draws, n, generator=rng).argsort(1) < k


def _effective(log10_counts: Floats, means: Floats, shortest: int) -> tuple[int, ...]:
    """The shortest range of lengths that holds 95% of number × mean norm, relative to the greatest of them."""
    logs = log10_counts + np.log10(means, where=means > 0, out=np.full(len(means), -np.inf))
    first, last = shortest_range((10 ** (logs - logs.max())).tolist())
    return shortest + first, shortest + last
