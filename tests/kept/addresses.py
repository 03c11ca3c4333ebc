"""Addresses, spellings and command lines as people have written them; `<finished>` and its like are runs of the store.

What each showed when it was written down is in addresses.json and commands.json.
"""

PAGES: list[tuple[str, dict[str, list[str]]]] = [
    ("start", {"guess": ["plain-56"]}),
    ("start", {"guess": ["no difference"], "lecture": ["1"]}),
    (
        "train",
        {"net": ["plain-20", "resnet-26:shortcut=B"], "width": ["16"], "data": ["cifar-10"], "recipe": ["paper"]}
        | {"seed": ["7"], "guess": ["resnet-26"]},
    ),
    ("train", {"run": ["<cut>", "<paused>"], "step": ["5"], "layer": ["blocks.1.branch.conv2"]}),
    ("train", {"run": ["<diverged>", "<imported>"], "race": ["gates"]}),
    ("train", {"data": ["own-9bc867161fdb"], "net": ["resnet-8"], "step": ["soon"]}),
    (
        "gradients",
        {"run": ["<cut>", "<finished>"], "view": ["In this run"], "gradient": ["weights"], "per-parameter": ["true"]}
        | {"without": ["10"], "distribution": ["true"], "layer": ["blocks.1.branch.conv2"], "step": ["1"]},
    ),
    ("gradients", {"run": ["reference-resnet-20"], "gradient": ["update ÷ weight"], "cells": ["largest"]}),
    ("gradients", {"view": ["The truth test"], "cell": ["8-none-elu"]}),
    ("gradients", {"run": ["<cut>"], "view": ["Signal forward"], "sorted": ["true"], "activation": ["mean"]}),
    ("gradients", {"view": ["Shattered gradients"], "depth": ["24"], "beta": ["0.3"], "bn": ["false"]}),
    (
        "gradients",
        {"view": ["The identity argument"], "deeper": ["44"], "target": ["y = 0"], "blocks": ["2"], "rate": ["0.01"]}
        | {"run": ["reference-plain-20"]},
    ),
    (
        "paths",
        {"run": ["<cut>"], "n": ["2"], "fold": ["true"], "bet": ["longer than most"], "at": ["block"]}
        | {"layer": ["block:1"], "off": ["0,2"], "p": ["0.8"], "step": ["10"]},
    ),
    (
        "paths",
        {"run": ["reference-preact-20"]}
        | {"study": ["sampled-paths-75c5b56c7bac63abcbccd942", "sub-networks-c791c670c82dcf7d89ba3eeb"]},
    ),
    ("paths", {"run": ["<finished>"], "at": ["image"], "off": ["1,99"]}),
    (
        "lesions",
        {"run": ["<finished>"], "cut": ["0,2:0.5"], "study": ["at random", "reordered"], "beside": ["<cut>"]}
        | {"pictures": ["3,7"], "layer": ["block:2"], "step": ["1"]},
    ),
    ("lesions", {"run": ["reference-resnet-20"], "cut": ["4-5,7"], "study": [""]}),
    (
        "features",
        {"run": ["<finished>"], "beside": ["<imported>"], "layer": ["block:1"], "part": ["output"]}
        | {"scale": ["shared"], "source": ["test set"], "class": ["coat"], "nth": ["2"], "channel": ["3"]}
        | {"method": ["saliency"], "for": ["bag"], "against": ["dress"], "step": ["6"]},
    ),
    ("features", {"run": ["<finished>"], "source": ["most confused"], "beside": ["none"], "nth": ["3"]}),
    ("features", {"run": ["<uploaded>"], "source": ["upload"], "swap": ["true"], "beside": ["none"]}),
    (
        "architecture",
        {"net": ["imagenet-resnet-50-v1.5", "dense-40-12"], "of": ["dense-40-12"], "layer": ["block:3"]},
    ),
    (
        "architecture",
        {"net": ["resnet-56:width=8:shortcut=B:norm=none", "plain-57"], "layer": ["blocks.4.shortcut.conv"]},
    ),
    ("runs", {"find": ["preact from"]}),
    ("runs", {"find": ["waits"], "status": ["paused", "diverged"]}),
]

