"""What a click in a chart changes in the address."""

from app.ui.page import address
from app.ui.widgets.live_chart import Click
from app.ui.widgets.strip import selection


def to_step(click: Click) -> None:
    """Look at the step that was clicked."""
    if isinstance(click.x, int | float):
        address.go_to_step(round(click.x))


def to_layer(click: Click) -> None:
    """Select the layer or block that was clicked."""
    if layer := selection(click.customdata):
        address.go_to_layer(layer)


def to_cell(click: Click) -> None:
    """Both: a cell of a map is a layer at a step."""
    to_step(click)
    to_layer(click)
