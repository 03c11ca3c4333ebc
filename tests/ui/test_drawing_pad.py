"""What a browser may send as a drawing: a PNG in letters, and nothing else."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from app.data.pictures import PictureError, fitted
from app.studies.features.chosen_picture import sources
from app.ui.widgets.drawing_pad import LONGEST, sent
from app.values.datasets import DATASETS

HEAD = "data:image/png;base64,"


def test_a_drawn_stroke_arrives_where_it_was_drawn() -> None:
    drawn = Image.new("RGB", (224, 224))
    drawn.paste((255, 255, 255), (80, 160, 144, 192))  # columns 10–17, rows 20–23 of 28
    file = io.BytesIO()
    drawn.save(file, "PNG")
    content = sent(HEAD + base64.b64encode(file.getvalue()).decode())
    assert content == file.getvalue()
    picture = fitted(content, 1, 28)
    rows, columns = np.nonzero(picture[0] > 127)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 23, 10, 17)


@pytest.mark.parametrize("nothing", [None, "", 0])
def test_an_empty_square_is_no_picture(nothing: object) -> None:
    assert sent(nothing) is None


@pytest.mark.parametrize(
    "hostile", [7, ["x"], "javascript:alert(1)", "data:text/html;base64,AAAA", f"{HEAD}***", HEAD + "A" * LONGEST]
)
def test_anything_else_is_refused_with_a_sentence(hostile: object) -> None:
    with pytest.raises(PictureError, match="draw again"):
        sent(hostile)


def test_letters_that_are_no_png_are_refused_as_any_file_is() -> None:
    content = sent(HEAD + base64.b64encode(b"no picture").decode())
    assert content is not None
    with pytest.raises(PictureError, match="not an image"):
        fitted(content, 1, 28)


def test_drawing_is_offered_where_pictures_are_white_on_black() -> None:
    assert "draw" in sources(DATASETS["mnist"])
    assert "draw" not in sources(DATASETS["cifar-10"])
