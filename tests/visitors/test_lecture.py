"""The lecture view: asked for by the address, kept from page to page, and left by a button that stays in sight."""

import pytest

from app.base.prose import literal
from app.base.settings import ASSETS
from app.engine.engine import Engine
from tests.support.opening import opened, press, well

CSS = (ASSETS / "lecture.css").read_text("utf-8")


@pytest.mark.usefixtures("engine")
def test_controls_are_hidden_by_the_address_and_come_back_by_the_corner() -> None:
    page = well(opened("train", lecture="1"))
    assert any(CSS in html.proto.body for html in page.get("html"))
    assert [link.proto.label for link in page.get("page_link")][:2] == ["Architecture", "Gradients"]
    page.switch_page("../pages/runs.py").run()
    assert "".join(page.query_params["lecture"]) == "1"
    page = press(well(page), "Show controls")
    assert "lecture" not in page.query_params
    assert not any(CSS in html.proto.body for html in page.get("html"))
    page = press(page, "Hide controls")
    assert "".join(page.query_params["lecture"]) == "1"


def test_nothing_else_hides_them(engine: Engine) -> None:
    page = well(opened("train", lecture="0"))
    assert engine.refusals == {}
    assert [one.value for one in page.warning] == [
        literal("The address's lecture=0 was left out: it is written lecture=1.")
    ]
    assert not any(CSS in html.proto.body for html in page.get("html"))
