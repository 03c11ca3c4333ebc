"""What a decomposition says, in words computed from it."""

from math import isfinite

from app.base.prose import prose
from app.figures.numbers import branch, raised
from app.studies.paths.questions import PathGradients, SampledPaths
from app.values.arrays import Floats, Ints
from models.families import PLAIN
from models.paper.equation import joined
from models.paper.lengths import path_counts, share, shortest_range
from models.spec import NetSpec

BETS = ("shorter than most", "as long as most", "longer than most")
CLOSE = 0.05  # of the number of blocks: mean lengths no farther apart are called equal
AGREE = 1.1  # norms that add up to no more than this much of the sum's norm nearly agree


def tree_words(net: NetSpec, name: str, off: frozenset[int]) -> list[str]:
    """How many paths there are, and how many are left."""
    page, n = prose("paths"), net.blocks
    names = " and ".join(branch(i) for i in sorted(off)) if len(off) < 4 else f"{len(off)} blocks"
    if net.family in PLAIN:
        fate = page["one-off-some"].format(off=names) if off else page["one-off-none"]
        return [page["one-path"].format(name=name, blocks=n, off=fate)]
    fate = page["off-none"]
    if off:
        them = "it" if len(off) == 1 else "any of them"
        part = "half" if len(off) == 1 else f"1/{2 ** len(off):,}" if len(off) <= 20 else f"1/2{raised(len(off))}"
        left = _power(n - len(off))
        fate = page["off-some"].format(off=names, them=them, left=left, part=part)
    sigma = page["sigma" if "σ" in joined(net, "x", "F", "T", "b") else "no-sigma"]
    return [page["paths"].format(name=name, blocks=n, count=_power(n), off=fate), page["term"].format(sigma=sigma)]


def gradient_words(net: NetSpec, exact: PathGradients, sampled: SampledPaths | None, bet: str | None) -> list[str]:
    """Which lengths carry most, whether the prediction held, and what the sum and the norms have in common."""
    page = prose("paths")
    total = float(exact.norms.sum())
    if not isfinite(total) or not total > 0 or not isfinite(exact.gradient_norm):
        return [page["silent"]]
    complete = exact.lengths[-1] == exact.blocks
    sentences = [
        page["witness"].format(error=tiny(exact.relative_remainder))
        if complete
        else page["remainder"].format(
            longest=exact.lengths[-1],
            remainder=f"{exact.remainder_norm:.3g}",
            gradient=f"{exact.gradient_norm:.3g}",
        )
    ]
    if len(exact.lengths) > 1:
        sentences.append(_carry(net, exact, total))
        if complete:
            outcome = BETS[leaning(exact.norms, exact.lengths, exact.blocks)]
            word = page[("shorter", "equal", "longer")[BETS.index(outcome)]]
            mean = mean_length(exact.norms, exact.lengths)
            sentences.append(page["mean"].format(half=exact.blocks / 2, mean=mean, word=word))
            if bet in BETS:
                sentences.insert(0, page["bet-right" if bet == outcome else "bet-wrong"].format(bet=bet, found=outcome))
    sentences.append(_two_norms(exact, total))
    if sampled is not None and sampled.effective:
        singles = float((sampled.means * 10**sampled.log10_counts).sum())
        sentences.append(page["three-norms"].format(singles=f"{singles:.3g}"))
    return sentences


def _carry(net: NetSpec, exact: PathGradients, total: float) -> str:
    """The shortest range of lengths that holds half, and the one that holds 95 %, against their parts of all paths."""
    counts, norms = path_counts(net, exact.blocks), exact.norms.tolist()
    (near, far), (first, last) = shortest_range(norms, 0.5), shortest_range(norms)
    low, high = int(exact.lengths[near]), int(exact.lengths[far])
    return prose("paths")["carry"].format(
        lengths=f"Lengths {low}–{high} carry" if high > low else f"Length {low} alone carries",
        held=percent(sum(norms[near : far + 1]) / total),
        share=percent(share(counts, low, high)),
        first=exact.lengths[first],
        last=exact.lengths[last],
        whole=percent(share(counts, int(exact.lengths[first]), int(exact.lengths[last]))),
    )


def _two_norms(exact: PathGradients, parts: float) -> str:
    whole = exact.gradient_norm
    kind = "two-norms-one" if len(exact.lengths) == 1 else "two-norms-agree" if parts < AGREE * whole else "two-norms"
    return prose("paths")[kind].format(whole=f"{whole:.3g}", parts=f"{parts:.3g}", lengths=len(exact.lengths))


def mean_length(norms: Floats, lengths: Ints) -> float:
    """Mean number of branches passed, each length weighed by its norm."""
    return float((norms * lengths).sum() / norms.sum())


def leaning(norms: Floats, lengths: Ints, blocks: int) -> int:
    """Which of the `BETS` is right: 0 if the mean length lies clearly below half of the blocks, 2 if above, else 1."""
    apart = mean_length(norms, lengths) - blocks / 2
    return 1 if abs(apart) <= CLOSE * blocks else 0 if apart < 0 else 2


def veit_table(net: NetSpec, name: str, sampled: SampledPaths) -> str:
    """Our figures above the paper's, as Markdown."""
    counts = path_counts(net, sampled.blocks)
    lengths, weights = list(counts), [float(n) for n in counts.values()]
    first, last = (lengths[i] for i in shortest_range(weights))
    effective = "–".join(map(str, dict.fromkeys(sampled.effective))) or "not known"
    part = percent(sampled.effective_share) if sampled.effective else "–"
    return prose("paths")["veit-table"].format(
        name=name,
        blocks=sampled.blocks,
        most="–".join(map(str, dict.fromkeys((first, last)))),
        effective=effective,
        share=part,
    )


# ── numbers as people write them ──


def tiny(value: float) -> str:
    """0.00000031 → 3·10⁻⁷."""
    if not value > 0:
        return "the last digit"
    digit, _, exponent = f"{value:.0e}".partition("e")
    return f"{digit}·10{raised(int(exponent))}"


def percent(part: float) -> str:
    """0.0045 → 0.45 %: three significant digits, but 100 % for all."""
    return f"{100 * part:.3g} %" if part < 1 else "100 %"


def _power(n: int) -> str:
    """2⁹ = 512, and the power alone where nobody would read the number."""
    return f"2{raised(n)} = {2**n:,}" if n <= 20 else f"2{raised(n)}"


def ordinal(n: int) -> str:
    """`3rd`."""
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{n}{'th' if n % 100 in (11, 12, 13) else ends.get(n % 10, 'th')}"
