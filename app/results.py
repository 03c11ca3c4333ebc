"""What an analysis or a query returns: named NumPy arrays, never a tensor, never a figure."""

import io
import json
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]
Result = Any  # one of the data classes below: arrays, numbers, texts, and tuples of numbers and texts


def to_bytes(result: Result) -> bytes:
    """A result as an .npz without pickles: its arrays, and the rest as JSON."""
    values = {field.name: getattr(result, field.name) for field in fields(result)}
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    rest = {name: value for name, value in values.items() if name not in arrays}
    file = io.BytesIO()
    text = json.dumps({"result": type(result).__name__, **rest}).encode()
    np.savez_compressed(file, allow_pickle=False, _rest=np.frombuffer(text, np.uint8), **arrays)
    return file.getvalue()


def from_bytes(packed: bytes) -> Result:
    """Read back what `to_bytes` wrote."""
    with np.load(io.BytesIO(packed), allow_pickle=False) as kept:
        rest = json.loads(kept["_rest"].tobytes())
        arrays = {name: kept[name] for name in kept.files if name != "_rest"}
    values = {name: _tuples(value) for name, value in rest.items() if name != "result"}
    return globals()[rest["result"]](**values, **arrays)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


@dataclass(frozen=True)
class Series:
    """A run's history, downsampled so that no extreme is lost.

    S steps kept, L weight layers, C columns of the map, E evaluated epochs. Errors in percent.
    """

    steps: Ints  # S
    loss: Floats  # S
    error: Floats  # S, mean over the batches of the last `window` steps
    lr: Floats  # S
    layers: tuple[str, ...]  # L
    norm_steps: Ints  # C, the first step of each column
    norms: Floats  # C × L, geometric mean of the weight gradient's L2 norm over the column's steps
    norms_low: Floats  # C × L, smallest in the column
    norms_high: Floats  # C × L, largest in the column
    eval_steps: Ints  # E
    train_error: Floats  # E, mean over the epoch
    test_error: Floats  # E
    window: int = 1
    cut_steps: tuple[int, ...] = ()  # when the net's cut became another one
    cuts: tuple[str, ...] = ()  # which, as in an address; empty: every block is back


@dataclass(frozen=True)
class Evaluation:
    """Error (percent) and mean cross-entropy (nats) over so many test images."""

    error: float
    loss: float
    images: int


@dataclass(frozen=True)
class CutEvaluation:
    """A net under one cut, on the first so many test images of C classes. Errors in percent, loss in nats."""

    error: float
    loss: float
    images: int
    class_error: Floats  # C, NaN for a class without images
    confusion: Ints  # C × C, images by their true class (row) and the predicted one (column)


@dataclass(frozen=True)
class CutProbabilities:
    """What K cuts of a net make of the same I images."""

    probabilities: Floats  # K × I × C


@dataclass(frozen=True)
class SingleLesions:
    """Every one of B blocks cut alone, on the first N test images of C classes. Errors in percent, losses in nats.

    A block that cannot be cut (a plain net's, where shapes change) has NaN, and −1 for its predictions.
    """

    full_error: float
    full_loss: float
    full_class_error: Floats  # C, NaN for a class without images
    full_predicted: Ints  # N
    error: Floats  # B
    loss: Floats  # B
    class_error: Floats  # B × C
    predicted: Ints  # B × N
    labels: Ints  # N

    @property
    def flips(self) -> Ints:
        """For each image, how many of the single cuts change its prediction."""
        changed = (self.predicted != self.full_predicted) & (self.predicted >= 0)
        return np.asarray(changed.sum(0))

    @property
    def first_flipped(self) -> Ints:
        """The images in the order in which they give way: the most flips first, equal ones in the data's own order."""
        return np.argsort(-self.flips, kind="stable")


@dataclass(frozen=True)
class RandomLesions:
    """k blocks cut at random, D draws for each of K values of k. Errors in percent."""

    full_error: float
    k: Ints  # K
    error: Floats  # K × D
    images: int


@dataclass(frozen=True)
class Reorderings:
    """Blocks reordered by k swaps, D draws for each of K values of k. Errors in percent."""

    full_error: float
    k: Ints  # K
    tau: Floats  # K × D, Kendall's τ between the order and the net's own
    error: Floats  # K × D
    images: int


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


@dataclass(frozen=True)
class Pictures:
    """A few test images, and the classes they belong to."""

    pixels: NDArray[np.uint8]  # N × C × H × W
    labels: Ints  # N


