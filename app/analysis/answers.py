"""Each kind of question, and what answers it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from app.analysis.moment import kept_net, net_at
from app.analysis.progress import Progress, quiet
from app.base.settings import Settings
from app.data.images import Images, load, load_for, prepare
from app.data.pictures import from_text
from app.studies.attributions.measurement import attribute, randomised
from app.studies.features.maximise import maximise
from app.studies.features.measurement import depth_read, feature_maps, most_confused, most_exciting
from app.studies.features.results import Kernels, Pictures
from app.studies.gradients.measurement import batch, distribution, gradients
from app.studies.identity.measurement import deepened, learn, train_on
from app.studies.lesions.measurement import (
    cut_probabilities,
    evaluate_cuts,
    random_lesions,
    reorderings,
    single_lesions,
)
from app.studies.paths.by_length import gradients_by_length
from app.studies.paths.sampled import sample_paths
from app.studies.shattered.measurement import Chain, neighbours, shattered
from app.studies.signal.measurement import signal
from app.studies.subnetworks.measurement import sub_networks
from app.studies.truth_test.measurement import course, grid, settings
from app.values.cut_spec import WHOLE
from app.values.datasets import BUNDLED, check_images
from app.values.questions import (
    AttributionQuestion,
    ConfusedQuestion,
    CourseQuestion,
    CutPicturesQuestion,
    CutQuestion,
    DeepenedQuestion,
    DeepPathsQuestion,
    DepthQuestion,
    DistributionQuestion,
    ExcitementQuestion,
    FeaturesQuestion,
    GradientsQuestion,
    GridQuestion,
    KernelsQuestion,
    LessonQuestion,
    MaximisedQuestion,
    NeighboursQuestion,
    PathsQuestion,
    PicturesQuestion,
    Question,
    RandomisedQuestion,
    RandomLesionsQuestion,
    ReorderingsQuestion,
    SampledPathsQuestion,
    ShatteredQuestion,
    SignalQuestion,
    SingleLesionsQuestion,
    SubNetworksQuestion,
    TrainedOnQuestion,
)
from app.values.results import Result
from app.values.run_spec import RunSpec
from models.nets.net import Net
from models.spec import NetSpec


@dataclass(frozen=True)
class Subject:
    """What is asked about: a run's spec (None: no run), its folder of weights, its steps per epoch."""

    spec: RunSpec | None
    folder: Path
    epoch_steps: int
    settings: Settings

    @cached_property
    def images(self) -> Images:
        """Its images; without a run, the bundled ones. Raises as `load` does."""
        return load_for(self.spec, self.settings) if self.spec else load(BUNDLED, self.settings)

    def test(self, count: int) -> tuple[Tensor, Tensor]:
        """The first `count` test images as the net takes them, N×C×H×W, and their labels."""
        return prepare(self.images.test[:count], self.images.info), self.images.test_labels[:count]

    def picture(self, said: str) -> tuple[Tensor, int]:
        """The picture that a question carries, C×H×W uint8, and its label; −1 for a person's own."""
        kind, _, text = said.partition(":")
        if kind == "test":
            return self.images.test[int(text)], int(self.images.test_labels[int(text)])
        info = self.images.info
        return torch.from_numpy(from_text(text, info.channels, info.size)), -1

    def net(self, step: int) -> Net:
        """Its net at a moment; the last few are kept, for the next question. Do not change it."""
        return _net(self, step)

    def kept(self, step: int) -> Net:
        """The same for training mode: quicker, since no running statistics are made sound."""
        assert self.spec is not None
        return kept_net(self.spec, self.folder, step)


@lru_cache(maxsize=4)
def _net(subject: Subject, step: int) -> Net:
    assert subject.spec is not None
    return net_at(subject.spec, subject.folder, step, subject.images, subject.epoch_steps)


def paths(question: PathsQuestion, of: Subject, progress: Progress) -> Result:
    """The exact gradient by length."""
    x, y = of.test(question.images)
    return gradients_by_length(of.net(question.step), x, y, question.at, progress=progress)


def sampled(question: SampledPathsQuestion, of: Subject, progress: Progress) -> Result:
    """Single paths."""
    x, y = of.test(question.images)
    net = of.net(question.step)
    return sample_paths(net, x, y, question.at, question.draws, seed=question.seed, progress=progress)


