"""The feed of a live page: whoever was given it gets what has changed, and nobody else gets anything."""

import gzip
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from starlette.requests import Request
from starlette.responses import Response

from app.engine.engine import Engine
from app.engine.policy.visitor import MACHINE
from app.server import live_feed as route
from app.server.live_feed import live
from app.ui.live.scene import scene
from app.ui.widgets.feed import Feed, query
from tests.support.opening import spec, under_way


@pytest.fixture
def runs(engine: Engine) -> tuple[str, ...]:
    """Two runs that train."""
    begun = engine.runs.submit([spec("plain-8:width=4"), spec("resnet-8:width=4")], MACHINE)
    for run in begun:
        under_way(engine, run, [90.0 - step for step in range(20)])
    return tuple(run.id for run in begun)


def asked(address: str, **parts: str) -> Response:
    """The answer to these parts, by name with an underscore for a space, and the etags that the page has."""
    more = [(key, value) for name, have in parts.items() for key, value in (("part", name), ("have", have))]
    text = f"{address}&{urlencode(more)}".replace("_", "+")
    return live(
        Request({"type": "http", "method": "GET", "path": "/live", "query_string": text.encode(), "headers": []})
    )


def opened(answer: Response) -> tuple[dict[str, Any], dict[str, Any]]:
    """The head, and what each part says; of a part that did not change, nothing."""
    assert answer.status_code == 200
    body = bytes(answer.body)
    at = 4 + int.from_bytes(body[:4], "little")
    head, found = json.loads(body[4:at]), {}
    for name, _, size in head["parts"]:
        if size:
            found[name] = json.loads(gzip.decompress(body[at : at + size]))
        at += size
    assert at == len(body)
    return head, found


def test_a_page_is_fed_what_it_would_draw_and_then_only_what_has_changed(engine: Engine, runs: tuple[str, ...]) -> None:
    wanted = {
        "curves": "",
        "maps_mean": "",
        "lines_None": "",
        "layer_stem.conv": "",
        "numbers_None": "",
        "progress": "",
    }
    head, found = opened(asked(query(runs), **wanted))
    seen = scene(runs)
    assert found["curves"]["data"] == json.loads(gzip.decompress(seen.curves().chart.part.body))["data"]
    assert found["curves"]["alt"].startswith("Error in percent")
    assert found["progress"] == {"newest": 20, "moments": [0, 10, 20]}
    assert "plain-8" in found["numbers None"]
    assert {len(found[name]["data"]) > 0 for name in ("maps mean", "lines None", "layer stem.conv")} == {True}
    have = {name.replace(" ", "_"): etag for name, etag, _ in head["parts"]}
    assert opened(asked(query(runs), **have))[1] == {}
    under_way(engine, engine.store.runs.get(runs[0]), [12.0] * 30)
    engine.store.runs.update(runs[0], message="")  # counts as a change: the scene is looked at anew
    again, changed = opened(asked(query(runs), **have))
    assert changed["progress"]["newest"] == 30
    assert {"curves", "maps mean", "numbers None"} <= changed.keys()
    assert again["shape"] == head["shape"], "the page stands as it is"


def test_the_shape_changes_when_the_page_has_to(engine: Engine, runs: tuple[str, ...]) -> None:
    before = scene(runs)
    assert before.feed("curves") == Feed(query(runs), before.shape, "curves")
    followed = before.followed()
    assert opened(asked(query(runs)))[0]["shape"] == before.shape
    assert opened(asked(str(followed.feed("curves").query)))[0]["shape"] == followed.shape  # type: ignore[union-attr]
    for run in runs:
        engine.store.runs.update(run, status="finished")
    after = scene(runs)
    assert opened(asked(query(runs)))[0]["shape"] == after.shape != before.shape
    assert after.feed("curves") is None, "nothing changes any more"


def test_nobody_is_fed_runs_that_no_page_has_shown_them(runs: tuple[str, ...]) -> None:
    """With `others = hide`, ids are not secrets: they stand in files that are shared, and can be guessed at."""
    [key] = parse_qs(query(runs))["key"]
    for address in (
        f"run={runs[0]}&run={runs[1]}",
        f"run={runs[0]}&key={key}",
        f"run={runs[1]}&run={runs[0]}&key={key}",
        f"run={runs[0]}&run={runs[1]}&run=reference-plain-56&key={key}",
        f"run={runs[0]}%0A{runs[1]}&key={key}x",
        "key=",
        "",
    ):
        answer = asked(address, curves="")
        assert answer.status_code == 403
        assert b"data" not in bytes(answer.body)


@pytest.mark.parametrize(
    "part",
    [
        "",
        "curves",
        "maps",
        "maps everything",
        "lines -1",
        "lines 99999999999",
        "lines x",
        "numbers",
        "words",
        "secrets",
        "__class__",
    ],
)
def test_nonsense_is_refused_in_a_sentence_or_answered_with_what_a_page_may_see(
    runs: tuple[str, ...], part: str
) -> None:
    answer = asked(query(runs), **{part: ""})
    assert answer.status_code in (200, 400)
    assert len(answer.body) < 30_000


def test_a_page_cannot_ask_for_more_than_a_page_has(runs: tuple[str, ...]) -> None:
    assert asked(query(runs), **{f"lines_{step}": "" for step in range(route.MOST_PARTS)}).status_code == 200
    assert asked(query(runs), **{f"lines_{step}": "" for step in range(route.MOST_PARTS + 1)}).status_code == 400
    assert asked(query(runs), **{f"words_1_{'x' * 200}": ""}).status_code == 400
    assert asked(f"{query(runs)}&part=curves").status_code == 400


def test_what_is_kept_for_steps_that_somebody_looked_at_is_bounded(runs: tuple[str, ...]) -> None:
    now = scene(runs)
    for step in range(300):
        route.part(now, f"lines {step}")
        route.part(now, f"words {step} x{step}")
    assert len(now.drawings) <= 64
    assert len(now.texts) <= 64


def test_a_guess_in_the_address_is_no_html(runs: tuple[str, ...]) -> None:
    assert "<img" not in scene(runs).words(None, "<img src=x>").html


def test_a_run_that_is_gone_is_said_to_be(engine: Engine, runs: tuple[str, ...]) -> None:
    for run in runs:
        engine.store.runs.update(run, status="finished")
    engine.store.delete(runs[0])
    assert asked(query(runs), curves="").status_code == 404


@pytest.mark.parametrize(
    ("newest", "end"),
    [(0, 1000), (833, 1000), (900, 2000), (4200, 10_000), (9999, 20_000), (60_000, 64_000), (64_000, 64_000)],
)
def test_the_step_axis_of_a_long_run_ends_at_a_round_number_beyond_the_newest(
    engine: Engine, newest: int, end: int
) -> None:
    [run] = engine.runs.submit([spec("plain-8:width=4", steps=64_000)], MACHINE)
    now = scene((run.id,))
    assert replace(now, runs=(run.model_copy(update={"step": newest}),)).horizon == end
