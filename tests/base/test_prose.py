"""Prose becomes HTML where it has to move: with emphasis, and with nothing that somebody could have smuggled in."""

import pytest

from app.base.prose import as_html, literal


def test_emphasis_code_and_badges_are_html() -> None:
    assert as_html("**plain-56** makes *no* use of `stem.conv`.\n\nTwice.") == (
        "<p><strong>plain-56</strong> makes <em>no</em> use of <code>stem.conv</code>.</p>\n<p>Twice.</p>\n"
    )
    assert as_html(":green-badge[measured] error %") == "<p><span class='badge green'>measured</span> error %</p>\n"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[here](javascript:alert(1))",
        "![x](https://elsewhere.example/x.png)",
        "https://elsewhere.example",
        ":green-badge[<b>x</b>]",
        ":x' onclick='alert(1)-badge[y]",
        "`<b>`",
    ],
)
def test_everything_else_stands_for_itself(text: str) -> None:
    html = as_html(text)
    assert not any(tag in html for tag in ("<script", "<img", "<a ", "<b>", "onclick='alert(1)-badge[y]'"))
    assert html.count("<span") == 0


def test_what_is_quoted_from_outside_keeps_every_sign() -> None:
    said = as_html(literal("**a** `b` _c_ :red-badge[d]"))
    assert "<strong>" not in said
    assert "<code>" not in said
    assert "**a** `b` _c_" in said
