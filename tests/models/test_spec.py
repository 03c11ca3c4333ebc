"""A net's spec: read from a name, written back, refused with one clear sentence."""

import itertools
import random

import pytest

from models.names import PRESETS
from models.spec import NetSpec


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_read_from_its_name_and_written_back_as_it(name: str) -> None:
    assert str(NetSpec.parse(name)) == name


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_survives_json(name: str) -> None:
    spec = NetSpec.parse(name)
    assert NetSpec.model_validate_json(spec.model_dump_json()) == spec


SETTINGS = [
    ":".join(part for part in parts if part)
    for parts in itertools.product(
        ("plain-20", "resnet-bottleneck-29", "preact-single-8", "imagenet-resnet-50-v1.5", "imagenet-plain-34"),
        ("", "width=8"),
        ("", "shortcut=A", "shortcut=B", "shortcut=C"),
        ("", "norm=none"),
        ("", "channels=1:classes=7"),
    )
    if not ("plain" in parts[0] and parts[2])
]


@pytest.mark.parametrize("text", SETTINGS)
def test_every_combination_of_settings_survives_text_and_json(text: str) -> None:
    spec = NetSpec.parse(text)
    assert NetSpec.parse(str(spec)) == spec
    assert NetSpec.model_validate_json(spec.model_dump_json()) == spec


def test_settings_reach_the_field_that_they_name() -> None:
    spec = NetSpec.parse("imagenet-resnet-bottleneck-50-v1.5:width=8:shortcut=C:norm=none:channels=1:classes=7")
    assert spec == NetSpec(
        family="resnet",
        form="imagenet",
        branch="bottleneck",
        depth=50,
        stride_at="3x3",
        width=8,
        shortcut="C",
        norm="none",
        channels=1,
        classes=7,
    )


def test_a_setting_equal_to_the_default_is_not_written() -> None:
    assert str(NetSpec.parse("resnet-20:width=16:shortcut=A")) == "resnet-20"


def test_an_implied_branch_is_not_written() -> None:
    assert str(NetSpec.parse("imagenet-resnet-bottleneck-50")) == "imagenet-resnet-50"
    assert str(NetSpec.parse("resnet-bottleneck-56")) == "resnet-bottleneck-56"


@pytest.mark.parametrize(
    ("name", "width", "classes", "branch", "shortcut"),
    [
        ("plain-20", 16, 10, "basic", "none"),
        ("resnet-20", 16, 10, "basic", "A"),
        ("preact-bottleneck-164", 16, 10, "bottleneck", "B"),
        ("imagenet-plain-34", 64, 1000, "basic", "none"),
        ("imagenet-resnet-34", 64, 1000, "basic", "B"),
        ("imagenet-resnet-50", 64, 1000, "bottleneck", "B"),
    ],
)
def test_what_a_name_leaves_open_is_what_the_paper_used(
    name: str, width: int, classes: int, branch: str, shortcut: str
) -> None:
    spec = NetSpec.parse(name)
    assert (spec.width, spec.classes, spec.branch, spec.shortcut) == (width, classes, branch, shortcut)


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("resnet-8", (1, 1, 1)),  # 6·1 + 2
        ("resnet-1202", (200, 200, 200)),  # 6·200 + 2
        ("preact-bottleneck-164", (18, 18, 18)),  # 9·18 + 2
        ("plain-single-20", (6, 6, 6)),  # 3·6 + 2
        ("imagenet-resnet-152", (3, 8, 36, 3)),  # He 2015, table 1
    ],
)
def test_depth_is_shared_out_among_the_stages_as_the_paper_does(name: str, stages: tuple[int, ...]) -> None:
    assert NetSpec.parse(name).stage_blocks == stages


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("resnet-57", ["6n+2", "56", "62"]),
        ("plain-2", ["6n+2", "8", "14"]),
        ("resnet-1999", ["6n+2", "1994", "2000"]),
        ("preact-bottleneck-165", ["9n+2", "164", "173"]),
        ("resnet-single-21", ["3n+2", "20", "23"]),
        ("resnet-9998", ["2000"]),
        ("imagenet-resnet-35", ["18", "34"]),
        ("imagenet-resnet-100", ["50", "101", "152"]),
    ],
)
def test_a_depth_that_the_form_does_not_allow_names_the_nearest_that_it_does(text: str, named: list[str]) -> None:
    with pytest.raises(ValueError, match="depth") as refused:
        NetSpec.parse(text)
    missing = [depth for depth in named if depth not in str(refused.value).split(":", 1)[1]]
    assert not missing, str(refused.value)


