from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl_zero.tasks import Sizes, SyntheticSource, UserData, image_source, make_source

PURPOSES = ("search", "select", "final")


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "data.csv"
    rows = "".join(f"{a:.4f},{b:.4f},{a - 2 * b:.4f}\n" for a, b in rng.normal(size=(100, 2)))
    path.write_text("a,b,target\n" + rows, encoding="utf-8")
    return path


def config_of(kind: str, csv_file: Path) -> dict[str, Any]:
    config: dict[str, Any] = {"kind": kind}
    return config | {"path": str(csv_file), "target": "target"} if kind == "file" else config


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("linear", SyntheticSource("linear")),
        ("affine", SyntheticSource("affine")),
        ("nn", SyntheticSource("nn")),
        ("digits", image_source("digits")),
    ],
)
def test_a_kind_alone_gives_the_defaults(kind: str, source: Any) -> None:
    assert make_source({"kind": kind}) == source


def test_synthetic_sets_for_selection_and_the_final_score_are_the_reference_s() -> None:
    source = make_source({"kind": "linear"})
    assert source.search(0).train_x.shape == (10, 100, 4)
    for tasks in (source.select(0), source.final(0)):
        assert (tasks.num_tasks, tasks.num_train, tasks.num_valid) == (100, 1000, 100)


def test_settings_are_passed_on_and_sizes_left_out_keep_their_defaults() -> None:
    source = make_source(
        {
            "kind": "nn",
            "num_features": 6,
            "search": {"num_tasks": 2},
            "final": {"num_train": 5, "num_valid": 3, "num_tasks": 1},
            "epochs": 3,
            "max_abs_error": 50,
            "zeroed_units": False,
        }
    )
    assert source == SyntheticSource(
        "nn",
        6,
        search_sizes=Sizes(2, 100, 100),
        final_sizes=Sizes(1, 5, 3),
        epochs=3,
        max_abs_error=50,
        zeroed_units=False,
    )
    assert (source.final(0).epochs, source.final(0).max_abs_error) == (3, 50.0)


def test_a_setting_of_none_is_one_left_out() -> None:
    config = {"kind": "digits", "num_features": None, "path": None, "search": {"num_tasks": None, "num_train": 100}}
    assert make_source(config) == image_source("digits", search_sizes=Sizes(10, 100, 40))


def test_the_configuration_is_not_changed() -> None:
    config = {"kind": "linear", "search": {"num_tasks": 2}}
    make_source(config)
    assert config == {"kind": "linear", "search": {"num_tasks": 2}}


@pytest.mark.parametrize("kind", ["linear", "affine", "nn", "digits", "file"])
def test_sets_for_different_purposes_share_no_random_stream(kind: str, csv_file: Path) -> None:
    sizes = {"num_tasks": 9, "num_train": 30, "num_valid": 10}
    source = make_source(config_of(kind, csv_file) | dict.fromkeys(PURPOSES, sizes))
    sets = [getattr(source, purpose)(seed) for purpose in PURPOSES for seed in (0, 1)]
    seeds = np.concatenate([tasks.seeds for tasks in sets])
    assert np.unique(seeds).size == 6 * 9
    data = {tasks.train_x[index].tobytes() for tasks in sets for index in range(9)}
    assert len(data) == 6 * 9


@pytest.mark.parametrize("kind", ["linear", "affine", "nn", "digits", "file"])
def test_a_source_says_what_its_sets_are(kind: str, csv_file: Path) -> None:
    source = make_source(config_of(kind, csv_file))
    assert str(source.num_features) + " features" in source.describe()
    for purpose in PURPOSES:
        tasks = getattr(source, purpose)(7)
        assert tasks.name.endswith(f"({purpose})")
        assert (tasks.evaluation, tasks.num_features) == (source.evaluation, source.num_features)
        sizes = f"{purpose} {tasks.num_tasks} tasks of {tasks.num_train}/{tasks.num_valid} examples"
        assert sizes in source.describe()


@pytest.mark.parametrize("kind", ["linear", "digits", "file"])
def test_equal_seeds_make_equal_sets(kind: str, csv_file: Path) -> None:
    first, second = (make_source(config_of(kind, csv_file)).search(5) for _ in range(2))
    assert np.array_equal(first.train_x, second.train_x)
    assert np.array_equal(first.seeds, second.seeds)


