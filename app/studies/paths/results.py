"""What the paths of a net carry, and how its sub-networks do."""

from dataclasses import dataclass

from app.values.arrays import Bools, Floats, Ints


@dataclass(frozen=True)
class PathGradients:
    """What all paths of each length carry of the gradient, exactly: of K lengths, over so many images.

    Norms are means over the images of the L2 norm of one image's gradient, by `at`: image, stem or block:I, with so
    many `blocks` behind it. What is missing of the ordinary gradient is the remainder: longer paths, or rounding alone
    where every length is there.
    """

    at: str
    images: int
    blocks: int
    lengths: Ints  # K, residual branches passed
    counts: tuple[str, ...]  # K, number of paths, in full
    log10_counts: Floats  # K
    norms: Floats  # K, of the sum over the paths of that length
    gradient_norm: float
    remainder_norm: float
    relative_remainder: float  # L2 norm of remainder ÷ of gradient, over all images at once


@dataclass(frozen=True)
class SampledPaths:
    """Norms of single paths, drawn at random: Veit et al. 2016, section 4.3. Fields as in `PathGradients`.

    `low` and `high` bound the mean at 95%. `effective`: first and last length of the shortest range that holds 95% of
    number × mean norm, empty where not all lengths were drawn; `effective_share`: its part of all paths, else NaN.
    """

    at: str
    images: int
    blocks: int
    draws: int  # paths of each length
    lengths: Ints  # K
    counts: tuple[str, ...]  # K
    log10_counts: Floats  # K
    means: Floats  # K, mean L2 norm of one path's gradient
    low: Floats  # K
    high: Floats  # K
    effective: tuple[int, ...]
    effective_share: float


@dataclass(frozen=True)
class SubNetworks:
    """Errors (percent) of the nets that remain when sets of blocks are cut: of M sub-networks, n blocks.

    `exhaustive`: all subsets of the blocks that can be cut are there; else they were drawn, equally many of each size.
    S sizes, that is numbers of blocks kept; `low` and `high` bound the mean at 95% where they were drawn, and are the
    mean itself where all are there. `best` and `worst` are places among the M.
    """

    images: int
    exhaustive: bool
    kept: Bools  # M × n
    errors: Floats  # M
    sizes: Ints  # S
    counts: tuple[str, ...]  # S, number of sub-networks of that size there are
    means: Floats  # S
    low: Floats  # S
    high: Floats  # S
    best: Ints  # S
    worst: Ints  # S