@dataclass(frozen=True)
class Gradients:
    """Gradients of the mean cross-entropy at one moment, over a batch of `images`.

    L weight layers and P = 1 + blocks places (the stem's output, then each block's), both from input to output.
    """

    layers: tuple[str, ...]  # L
    on_shortcut: tuple[bool, ...]  # L, True for projections
    weight_norm: Floats  # L, L2 norm of the gradient with respect to the weight
    weight_rms: Floats  # L, the same per parameter: norm ÷ √parameters
    weight_size: Floats  # L, L2 norm of the weight itself
    output_rms: Floats  # L, RMS of the gradient with respect to the layer's own output
    places: tuple[str, ...]  # P
    stages: Ints  # P, places of one number have one shape, and can be compared; −1: with none
    block_rms: Floats  # P, RMS of the gradient with respect to the place's output
    loss: float  # nats
    images: int
    mode: str  # training or evaluation: batch statistics, or the running ones


@dataclass(frozen=True)
class Distribution:
    """How the numbers of one layer's weight gradient are distributed: B bins of equal width around zero."""

    layer: str
    edges: Floats  # B + 1
    counts: Ints  # B; they add up to the layer's parameters
    mean: float
    std: float
    kurtosis: float  # excess: 0 for a normal distribution
    zeros: float  # share that is exactly zero


@dataclass(frozen=True)
class Grid:
    """Activation gradients at initialisation: G nets, S seeds, at most P places (NaN and −1 beyond a net's own)."""

    nets: tuple[str, ...]  # G, as `NetSpec.parse` reads them
    seeds: tuple[int, ...]  # S
    rms: Floats  # G × S × P
    stages: Ints  # G × P
    factors: Floats  # G × S, change per block towards the input
    images: int


@dataclass(frozen=True)
class Course:
    """Activation gradients of one net over its first steps: M moments, P places. Errors in percent."""

    net: str
    steps: Ints  # M
    rms: Floats  # M × P
    stages: Ints  # P
    factors: Floats  # M, change per block towards the input
    train_error: float  # mean over the last steps' batches; NaN where there was no step
    test_error: float
    diverged: bool
    going_on: bool = False  # more steps are to come


@dataclass(frozen=True)
class Deepened:
    """A trained net and a deeper one made of it by identity blocks, compared in evaluation mode. Errors in percent."""

    net: str
    deeper: str
    added: tuple[int, ...]  # blocks that are identities
    largest_difference: float  # of any logit, of any image
    error: float
    deeper_error: float
    images: int


@dataclass(frozen=True)
class TrainedOn:
    """A net made deeper by identity blocks trained on, and one of its kind from scratch, in this order: T steps.

    Both see the same batches at the same learning rate. Errors in percent; NaN after a net diverged.
    """

    net: str
    deeper: str
    rate: float
    given_error: float  # test error of the deeper net as it was made
    error: Floats  # 2 × T, training error, mean over the batches of the last `window` steps
    test_error: tuple[float, float]  # at the end
    diverged: tuple[bool, bool]
    window: int


@dataclass(frozen=True)
class Lesson:
    """Stacks of blocks asked to learn y = x or y = 0: C curves, T steps."""

    target: str  # identity or zero
    families: tuple[str, ...]  # C
    blocks: tuple[int, ...]  # C
    loss: Floats  # C × T, mean squared error ÷ mean square of x: 1 is what answering zero would cost for y = x
    seed: int


@dataclass(frozen=True)
class Signal:
    """The forward signal of one net in evaluation mode: L layers, A activations, B blocks, from input to output."""

    layers: tuple[str, ...]  # L, the stem and the branches' convolutions
    response_std: Floats  # L, after BN, before σ and the addition
    activations: tuple[str, ...]  # A
    means: Floats  # A
    zeros: Floats  # A, share of outputs that are zero
    dead: Floats  # A, share of channels that are zero for every image, everywhere
    blocks: tuple[str, ...]  # B
    residual: Floats  # B, ‖F(x)‖ ÷ ‖x‖, mean over the images
    images: int


@dataclass(frozen=True)
class Shattered:
    """The gradient of fully connected nets as a function of their one input, and noise beside it.

    C curves, X inputs, K lags. The band: 5th and 95th percentiles over the nets.
    """

    names: tuple[str, ...]  # C
    inputs: Floats  # X
    gradients: Floats  # C × X, of the first net
    lags: Ints  # K, in grid points
    autocorrelation: Floats  # C × K, mean over the nets
    low: Floats  # C × K
    high: Floats  # C × K
    nets: int