def test_a_file_source_reads_the_table(csv_file: Path) -> None:
    source = make_source({"kind": "file", "path": csv_file, "target": "target", "search": {"num_tasks": 3}})
    assert isinstance(source, UserData)
    assert (source.name, source.evaluation, source.num_features) == ("data.csv", "rmse", 2)
    assert source.search_sizes == Sizes(3, 60, 20)
    assert source.final_sizes == Sizes(10, 80, 20)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ([], "tasks must be a table of settings"),
        (
            {},
            "kind must be one of linear, affine, nn, digits, fashion-mnist, mnist, cifar10, svhn, images, file, got",
        ),
        ({"kind": "linera"}, r"got 'linera' \(did you mean linear\?\)"),
        ({"kind": ["linear"]}, r"kind must be one of .*, got \['linear'\]"),
        ({"kind": "linear", "num_feature": 4}, r"unknown key 'num_feature' \(did you mean num_features\?\)"),
        ({"kind": "linear", "path": "x.csv"}, "unknown key 'path' for kind 'linear'"),
        ({"kind": "affine", "zeroed_units": True}, "unknown key 'zeroed_units'"),
        ({"kind": "file", "path": "x.csv", "num_features": 3}, "unknown key 'num_features'"),
        ({"kind": "linear", "search": {"num_task": 3}}, r"unknown key search.num_task \(did you mean num_tasks\?\)"),
        ({"kind": "linear", "select": {"num_tasks": 0}}, "select.num_tasks must be an integer of at least 1, got 0"),
        ({"kind": "digits", "final": 10}, "final must be a table of sizes, got 10"),
        ({"kind": "linear", "epochs": 1.5}, "epochs must be an integer of at least 1, got 1.5"),
        ({"kind": "linear", "max_abs_error": -1}, "max_abs_error must be a positive, finite number, got -1"),
        ({"kind": "digits", "num_features": 0}, "num_features must be an integer of at least 1, got 0"),
        ({"kind": "digits", "num_features": "al"}, 'num_features must be an integer of at least 1 or "all", got .al.'),
        ({"kind": "digits", "final_features": 1.5}, "final_features must be an integer of at least 1, got 1.5"),
        ({"kind": "digits", "classes": "most"}, 'classes must be "pairs" or "all", got .most.'),
        ({"kind": "digits", "classes": "all", "num_features": 9}, "num_features must be at least 10, the number of cl"),
        ({"kind": "digits", "classes": "all", "final_features": 8}, "final_features must be at least 10, the number"),
        ({"kind": "digits", "path": "x"}, "unknown key 'path' .*for kind 'digits'"),
        ({"kind": "mnist", "data_dir": 3}, "data_dir must be text, got 3"),
        ({"kind": "mnist", "download": "yes"}, "download must be true or false, got 'yes'"),
        ({"kind": "mnist", "path": "x.npz"}, "unknown key 'path' for kind 'mnist'"),
        ({"kind": "images"}, "path is missing: kind 'images' needs the npz file to read"),
        ({"kind": "images", "path": 3}, "path must be text, got 3"),
        ({"kind": "images", "path": "nowhere.npz"}, "nowhere.npz: cannot be read: No such file"),
        (
            {"kind": "mnist", "download": True, "final_features": "all", "final": {"num_tasks": 90}},
            "final: 90 tasks of 8000/1800 examples with 784 features take 5.2 GiB; at most 4 GiB are allowed",
        ),
        ({"kind": "nn", "num_features": 2}, "num_features must be at least 4"),
        ({"kind": "nn", "zeroed_units": "no"}, "zeroed_units must be true or false, got 'no'"),
        ({"kind": "file"}, "path is missing"),
        ({"kind": "file", "path": 3}, "path must be text, got 3"),
        ({"kind": "file", "path": "nowhere.csv", "target": "y"}, "nowhere.csv: there is no such file"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(config: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_source(config)


def test_digits_take_and_ignore_what_says_where_files_are():
    assert make_source({"kind": "digits", "data_dir": "/nowhere"}) == make_source({"kind": "digits"})