def subnets(question: SubNetworksQuestion, of: Subject, progress: Progress) -> Result:
    """Sub-networks."""
    x, y = of.test(question.images)
    return sub_networks(of.net(question.step), x, y, question.draws, question.seed, progress)


def cut(question: CutQuestion, of: Subject, progress: Progress) -> Result:
    """One cut."""
    return evaluate_cuts(of.net(question.step), of.images, [question.cut], question.images, progress)[0]


def cut_pictures(question: CutPicturesQuestion, of: Subject, progress: Progress) -> Result:
    """The whole net first, then the cut one."""
    chosen = torch.stack([of.picture(said)[0] for said in question.pictures])
    return cut_probabilities(of.net(question.step), chosen, of.images.info, [WHOLE, question.cut])


def pictures(question: PicturesQuestion, of: Subject, progress: Progress) -> Result:
    """Pixels and labels."""
    places = list(question.pictures)
    return Pictures(of.images.test[places].numpy(), of.images.test_labels[places].numpy())


def single(question: SingleLesionsQuestion, of: Subject, progress: Progress) -> Result:
    """Every block alone."""
    return single_lesions(of.net(question.step), of.images, question.images, progress)


def drawn(
    study: Callable[..., Result], asked: RandomLesionsQuestion | ReorderingsQuestion, of: Subject, progress: Progress
) -> Result:
    """k blocks at random, or k swaps."""
    return study(of.net(asked.step), of.images, asked.k or None, asked.draws, asked.seed, asked.images, progress)


def gradient_norms(question: GradientsQuestion, of: Subject, progress: Progress) -> Result:
    """Every layer and block."""
    return gradients(of.kept(question.step), *batch(of.images, question.images))


def gradient_numbers(question: DistributionQuestion, of: Subject, progress: Progress) -> Result:
    """One layer's weight gradient."""
    try:
        return distribution(of.kept(question.step), *batch(of.images, question.images), question.layer)
    except KeyError as error:
        raise ValueError(f"this net has no layer {question.layer}") from error


def forward_signal(question: SignalQuestion, of: Subject, progress: Progress) -> Result:
    """Responses and residuals."""
    return signal(of.net(question.step), of.test(question.images)[0])


def truth_test(question: GridQuestion, of: Subject, progress: Progress) -> Result:
    """48 nets."""
    return grid(settings(), of.images, question.seeds, question.images, progress)


def first_steps(question: CourseQuestion, of: Subject, progress: Progress) -> Result:
    """One net, trained."""
    info = of.images.info
    net = NetSpec.parse(question.net).fitted(info.channels, info.classes)
    return course(net, of.images, question.steps, question.seed, threads=torch.get_num_threads(), progress=progress)


def along_one_input(question: ShatteredQuestion, of: Subject, progress: Progress) -> Result:
    """Balduzzi's fully connected nets."""
    depth, norm = question.depth, question.norm
    chains = (Chain(1), Chain(depth, norm=norm), Chain(depth, shortcut=True, beta=question.beta, norm=norm))
    return shattered(chains, seed=question.seed, progress=progress)


def between_images(question: NeighboursQuestion, of: Subject, progress: Progress) -> Result:
    """Convolutional nets."""
    info = of.images.info
    nets = tuple(NetSpec.parse(net).fitted(info.channels, info.classes) for net in question.nets)
    return neighbours(nets, of.images, progress=progress)


def by_construction(question: DeepenedQuestion, of: Subject, progress: Progress) -> Result:
    """The check; the deeper net's weights are not kept."""
    return deepened(of.net(question.step), question.depth, of.images)[1]


def trained_on(question: TrainedOnQuestion, of: Subject, progress: Progress) -> Result:
    """Both nets, each for so many steps at a constant rate, as the run was trained but for that."""
    assert of.spec is not None
    own = of.spec.recipe
    recipe = own.model_copy(
        update={"name": "trained-on", "steps": question.steps, "lr": question.rate, "schedule": "constant"}
        | {"warmup_steps": 0}
    )
    machine = {"device": "cpu", "precision": "float32", "threads": torch.get_num_threads()}
    spec = of.spec.model_copy(update={"recipe": recipe, "seed": question.seed, "measure": False} | machine)
    return train_on(of.net(question.step), spec, question.depth, of.images, progress)


