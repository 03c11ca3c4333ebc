"""Sheets, overlays and frames against pixels counted by hand."""

import numpy as np

from app.figures.sheets import RULE, as_picture, by_mean, coloured, enlarged, kernels, overlay, sheet, windowed
from app.figures.theme import DIVERGING, SEQUENTIAL
from app.studies.features.depth_figures import accuracy, probabilities
from app.studies.features.kernels import balance
from app.studies.features.questions import DepthRead, Kernels


def colour(text: object) -> list[int]:
    """#RRGGBB as numbers."""
    return [int(str(text)[i : i + 2], 16) for i in (1, 3, 5)]


def test_the_most_active_channel_comes_first_and_maps_stand_a_gap_apart() -> None:
    maps = np.zeros((4, 2, 2))
    maps[2] = 3
    maps[1] = 1
    assert by_mean(maps).tolist() == [2, 1, 0, 3]
    drawn = sheet(maps, shared=True)
    assert drawn.shape == (5, 5, 3)
    assert drawn[0, 0].tolist() == colour(SEQUENTIAL[-1][1])
    assert drawn[0, 2].tolist() == [255, 255, 255]
    assert drawn[4, 4].tolist() == colour(SEQUENTIAL[0][1])
    assert sheet(maps)[0, 3].tolist() == colour(SEQUENTIAL[-1][1])  # its own scale


def test_zero_is_the_middle_where_both_sides_are_told_apart() -> None:
    drawn = coloured(np.array([[-2.0, 0.0, 2.0]]), 2.0, True)
    assert drawn[0].tolist() == [colour(DIVERGING[i][1]) for i in (0, 2, 4)]
    assert coloured(np.zeros((1, 1)), 0.0, True)[0, 0].tolist() == colour(DIVERGING[2][1])


def test_an_overlay_shows_the_image_where_nothing_speaks() -> None:
    picture = np.full((1, 2, 2), 90)
    values = np.array([[0.0, 1.0], [-1.0, 0.5]])
    drawn = overlay(picture, values, 1.0)
    assert drawn[0, 0].tolist() == [90, 90, 90]
    assert drawn[0, 1].argmax() == 1  # green: for
    assert drawn[1, 0].argmax() == 2  # purple: against
    assert (overlay(picture, values, 0.0) == 90).all()


def test_one_pixel_far_above_all_others_does_not_hide_them() -> None:
    values = np.full((20, 20), -0.5)
    values[0, 0] = 100
    drawn = overlay(np.full((1, 20, 20), 90), values, 1.0)
    assert drawn[9, 9].argmax() == 2  # purple all the same
    assert drawn[0, 0].tolist() == [20, 190, 80]
    sparse = overlay(np.full((1, 20, 20), 90), np.where(values > 0, values, 0), 1.0)
    assert sparse[0, 0].tolist() == [20, 190, 80]


def test_an_enlarged_pixel_is_a_square_and_a_frame_stands_around_its_window() -> None:
    picture = np.arange(4).reshape(1, 2, 2)
    assert (enlarged(as_picture(picture), 20)[:10, 10:] == 1).all()
    framed = windowed(picture, np.array([0, 1, 1, 2]), 20)
    assert framed[0, 10].tolist() == framed[9, 19].tolist() != [1, 1, 1]
    assert framed[5, 15].tolist() == [1, 1, 1]


def test_the_words_about_depth_are_counted_from_the_numbers() -> None:
    told = np.array([[0.8, 0.2], [0.3, 0.7], [0.1, 0.9]])
    read = DepthRead(told, np.array([50.0, 60.0, 90.0]), np.zeros(3), (1,), 10)
    figure = probabilities(read, ["cat", "dog"], "here")
    assert "It says dog after 1 of 2 blocks" in figure.caption
    assert "but for 1," in figure.caption
    figure = accuracy([("resnet-8", "#0072B2", read)], "Step 3")
    assert "resnet-8: 60% halfway" in figure.caption


def test_kernels_are_grey_at_zero_and_keep_their_colours() -> None:
    weights = np.zeros((2, 3, 3, 3))
    weights[1, 0, 0, 0] = 2  # red for
    weights[1, 2, 2, 2] = -1  # half as much against blue
    drawn = kernels(weights)
    assert drawn.shape == (14, 27, 3)  # a weight is 4 × 4, a rule 1
    assert (drawn[1:13, 1:13] == 128).all()
    assert (drawn[:, [0, 13, 26]] == RULE).all()
    assert (drawn[[0, 13]] == RULE).all()
    assert (drawn[1:5, 14:18] == [255, 128, 128]).all()
    assert (drawn[9:13, 22:26] == [128, 128, 64]).all()
    assert kernels(weights[:, :1])[1, 14].tolist() == [255, 255, 255]


def test_a_flat_kernel_weighs_brightness_and_an_edge_differences() -> None:
    flat, edge = np.ones((3, 3)), np.array([[1.0, 0, -1]] * 3)
    found = Kernels(np.stack([flat, edge, edge + 0.5 * flat, np.zeros((3, 3))])[:, None])
    # By hand: (e + f/2)² sums to 6 + 9/4, of which 9/4 is its mean's.
    np.testing.assert_allclose(found.brightness, [1, 0, 2.25 / 8.25, 0])
    assert balance(Kernels(found.weights[:2])).startswith("In 1 of 2 most")
