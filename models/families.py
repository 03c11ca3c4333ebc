"""Which families of nets there are, in which forms, and how many blocks a depth means.

Depth forms: He et al. 2015, *Deep Residual Learning for Image Recognition*, sections 4.1 and 4.2.

MNIST form: A. Patala 2016, *Residual networks in torch (MNIST)*, and its program, residual.mnist: 3×3 convolutions on
28×28 images, filters doubled where the stride is 2, two convolutions with BN and ReLU each before an addition and one
more ReLU after it (CAddTable → ReLU), a max pool and a linear layer. Left open there, and chosen here:

- what counts: its program counts 3×3 convolutions and projections, here depth is stem, branches and head, as in He's;
- blocks in a stage: one in the last, at 4×4; the others shared evenly, later stages first: its program's (4, 5, 5, 1)
  for 15 blocks, and 16 (34 layers) and 49 blocks (100 layers) give (5, 5, 5, 1) and (16, 16, 16, 1);
- the pool covers the whole map, so that images of any size will do; the program flattens its 4×4 maps instead;
- the projections (option B, as there) are normalised, as in He 2015; every convolution of a branch is, too.
"""

from typing import Literal

Family = Literal["plain", "resnet", "preact", "highway", "stochastic", "wide", "se", "dense", "vgg"]
Form = Literal["cifar", "imagenet", "mnist"]
Branch = Literal["single", "basic", "bottleneck"]
Shortcut = Literal["none", "A", "B", "C"]
Order = Literal["original", "bn-after-add", "relu-before-add", "relu-around-add", "relu-only", "full"]

PLAIN: tuple[Family, ...] = ("plain", "vgg")  # without shortcuts
SUMS: tuple[Family, ...] = ("resnet", "preact", "stochastic", "wide", "se")  # y = x′ + F(x), in some order

# Families whose order of BN, σ and addition is theirs. A highway's F includes its σ (Srivastava 2015, eq. 1).
OWN_ORDER: dict[str, Order] = {"preact": "full", "wide": "full", "dense": "full", "highway": "relu-before-add"}

CONVOLUTIONS: dict[Branch, int] = {"single": 1, "basic": 2, "bottleneck": 3}
EXPANSION: dict[Branch, int] = {"single": 1, "basic": 1, "bottleneck": 4}

# He 2015, table 1: blocks in each of the four ImageNet stages.
IMAGENET_BLOCKS: dict[tuple[Branch, int], tuple[int, ...]] = {
    ("basic", 18): (2, 2, 2, 2),
    ("basic", 34): (3, 4, 6, 3),
    ("bottleneck", 50): (3, 4, 6, 3),
    ("bottleneck", 101): (3, 4, 23, 3),
    ("bottleneck", 152): (3, 8, 36, 3),
}
# Simonyan and Zisserman 2015, table 1: 3×3 convolutions in each of the five stages.
VGG_LAYERS: dict[int, tuple[int, ...]] = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
FORM_FAMILIES: dict[Form, tuple[Family, ...]] = {
    "imagenet": ("plain", "resnet", "preact", "se", "vgg"),
    "mnist": ("plain", "resnet", "preact", "highway", "stochastic", "se"),
}
FORM_TITLES: dict[Form, str] = {"cifar": "CIFAR", "imagenet": "ImageNet", "mnist": "MNIST"}


def stage_blocks(family: Family, form: Form, branch: Branch, depth: int) -> tuple[int, ...]:
    """Blocks in each stage. Raises ValueError for a depth that the form does not allow."""
    if family == "vgg":
        if depth not in VGG_LAYERS:
            raise ValueError(f"VGG has {', '.join(map(str, VGG_LAYERS))} layers, not {depth}")
        return VGG_LAYERS[depth]
    if form == "imagenet":
        blocks = IMAGENET_BLOCKS.get((branch, depth))
        if blocks is None:
            known = ", ".join(str(depth) for one, depth in IMAGENET_BLOCKS if one == branch)
            raise ValueError(f"the ImageNet form has no {branch} net of depth {depth}: it allows {known or 'none'}")
        return blocks
    if form == "mnist":
        return _mnist_blocks(depth)
    per_step, extra = _depth_form(family, branch)
    n, rest = divmod(depth - extra, per_step)
    if rest or n < 1:
        below = max(n, 1) * per_step + extra
        raise ValueError(
            f"depth {depth} is not {per_step}n+{extra} ({branch} branch, CIFAR form): "
            f"the nearest are {below} and {below + per_step}"
        )
    return (n,) * 3


def _mnist_blocks(depth: int) -> tuple[int, ...]:
    blocks, odd = divmod(depth - 2, 2)  # beside stem and head
    if odd or blocks < 4:
        below = max(depth - odd, 10)
        raise ValueError(
            f"depth {depth} is not even and 10 or more (MNIST form): the nearest are {below} and {below + 2}"
        )
    each, more = divmod(blocks - 1, 3)
    return (each, each + more // 2, each + (more + 1) // 2, 1)


def _depth_form(family: Family, branch: Branch) -> tuple[int, int]:
    """(a, b) of the depths an + b, n blocks a stage, as each paper counts its layers."""
    if family == "dense":  # Huang 2017: stem, two transitions, head
        return (6, 4) if branch == "bottleneck" else (3, 4)
    if family == "wide":  # Zagoruyko 2016 counts the three projections, and not the head
        return 3 * CONVOLUTIONS[branch], 4
    return 3 * CONVOLUTIONS[branch], 2


def implied_branch(form: Form, depth: int) -> Branch:
    """The branch that a name means which says nothing of it."""
    return "bottleneck" if form == "imagenet" and depth >= 50 else "basic"
