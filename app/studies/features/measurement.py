"""What answers questions about what a net sees: by maps.py, and a picture made to excite a channel by maximise.py."""

import torch

from app.analysis.answering import answers
from app.analysis.progress import Progress
from app.analysis.subject import Subject
from app.data.images import prepare
from app.studies.features.maps import depth_read, feature_maps, most_confused, most_exciting
from app.studies.features.maximise import maximise
from app.studies.features.questions import (
    Confused,
    ConfusedQuestion,
    DepthQuestion,
    DepthRead,
    Excitement,
    ExcitementQuestion,
    FeatureMaps,
    FeaturesQuestion,
    Kernels,
    KernelsQuestion,
    Maximised,
    MaximisedQuestion,
    Pictures,
    PicturesQuestion,
)


@answers(PicturesQuestion)
def answer_pictures(question: PicturesQuestion, of: Subject, _progress: Progress) -> Pictures:
    """Pixels and labels."""
    places = list(question.pictures)
    return Pictures(of.images.test[places].numpy(), of.images.test_labels[places].numpy())


@answers(ConfusedQuestion)
def answer_confused(question: ConfusedQuestion, of: Subject, progress: Progress) -> Confused:
    """The surest errors."""
    return most_confused(of.net(question.step), of.images, question.images, progress=progress)


@answers(KernelsQuestion)
def answer_kernels(question: KernelsQuestion, of: Subject, _progress: Progress) -> Kernels:
    """As they were kept."""
    return Kernels(of.kept(question.step).get_submodule("stem.conv").get_parameter("weight").detach().numpy())


@answers(FeaturesQuestion)
def answer_features(question: FeaturesQuestion, of: Subject, _progress: Progress) -> FeatureMaps:
    """All channels of a place."""
    picture, label = of.picture(question.picture)
    return feature_maps(of.net(question.step), picture, of.images.info, question.at, label)


@answers(ExcitementQuestion)
def answer_excitement(question: ExcitementQuestion, of: Subject, progress: Progress) -> Excitement:
    """What excites each channel."""
    asked = question
    return most_exciting(of.net(asked.step), of.images, asked.at, asked.part, asked.images, progress=progress)


@answers(DepthQuestion)
def answer_depth(question: DepthQuestion, of: Subject, progress: Progress) -> DepthRead:
    """The head after every block."""
    net = of.net(question.step)
    if question.picture is None:
        return depth_read(net, *of.test(question.images), progress)
    picture, label = of.picture(question.picture)
    labels = None if label < 0 else torch.tensor([label])
    return depth_read(net, prepare(picture[None], of.images.info), labels, progress)


@answers(MaximisedQuestion)
def answer_maximised(question: MaximisedQuestion, of: Subject, progress: Progress) -> Maximised:
    """What a channel looks for."""
    asked = question
    net, info = of.net(asked.step), of.images.info
    return maximise(net, info, asked.at, asked.channel, asked.steps, asked.seed, progress=progress)