@dataclass(frozen=True)
class Neighbours:
    """How alike the input gradients of neighbouring images are: G nets, D distances. The band as in `Shattered`."""

    nets: tuple[str, ...]  # G
    distances: Floats  # D, part of the way to another image
    correlation: Floats  # G × D, cosine of the two gradients, mean over images and seeds
    low: Floats  # G × D
    high: Floats  # G × D
    images: int


@dataclass(frozen=True)
class FeatureMaps:
    """What a place of a net makes of one image: P parts of C channels, maps of H × W numbers.

    A block has the parts shortcut, branch, sum (what σ is applied to) and output; a layer has its output alone.
    """

    at: str
    parts: tuple[str, ...]  # P
    maps: Floats  # P × C × H × W
    picture: Ints  # channels × side × side, pixels 0…255
    probabilities: Floats  # of the classes, from the whole net
    label: int  # the true class, −1 where nobody said
    field_side: int  # of the receptive field, image pixels
    field_jump: int  # image pixels between the fields of neighbours
    field_start: int  # the first image pixel of the first number's field; negative where padding is seen

    def part(self, name: str) -> Floats:
        """C × H × W."""
        return np.asarray(self.maps[self.parts.index(name)])

    def window(self, place: int) -> tuple[int, int]:
        """The image pixels begin…end (not included) that a number in that row, or column, can depend on."""
        begin = self.field_start + place * self.field_jump
        return max(begin, 0), min(begin + self.field_side, self.picture.shape[-1])


@dataclass(frozen=True)
class Kernels:
    """The weights of the first convolution: K kernels, each of C colours, side × side."""

    weights: Floats  # K × C × side × side

    @property
    def brightness(self) -> Floats:
        """K: the share of a kernel's squared weights that is in its mean over places, 0…1; the rest are differences."""
        side = self.weights.shape[-1]
        whole = (self.weights**2).sum((1, 2, 3))
        means = side**2 * (self.weights.mean((2, 3)) ** 2).sum(1)
        return np.divide(means, whole, out=np.zeros_like(whole), where=whole > 0)


@dataclass(frozen=True)
class Confused:
    """The K wrongly classified test images of which the net is surest, the surest first."""

    places: Ints  # K, in the test set
    labels: Ints  # K, the true class
    predicted: Ints  # K
    confidence: Floats  # K, probability of the predicted class
    images: int


@dataclass(frozen=True)
class Excitement:
    """The K test images that excite each of C channels most, the most first, and where they do.

    Windows: first and last + 1 row, first and last + 1 column of the receptive field, clipped to the image.
    """

    at: str
    part: str
    places: Ints  # C × K, in the test set
    values: Floats  # C × K
    windows: Ints  # C × K × 4
    images: int


@dataclass(frozen=True)
class DepthRead:
    """The head read after 0, 1, … B blocks, the others cut: what the net would say if it stopped there.

    Over N images of C classes; `kept`: blocks that cannot be cut (a plain net's, where shapes change) and stay.
    """

    probabilities: Floats  # B+1 × C, mean over the images
    accuracy: Floats  # B+1, percent
    loss: Floats  # B+1, nats; both NaN where nobody said the true class
    kept: tuple[int, ...]
    images: int


@dataclass(frozen=True)
class Attribution:
    """How much each pixel of an image speaks for a class, by one method."""

    method: str
    at: str  # the block, where the method asks for one
    target: int
    values: Floats  # side × side, colours added up
    picture: Ints  # channels × side × side, pixels 0…255
    probabilities: Floats
    completeness: float  # what the values should add up to: the change of the logit from the baseline; NaN: not claimed
    delta: float  # what they add up to, less that; NaN: not claimed


@dataclass(frozen=True)
class Randomised:
    """One attribution while the weights are randomised from the head down, a block more each time: K stages."""

    method: str
    stages: tuple[str, ...]  # K, the deepest part that is random; the first is the trained net
    values: Floats  # K × side × side
    correlation: Floats  # K, Spearman's, with the trained net's


@dataclass(frozen=True)
class Maximised:
    """A picture made to excite one channel, and how much it does after each of T steps."""

    at: str
    channel: int
    picture: Ints  # channels × side × side, pixels 0…255
    values: Floats  # T, mean of the channel's map
    seed: int
