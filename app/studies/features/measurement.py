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
def answer_pictures(question: PicturesQuestion, subject: Subject, _progress: Progress) -> Pictures:
    """Pixels and labels."""
    places = list(question.pictures)
    return Pictures(subject.images.test[places].numpy(), subject.images.test_labels[places].numpy())


@answers(ConfusedQuestion)
def answer_confused(question: ConfusedQuestion, subject: Subject, progress: Progress) -> Confused:
    """The surest errors."""
    return most_confused(subject.net(question.step), subject.images, question.images, progress=progress)


@answers(KernelsQuestion)
def answer_kernels(question: KernelsQuestion, subject: Subject, _progress: Progress) -> Kernels:
    """As they were kept."""
    return Kernels(subject.kept(question.step).get_submodule("stem.conv").get_parameter("weight").detach().numpy())


@answers(FeaturesQuestion)
def answer_features(question: FeaturesQuestion, subject: Subject, _progress: Progress) -> FeatureMaps:
    """All channels of a place."""
    picture, label = subject.picture(question.picture)
    return feature_maps(subject.net(question.step), picture, subject.images.info, question.at, label)


@answers(ExcitementQuestion)
def answer_excitement(question: ExcitementQuestion, subject: Subject, progress: Progress) -> Excitement:
    """What excites each channel."""
    asked = question
    return most_exciting(subject.net(asked.step), subject.images, asked.at, asked.part, asked.images, progress=progress)


@answers(DepthQuestion)
def answer_depth(question: DepthQuestion, subject: Subject, progress: Progress) -> DepthRead:
    """The head after every block."""
    net = subject.net(question.step)
    if question.picture is None:
        return depth_read(net, *subject.test(question.images), progress)
    picture, label = subject.picture(question.picture)
    labels = None if label < 0 else torch.tensor([label])
    return depth_read(net, prepare(picture[None], subject.images.info), labels, progress)


@answers(MaximisedQuestion)
def answer_maximised(question: MaximisedQuestion, subject: Subject, progress: Progress) -> Maximised:
    """What a channel looks for."""
    asked = question
    net, info = subject.net(asked.step), subject.images.info
    return maximise(net, info, asked.at, asked.channel, asked.steps, asked.seed, progress=progress)
