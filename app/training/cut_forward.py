"""One block taken away, or turned down: what remains of it is its shortcut, and the σ behind their sum.

A cut is the lesion of Veit et al. 2016, *Residual Networks Behave Like Ensembles of Relatively Shallow Networks*,
section 4.1. The net stays as it is: nothing is patched, a block is only computed otherwise. While it trains, a branch
that is cut has no gradient, and its weights stay what they were.
"""

import torch
from torch import Tensor

from app.values.cut_spec import CutSpec
from models.nets.blocks import Append, Block, Gated, Sum, Zero
from models.nets.net import Net, blocks_of


def cut_output(net: Net, x: Tensor, cut: CutSpec) -> Tensor:
    """The logits, N×classes, of the net under `cut`: one that `CutSpec.check` lets pass. `x`: N×C×H×W."""
    blocks = blocks_of(net)
    x = net.stem(x)
    for block, scale in cut.route(len(blocks)):
        x = block_output(blocks[block], x, scale)
    logits: Tensor = net.head(x)
    return logits


def block_output(block: Block, x: Tensor, scale: float = 1.0) -> Tensor:
    """The block's output with its branch scaled: 1 is the whole block, 0 the block cut (the branch is not computed).

    `x`: the block's input, N×C×H×W. A gate that opens for the branch (highway's T) is scaled with
    it, so that a cut passes on all of x. A plain block has no shortcut: cut, it is y = x, and in between
    (1 − scale)·x + scale·F(x). Raises ValueError where `refusal` gives a reason.
    """
    if scale == 1:
        return block(x)
    if reason := refusal(block):
        raise ValueError(reason)
    x = block.enter(x)
    h = block.before(x)
    s = block.shortcut(x, h)
    alone = x if s is None else _alone(block, x, s)
    if scale == 0:
        return block.after(alone)
    return block.after(torch.lerp(alone, block.join(x, s, block.branch(h)), scale))


def refusal(block: Block) -> str:
    """Why the block cannot be cut, in one sentence; empty where it can."""
    plan = block.plan
    if not isinstance(block.shortcut, Zero) or (plan.stride == 1 and plan.inputs == plan.outputs):
        return ""
    size = plan.size_out * plan.stride
    return (
        f"block {plan.index} cannot be cut: it has no shortcut, and turns {plan.inputs}×{size}×{size} "
        f"into {plan.outputs}×{plan.size_out}×{plan.size_out}"
    )


def _alone(block: Block, x: Tensor, s: Tensor) -> Tensor:
    """What the join makes of the shortcut `s` when there is no branch."""
    join = block.join
    if isinstance(join, Sum) or (isinstance(join, Gated) and not join.shortcut_only):
        return s  # of a gate: T = 0
    new = block.plan.outputs - block.plan.passes if isinstance(join, Append) else block.plan.outputs
    return join(x, s, s.new_zeros(len(s), new, *s.shape[2:]))