REFUSED = [
    ("", "unknown net"),
    ("resnet", "unknown net"),
    ("resnet56", "unknown net"),
    ("alexnet", "unknown net"),
    ("ResNet-56", "unknown net"),
    ("resnet-56 ; rm -rf /", "unknown net"),
    ("resnet-٢٠", "unknown net"),  # 20 in Arabic-Indic digits
    ("resnet-020", "unknown net"),
    ("resnet--20", "unknown net"),
    ("resnet-20:", "unknown setting"),
    ("resnet-20:width", "unknown setting"),
    ("resnet-20:width=", "unknown setting"),
    ("resnet-20:colour=red", "unknown setting"),
    ("resnet-20:depth=56", "unknown setting"),
    ("resnet-20:width=8:width=16", "width is given twice"),
    ("resnet-20:width=0", "width"),
    ("resnet-20:width=-8", "width"),
    ("resnet-20:width=8.5", "width"),
    ("resnet-20:width=9999", "width"),
    ("resnet-20:shortcut=D", "shortcut"),
    ("resnet-20:shortcut=none", "needs a shortcut"),
    ("plain-20:shortcut=B", "no shortcut"),
    ("resnet-20:norm=layer", "norm"),
    ("resnet-20:channels=0", "channels"),
    ("resnet-20:classes=1", "classes"),
    ("resnet-20-v1.5", "v1.5"),
    ("imagenet-resnet-18-v1.5", "v1.5"),
    ("imagenet-resnet-single-18", "allows none"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_names_no_net_is_refused_in_one_sentence_that_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        NetSpec.parse(text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "resnet-" + "9" * 100_000,
        "resnet-20:width=" + "9" * 100_000,
        "resnet-20" + ":width=8" * 100_000,
        "x" * 1_000_000,
        "-" * 100_000,
        "resnet-20:" + "=" * 100_000,
        "resnet-20\0",
        "../../etc/passwd",
        "<script>alert(1)</script>",
    ],
    ids=range(9),
)
def test_hostile_text_is_refused_and_not_repeated_at_length(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        NetSpec.parse(text)
    assert len(str(refused.value)) < 200


def test_random_text_is_refused_or_read_the_same_again() -> None:
    chance = random.Random(0)
    names = ["", "imagenet-"], ["resnet", "plain", "preact", "vgg", ""], ["", "-single", "-bottleneck", "-"], ["-"]
    depths = ["8", "20", "34", "50", "56", "57", "-1", "1e3", "999999", "é", "٨"]
    keys = ["width=", "shortcut=", "norm=", "channels=", "classes=", "depth=", "width", ""]
    values = ["A", "B", "none", "batch", "1", "8", "0", "-1", "%00", "\n", "1" * 50, ""]
    read = refused = 0
    for _ in range(1000):
        text = "".join(map(chance.choice, names)) + chance.choice(depths)
        text += "".join(f":{chance.choice(keys)}{chance.choice(values)}" for _ in range(chance.choice([0, 0, 1, 2])))
        if chance.random() < 0.2:  # and noise anywhere
            place = chance.randrange(len(text) + 1)
            text = text[:place] + chr(chance.randrange(1, 0x300)) + text[place:]
        try:
            spec = NetSpec.parse(text)
        except ValueError:
            refused += 1
        else:
            read += 1
            assert NetSpec.parse(str(spec)) == spec
    assert read > 20
    assert refused > 500


def test_a_net_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValueError, match="frozen"):
        NetSpec.parse("resnet-20").width = 8


def test_a_field_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        NetSpec.model_validate({"family": "resnet", "depth": 20, "colour": "red"})


def test_fitting_a_net_to_data_changes_only_channels_and_classes() -> None:
    spec = NetSpec.parse("resnet-20:width=8:shortcut=C")
    fitted = spec.fitted(1, 7)
    assert fitted.model_dump() == {**spec.model_dump(), "channels": 1, "classes": 7}


@pytest.mark.parametrize("name", ["resnet-20:width=8", "preact-bottleneck-29", "imagenet-resnet-50-v1.5:shortcut=C"])
def test_a_plain_twin_differs_in_family_and_shortcut_alone(name: str) -> None:
    spec = NetSpec.parse(name)
    twin = spec.plain_twin()
    assert twin is not None
    assert twin.model_dump() == {
        **spec.model_dump(),
        "family": "plain",
        "shortcut": "none",
        "order": "original",
    }
