"""Steps on a GPU: several are asked for before the first is done, each as one CUDA graph, and are read together.

A step of a small net is hundreds of kernels of a few microseconds, and asking for each of them from Python takes longer
than they do. Recorded once, a step is one request. Nothing waits for the GPU until some steps' figures are read at
once: so short a queue also lets the runs of other processes have their turn on the same GPU.
"""

import time
from collections.abc import Callable, Sequence

import torch

from app.base import logs
from app.data.images import Images
from app.training.probes import undisturbed
from app.training.step import Steps
from app.values.cut_spec import CutSpec
from app.values.events import BlockCut, StepMeasured
from app.values.run_spec import RunSpec

log = logs.events(__name__)

READ_SECONDS = 0.1  # between two readings: a chart that moves ten times a second is live
MOST = 500  # steps asked for at once
WARM_UP = 3  # steps before one is recorded: libraries choose their algorithms, constants reach the device


class Ahead(Steps):
    """The steps of `Steps`, within rounding, with another order of events: an update is asked for before it is known
    whether its gradient is finite. The GPU itself refuses it if not, and all that follow.
    """

    def __init__(self, spec: RunSpec, images: Images, cuts: Sequence[BlockCut]) -> None:
        super().__init__(spec, images, cuts)
        torch.backends.cudnn.benchmark = True  # every step has the same shapes
        self.drawn = self.draw(0).to(spec.device)
        self.read = torch.zeros(2 + (len(self.weights) if spec.measure else 0), device=spec.device)
        self.ready: dict[CutSpec, Callable[[], None]] = {}
        self.unrecorded = ""  # why a step is asked for anew each time
        self.most = 1

    def optimiser(self) -> torch.optim.SGD:
        """The same; its rate and its refusal are tensors, which a graph reads whenever it runs."""
        sgd, device = super().optimiser(), self.spec.device
        self.refused = torch.zeros((), device=device)  # 1: no update is made any more
        self.lr = torch.tensor(self.spec.recipe.lr, device=device)
        sgd.found_inf = self.refused  # type: ignore[attr-defined]  # as torch.amp.GradScaler does
        for group in sgd.param_groups:
            group["lr"] = self.lr
        return sgd

    def take(self, step: int, last: int) -> list[StepMeasured]:
        """Steps from `step` on, as many as take READ_SECONDS, but none beyond `last`, a moment, or another cut."""
        steps = range(step, next(end for end in range(step + 1, last + 1) if self._ends(step, end, last)))
        self.begin(step)  # in training mode, if it is recorded now
        device = self.spec.device
        draws = torch.stack([self.draw(i) for i in steps]).to(device)
        rates = torch.tensor([self.rate(i) for i in steps], dtype=self.lr.dtype).to(device)
        run = self._ready(self.cut(step))
        figures = torch.empty(len(steps), len(self.read), device=device)
        begun = time.perf_counter()
        for nth, i in enumerate(steps):
            self.begin(i)
            self.drawn.copy_(draws[nth])
            self.lr.copy_(rates[nth])
            run()
            figures[nth].copy_(self.read)
        rows = figures.tolist()  # one synchronisation for all of them
        seconds = (time.perf_counter() - begun) / len(steps)
        self.most = max(1, min(MOST, 2 * len(steps), round(READ_SECONDS / seconds)))
        measured = [self.measured(i, row, seconds) for i, row in zip(steps, rows, strict=True)]
        made = next((nth for nth, step in enumerate(measured, start=1) if not step.finite), len(measured))
        return measured[:made]

    def _ends(self, step: int, end: int, last: int) -> bool:
        """True if what is asked for at `step` ends before `end`."""
        return end in (last, step + self.most) or self.is_moment(end) or self.cut(end) != self.cut(step)

    def _step(self, cut: CutSpec) -> None:
        """The step of the batch that is drawn: nothing here waits for the device, or comes from elsewhere."""
        figures = self.figures(*self.inputs(self.drawn), cut)
        torch.maximum(self.refused, (~figures.isfinite().all()).to(self.refused.dtype), out=self.refused)
        self.sgd.step()
        self.read.copy_(figures)

    def _ready(self, cut: CutSpec) -> Callable[[], None]:
        """What makes one step under `cut`: a CUDA graph of it, or itself, with the reason in the log."""
        if cut not in self.ready:
            try:
                self.ready[cut] = self.record(lambda: self._step(cut))
            except RuntimeError as error:
                self.unrecorded = str(error).strip().partition("\n")[0] or type(error).__name__
                log.warning("step not recorded", net=self.spec.net.name, reason=self.unrecorded)
                self.ready[cut] = lambda: self._step(cut)
        return self.ready[cut]

    def record(self, step: Callable[[], None]) -> Callable[[], None]:
        """A CUDA graph of `step`. Raises RuntimeError where there can be none."""
        if self.spec.net.family == "stochastic":
            raise RuntimeError("which branches are dropped changes from step to step, and a graph is one step")
        if not torch.cuda.is_available():
            raise RuntimeError("CUDA graphs need a GPU")
        aside, main = torch.cuda.Stream(), torch.cuda.current_stream()
        self.refused.fill_(1)  # the warm-up changes no weight
        try:
            with undisturbed(self.net):
                aside.wait_stream(main)
                with torch.cuda.stream(aside):
                    for _ in range(WARM_UP):
                        step()
                main.wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                step()
        finally:
            self.refused.zero_()
        return graph.replay