# The parameters that pages share, each with what is no value of it too.
SHARED: list[dict[str, list[str]]] = [
    {
        "net": ["plain-56:width=8", "resnet-56:width=8:shortcut=B:norm=none"],
        "data": ["fashion-mnist-mini"],
        "recipe": ["paper-warmup"],
        "width": ["8"],
        "seed": ["3"],
        "run": ["reference-resnet-20", "resnet-8-0a1b2c3d"],
        "race": ["gates"],
        "step": ["0"],
        "layer": ["blocks.12.branch.conv2"],
        "lecture": ["1"],
    },
    {"data": ["own-0123456789ab"], "layer": ["stem.conv"], "width": ["512"], "recipe": ["quick"]},
    {"data": ["imagenet"], "layer": ["head.fc"], "recipe": ["paper"]},
    {"data": ["mnist"], "layer": ["blocks.3.branch.se.squeeze"]},
    {"data": ["cifar-100"], "layer": ["blocks.3.join.gate"]},
    {"data": ["fashion-mnist"], "layer": ["blocks.0.enter.conv"]},
    {"data": ["cifar-10"], "layer": ["block:1200"]},
    {"layer": ["blocks.2.shortcut.conv"]},
    {"net": ["plain-57"], "step": ["soon"], "layer": ["block:x"], "seed": ["-1"], "run": ["a b"], "lecture": ["yes"]},
    {"net": [f"plain-{depth}" for depth in (20, 26, 32, 38, 44, 50)], "race": ["none"], "recipe": ["long"]},
]

NETS = [
    *("plain-20", "resnet-56:width=8:shortcut=B:norm=none", "resnet-110:width=16", "resnet-1202", "resnet-single-11"),
    *("resnet-26:shortcut=C:activation=elu:init=orthogonal", "resnet-bottleneck-164", "preact-20:width=8"),
    *("preact-110:gate=exclusive:gate_bias=-4", "resnet-110:shortcut_scale=0.5:branch_scale=0.5"),
    *("resnet-110:shortcut_dropout=0.5", "resnet-110:order=relu-before-add", "wide-28-10:dropout=0.3"),
    *("dense-40-12", "dense-bc-100-12", "highway-32:gate_bias=-2", "stochastic-110:survival=0.8", "se-20:width=8"),
    *("vgg-16", "imagenet-vgg-19", "imagenet-plain-34", "imagenet-resnet-50", "imagenet-resnet-50-v1.5"),
    *("mnist-resnet-10", "resnet-20:channels=1:classes=10"),
]

CUTS = ["", "3", "3,7", "7,3", "5:0.5", "0:0.125,9", "4-3", "3,7,5:0.5,10-9-11", "2:1", " 1 , 2 "]

SPECS = [
    '{"net": {"family": "resnet", "depth": 20, "channels": 1}}',
    '{"net": {"family": "plain", "depth": 56, "width": 8, "channels": 1}, "data": "fashion-mnist-mini", "seed": 3, '
    '"recipe": {"name": "quick", "epochs": 4, "batch": 128, "lr": 0.1, "schedule": "linear"}}',
    '{"net": {"family": "resnet", "depth": 110}, "data": "cifar-10", "images": 5000, "measure": false, "recipe": '
    '{"name": "paper-warmup", "steps": 64000, "schedule": "step", "milestones": [32000, 48000], "augment": true, '
    '"warmup_steps": 400}, "device": "cuda", "precision": "bfloat16", "threads": 4}',
    '{"net": {"family": "resnet", "depth": 50, "form": "imagenet", "stride_at": "3x3"}, "data": "imagenet", '
    '"normalize": [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], "recipe": {"name": "imported"}, "measure": false}',
    '{"net": {"family": "wide", "depth": 16, "k": 2, "channels": 1, "classes": 2}, "data": "own-0123456789ab"}',
]

VERBS = [
    "nets",
    "describe resnet-56:width=8:shortcut=B:norm=none",
    "describe imagenet-resnet-50",
    "describe resnet-20 --width 8 --dataset fashion-mnist-mini",
    "settings",
    "runs",
    "evaluate <finished> --images 200",
    "evaluate <cut> --images 200 --step 10",
    "evaluate <imported> --images 200",
    "lesions <finished> --single --images 100",
    "lesions <finished> --random 2 --draws 2 --images 100 --seed 5",
    "lesions reference-resnet-20 --reorder 2 --draws 2 --images 50",
    "lesions <finished> --remove 0,2:0.5 --images 100",
    "paths <cut> --images 4 --at block:1",
    "paths <finished> --images 4 --longest 1",
    "gradients <finished> --step 0 --images 16",
]