def lesson(question: LessonQuestion, of: Subject, progress: Progress) -> Result:
    """Both stacks."""
    return learn(question.target, (question.blocks,), seed=question.seed, progress=progress)


def confused(question: ConfusedQuestion, of: Subject, progress: Progress) -> Result:
    """The surest errors."""
    return most_confused(of.net(question.step), of.images, question.images, progress=progress)


def kernels(question: KernelsQuestion, of: Subject, progress: Progress) -> Result:
    """As they were kept."""
    return Kernels(of.kept(question.step).get_submodule("stem.conv").get_parameter("weight").detach().numpy())


def features(question: FeaturesQuestion, of: Subject, progress: Progress) -> Result:
    """All channels of a place."""
    picture, label = of.picture(question.picture)
    return feature_maps(of.net(question.step), picture, of.images.info, question.at, label)


def excitement(question: ExcitementQuestion, of: Subject, progress: Progress) -> Result:
    """What excites each channel."""
    asked = question
    return most_exciting(of.net(asked.step), of.images, asked.at, asked.part, asked.images, progress=progress)


def depth(question: DepthQuestion, of: Subject, progress: Progress) -> Result:
    """The head after every block."""
    net = of.net(question.step)
    if question.picture is None:
        return depth_read(net, *of.test(question.images), progress)
    picture, label = of.picture(question.picture)
    labels = None if label < 0 else torch.tensor([label])
    return depth_read(net, prepare(picture[None], of.images.info), labels, progress)


def attribution(question: AttributionQuestion, of: Subject, progress: Progress) -> Result:
    """What speaks for a class; of a `RandomisedQuestion`, while the net forgets."""
    asked, (picture, _) = question, of.picture(question.picture)
    work = randomised if isinstance(asked, RandomisedQuestion) else attribute
    found: Result = work(
        of.net(asked.step), picture, of.images.info, asked.method, asked.target, asked.at or "", progress=progress
    )
    return found


def maximised(question: MaximisedQuestion, of: Subject, progress: Progress) -> Result:
    """What a channel looks for."""
    asked = question
    net, info = of.net(asked.step), of.images.info
    return maximise(net, info, asked.at, asked.channel, asked.steps, asked.seed, progress=progress)


ANSWERS: dict[type[Question], Callable[[Any, Subject, Progress], Result]] = {
    PathsQuestion: paths,
    DeepPathsQuestion: paths,
    SampledPathsQuestion: sampled,
    SubNetworksQuestion: subnets,
    CutQuestion: cut,
    CutPicturesQuestion: cut_pictures,
    PicturesQuestion: pictures,
    SingleLesionsQuestion: single,
    RandomLesionsQuestion: partial(drawn, random_lesions),
    ReorderingsQuestion: partial(drawn, reorderings),
    GradientsQuestion: gradient_norms,
    DistributionQuestion: gradient_numbers,
    SignalQuestion: forward_signal,
    GridQuestion: truth_test,
    CourseQuestion: first_steps,
    ShatteredQuestion: along_one_input,
    NeighboursQuestion: between_images,
    DeepenedQuestion: by_construction,
    TrainedOnQuestion: trained_on,
    LessonQuestion: lesson,
    ConfusedQuestion: confused,
    KernelsQuestion: kernels,
    FeaturesQuestion: features,
    ExcitementQuestion: excitement,
    DepthQuestion: depth,
    AttributionQuestion: attribution,
    RandomisedQuestion: attribution,
    MaximisedQuestion: maximised,
}


def looks_at_one_picture(question: Question) -> bool:
    """True for what can be asked of a net whose images are not here: about its weights, or a person's own picture."""
    own = str(getattr(question, "picture", "")).startswith("own:")
    return own or isinstance(question, KernelsQuestion | MaximisedQuestion)


def answer(question: Question, subject: Subject, progress: Progress = quiet) -> Result:
    """The result that the question's kind asks for. Raises ValueError with a sentence for people."""
    if not looks_at_one_picture(question):
        check_images(subject.images.info)
    try:
        return ANSWERS[type(question)](question, subject, progress)
    except IndexError as error:
        raise ValueError("there is no such picture in the test set") from error
