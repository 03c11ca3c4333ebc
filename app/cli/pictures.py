"""What the verbs that look at one picture share: which picture, and where the PNG goes."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.shared import Moment, fail

ImageFile = Annotated[Path | None, typer.Option("--image", help="your own picture")]
TestImage = Annotated[int, typer.Option("--test", min=0, help="else a test image, by its place")]
Out = Annotated[Path, typer.Option("--out", help="the PNG to write")]


def chosen_picture(subject: Moment, file: Path | None, test: int) -> tuple[Any, int]:
    """The picture, C×H×W uint8, and its label; −1 for one's own."""
    if file is None:
        if test >= len(subject.images.test):
            fail(f"there are {len(subject.images.test)} test images, from 0")
        return subject.images.test[test], int(subject.images.test_labels[test])
    import torch

    from app.data.pictures import fitted

    info = subject.images.info
    return torch.from_numpy(fitted(file.read_bytes(), info.channels, info.size)), -1
