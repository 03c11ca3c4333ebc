"""What is refused, and from where on: every limit at its very number, which is still accepted."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.base.machine import Share
from app.base.settings import Settings
from app.engine.policy import limits
from app.engine.policy.limits import (
    RefusedError,
    Request,
    check_disk,
    check_length,
    check_net,
    check_session,
    find_data,
    overlong,
    request,
)
from app.store.store import Store
from app.values.run_spec import Recipe, RunSpec
from models.plan import plan
from models.spec import NetSpec
from tests.support.runs import measured

# By hand: 22 in the stem, 80, 232 and 896 in the blocks, 90 in the head, normalisations included; eight layers.
PARAMS, LAYERS = 1320, 8


def spec(steps: int = 40, **changes: Any) -> RunSpec:
    """Ten steps an epoch."""
    net = NetSpec.parse("plain-8:width=2").fitted(1, 10)
    return RunSpec(net=net, recipe=Recipe(steps=steps, batch=64), images=640, **changes)


def foreseen(wanted: RunSpec) -> Request:
    """What it asks for, on the bundled images."""
    return request(wanted, sets())


def sets(**values: Any) -> Settings:
    return Settings.model_validate(values)


@pytest.mark.parametrize(("steps", "epochs"), [(40, 4), (41, 5), (9, 1)])
def test_a_run_keeps_its_weights_once_an_epoch_and_at_the_first_moments_its_momentum_and_all_norms(
    steps: int, epochs: int
) -> None:
    weights, norms = 4 * PARAMS, 4 * LAYERS * steps
    assert foreseen(spec(steps)).bytes_kept == weights * (4 + epochs) + weights + norms


def test_a_store_is_full_one_byte_beyond_its_limit() -> None:
    held: Any = SimpleNamespace(size=lambda: 600_000, answers=SimpleNamespace(thin_out=lambda _: False))
    check_disk(1_400_000, sets(max_disk_mb=2), held)
    with pytest.raises(RefusedError, match=r"keeps up to 2 MB and holds 1; this needs about 1\.4 more") as refused:
        check_disk(1_400_001, sets(max_disk_mb=2), held)
    assert refused.value.limit == "max_disk_mb"
    check_disk(10**15, sets(), held)


@pytest.mark.parametrize(
    ("limit", "asked", "unit"),
    [("max_images", 640, "training images"), ("max_epochs", 4, "epochs"), ("max_steps", 40, "steps")],
)
def test_what_is_asked_for_is_refused_one_beyond_its_limit(limit: str, asked: int, unit: str, tmp_path: Path) -> None:
    check_length(foreseen(spec()), sets(**{limit: asked}), Store(tmp_path))
    with pytest.raises(
        RefusedError, match=f"^{asked} {unit} asked for; this server takes up to {asked - 1}$"
    ) as refused:
        check_length(foreseen(spec()), sets(**{limit: asked - 1}), Store(tmp_path))
    assert refused.value.limit == limit


def test_a_net_is_refused_one_parameter_beyond_the_limit() -> None:
    check_net(foreseen(spec()), sets(max_parameters=PARAMS))
    with pytest.raises(RefusedError, match="has 1,320 parameters; this server takes up to 1,319") as refused:
        check_net(foreseen(spec()), sets(max_parameters=PARAMS - 1))
    assert refused.value.limit == "max_parameters"


def test_a_net_is_refused_where_its_training_takes_more_memory_than_this_machine_has_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needed = plan(spec().net, 28).training_bytes(64, 4)
    monkeypatch.setattr(limits, "share", lambda: Share(2, needed))
    check_net(foreseen(spec()), sets())
    monkeypatch.setattr(limits, "share", lambda: Share(2, needed - 1))
    with pytest.raises(RefusedError, match=r"at batch 64 needs about 0\.0 GB to train; 0\.0 GB are free") as refused:
        check_net(foreseen(spec()), sets())
    assert refused.value.limit == "memory"
    check_net(foreseen(spec()), sets(scheduler="tcp://elsewhere:8786"))
    check_net(foreseen(spec(device="cuda")), sets())
    monkeypatch.setattr(limits, "share", lambda: Share(2, None))  # a machine that does not say
    check_net(foreseen(spec()), sets())
    monkeypatch.setattr(limits, "share", lambda: Share(2, 1_500_000))
    large = spec().model_copy(update={"recipe": Recipe(steps=1, batch=4096)})
    gigabytes = plan(large.net, 28).training_bytes(4096, 4) / 1e9
    with pytest.raises(RefusedError, match=f"needs about {gigabytes:.1f} GB"):
        check_net(foreseen(large), sets())


def test_without_its_images_nothing_is_trained(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="is not in this store: upload it again") as refused:
        find_data(spec(data="own-0123456789ab"), sets(store=tmp_path))
    assert refused.value.limit == "data"
    with pytest.raises(RefusedError, match="images are not here: nets can be looked into") as refused:
        foreseen(RunSpec(net=NetSpec.parse("imagenet-resnet-18"), data="imagenet"))
    assert refused.value.limit == "data"


def test_an_epoch_has_a_step_at_least_and_a_recipe_may_count_in_epochs() -> None:
    few = spec().model_copy(update={"recipe": Recipe(epochs=3, batch=64), "images": 32})
    assert foreseen(few).bytes_kept == 4 * PARAMS * (4 + 3 + 1) + 4 * LAYERS * 3
    whole = spec().model_copy(update={"recipe": Recipe(epochs=2, batch=64)})
    assert foreseen(whole).bytes_kept == 4 * PARAMS * (4 + 2 + 1) + 4 * LAYERS * 20


def test_a_browser_is_refused_one_run_beyond_its_limit() -> None:
    check_session(1, 2, sets(session_runs=3))
    with pytest.raises(RefusedError, match="2 runs asked for and 2 wait or train already") as refused:
        check_session(2, 2, sets(session_runs=3))
    assert refused.value.limit == "session_runs"
    with pytest.raises(RefusedError, match=r"^1 run asked for and 3 .* takes up to 3 at a time from one browser$"):
        check_session(3, 1, sets(session_runs=3))
    with pytest.raises(RefusedError, match=r"^4 runs asked for; this server"):
        check_session(0, 4, sets(session_runs=3))
    check_session(100, 100, sets())


def test_a_run_is_foreseen_to_take_too_long_from_the_minute_on(tmp_path: Path) -> None:
    store = Store(tmp_path)
    measured(store, spec(), pace=0.5, steps=10)  # so that 120 steps take a minute
    check_length(foreseen(spec(119)), sets(max_minutes=1), store)
    with pytest.raises(RefusedError, match="would train for about 1 minutes at this server's pace") as refused:
        check_length(foreseen(spec(121)), sets(max_minutes=1), store)
    assert refused.value.limit == "max_minutes"
    check_length(foreseen(spec(239)), sets(max_minutes=2), store)
    with pytest.raises(RefusedError, match="would train for about 61 minutes"):
        check_length(foreseen(spec(7320)), sets(max_minutes=2), store)


def test_a_run_may_train_for_the_whole_of_its_last_minute_and_no_longer() -> None:
    assert overlong(120.0, sets(max_minutes=2)) == ""
    assert overlong(120.01, sets(max_minutes=2)).startswith("it has trained for 2 minutes")
    assert overlong(1e9, sets()) == ""
