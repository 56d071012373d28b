"""The presets, at every scale, beside what they take from the paper."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from automl_zero.evolution.config import ExperimentConfig, load_config
from automl_zero.ops import TABLE
from automl_zero.presets import SCALES, preset_names, preset_scales, preset_summary, preset_text
from automl_zero.tasks import make_source

EVERY = [(name, scale) for scale in SCALES for name in preset_names(scale)]
IMAGE_FILES = {"cifar10", "mnist", "svhn", "fashion-mnist"}
ADAPTATION = ("few-examples", "fast-training", "multi-class")
S5 = {
    "setup": {
        "scalar_const_set",
        *(f"{kind}_{law}_set" for kind in ("scalar", "vector", "matrix") for law in ("gaussian", "uniform")),
    },
    "predict": {"scalar_sum", "matrix_vector_product", "vector_max", "vector_inner_product", "vector_sum"},
    "learn": {
        "scalar_sum",
        "scalar_diff",
        "scalar_product",
        "scalar_vector_product",
        "vector_sum",
        "vector_heaviside",
        "vector_product",
        "vector_outer_product",
        "matrix_sum",
    },
}
COMPONENTS = ("setup", "predict", "learn")


def table(name: str, scale: str = "full") -> dict[str, Any]:
    return tomllib.loads(preset_text(name, scale))


def kinds(values: dict[str, Any]) -> set[str]:
    """The data sets that a preset needs."""
    changes = [change for axis in values.get("diversity", []) for change in axis]
    return {values["tasks"]["kind"], *(change["kind"] for change in changes if "kind" in change)}


def load(name: str, scale: str) -> ExperimentConfig:
    return load_config(table(name, scale))


def test_every_experiment_of_the_paper_has_both_scales() -> None:
    paper = ["baseline", "cifar-large", "fast-training", "few-examples", "full", "multi-class", "nn-regression"]
    assert preset_names("small") == paper
    assert set(paper) < set(preset_names("full"))
    assert preset_scales("baseline") == ["small", "full"]
    assert preset_scales("linear") == ["full"]


@pytest.mark.parametrize(("name", "scale"), EVERY)
def test_a_preset_loads_and_survives_a_round_trip_through_toml(name: str, scale: str) -> None:
    config = load(name, scale)
    assert config.name == (f"{name}-small" if scale == "small" else name)
    assert load_config(tomllib.loads(config.to_toml())) == config


@pytest.mark.parametrize(("name", "scale"), EVERY)
def test_a_preset_explains_itself(name: str, scale: str) -> None:
    lines = preset_text(name, scale).splitlines()
    assert lines[0].startswith("# ")
    assert lines[1] == "#"
    assert 20 < len(preset_summary(name, scale)) < 120
    assert max(map(len, lines)) <= 121


@pytest.mark.parametrize("name", preset_names("small"))
def test_a_small_version_has_the_search_space_and_the_method_of_the_full_one(name: str) -> None:
    small, full = table(name, "small"), table(name)
    scale = {"name", "islands", "migration_every", "experiment_individuals", "experiment_train_steps"}
    data = {"tasks", "hurdles", "diversity", "fitness"}
    for values in (small, full):
        values["mutations"].pop("until", None)
    assert {key: value for key, value in small.items() if key not in scale | data} == {
        key: value for key, value in full.items() if key not in scale | data
    }
    assert {"hurdles", "diversity"} & small.keys() == {"hurdles", "diversity"} & full.keys()
    assert small["islands"] <= 4
    assert kinds(small) & IMAGE_FILES == set()
    assert "experiment_individuals" in small or "experiment_train_steps" in small
    assert small["max_experiments"] == 1


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", ["baseline", "full"])
def test_table_s5_has_its_search_space_and_budget(name: str, scale: str) -> None:
    config = load(name, scale)
    space = config.search_space
    assert (space.scalars, space.vectors, space.matrices) == (5, 9, 2)
    assert {key: set(getattr(space, key).ops) for key in COMPONENTS} == S5
    assert [getattr(space, key).max_size for key in COMPONENTS] == [7, 11, 23]
    assert space.initial == "no_op"
    assert (config.population_size, config.tournament_size, config.mutation_probability) == (100, 10, 0.9)
    assert (config.fitness, config.mutations.mode) == ("mean", "reference")
    used = {key for key, weight in config.mutations.weights.items() if weight}
    assert used == {"alter_param", "randomize_component_function", "insert_instruction", "remove_instruction"}
    assert (config.budget.kind, config.budget.baseline, config.budget.factor) == ("static", "neural_net", 2.0)


def test_basic_has_none_of_the_parts_that_full_has() -> None:
    basic, full = table("baseline"), load("full", "full")
    assert basic["caches"] == {"canonical": False, "fec": False}
    assert not {"hurdles", "diversity", "migrants"} & basic.keys()
    assert full.caches.fec
    assert full.migrants == full.population_size // 2
    assert full.migration == "pool"
    assert [stage.percentile for stage in full.hurdles.stages] == [75.0]
    assert table("full")["diversity"] == [[{}, {"kind": "mnist"}]]


def test_basic_and_full_have_as_many_train_steps_a_process() -> None:
    basic, full = table("baseline"), table("full")
    assert (
        basic["experiment_train_steps"] / basic["islands"] == full["experiment_train_steps"] / full["islands"] == 1e11
    )
    assert table("baseline", "small")["experiment_train_steps"] == table("full", "small")["experiment_train_steps"]


def test_table_s5_has_the_tasks_of_the_paper() -> None:
    for name in ("baseline", "full"):
        tasks = table(name)["tasks"]
        assert (tasks["kind"], tasks["num_features"], tasks["epochs"]) == ("cifar10", 16, 1)
        assert tasks["search"] == {"num_tasks": 10, "num_train": 8000, "num_valid": 1000}
        assert tasks["select"]["num_tasks"] == 100


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("name", "registers"), [("cifar-large", (8, 14, 3)), *((n, (10, 16, 4)) for n in ADAPTATION)])
def test_the_large_search_space_is_that_of_the_paper(name: str, registers: tuple[int, ...], scale: str) -> None:
    config = load(name, scale)
    space = config.search_space
    assert (space.scalars, space.vectors, space.matrices) == registers
    assert [getattr(space, key).max_size for key in COMPONENTS] == [21, 21, 45]
    assert [TABLE[op].id for op in space.setup.ops] == list(range(56, 65))
    for component in (space.predict, space.learn):
        assert [TABLE[op].id for op in component.ops] == [*range(56), 60, 61]
    assert config.mutations.mode == "paper"
    assert config.fitness == ("mean" if scale == "small" else "median")
    assert (config.budget.kind, config.budget.factor) == ("table", 4.0)


def test_cifar_large_has_an_island_for_every_combination_of_the_paper() -> None:
    values = table("cifar-large")
    combinations = 1
    for axis in values["diversity"]:
        combinations *= len(axis)
    assert combinations == values["islands"] == 2 * 3 * 2 * 3
    features = [change["num_features"] for change in values["diversity"][3]]
    assert features == [8, 16, 256]
    assert values["tasks"]["final_features"] == "all"
    assert values["search_space"]["initial"] == "empty"


@pytest.mark.parametrize("scale", SCALES)
def test_adaptation_starts_from_the_two_layer_network(scale: str) -> None:
    starts = {name: table(name, scale)["search_space"]["initial"] for name in ADAPTATION}
    assert starts == {"few-examples": "neural_net", "fast-training": "neural_net", "multi-class": "softmax_net"}


@pytest.mark.parametrize(("name", "examples", "epochs"), [("few-examples", 80, 100), ("fast-training", 800, 10)])
def test_adaptation_has_the_examples_of_the_paper(name: str, examples: int, epochs: int) -> None:
    tasks = table(name)["tasks"]
    assert {tasks[purpose]["num_train"] for purpose in ("search", "select", "final")} == {examples}
    assert tasks["epochs"] == epochs


def test_multi_class_has_all_classes() -> None:
    for scale in SCALES:
        assert table("multi-class", scale)["tasks"]["classes"] == "all"


def test_nn_regression_has_the_sizes_of_the_paper() -> None:
    config = load_config("nn-regression")
    space = config.search_space
    assert (space.scalars, space.vectors, space.matrices) == (4, 8, 2)
    assert [getattr(space, key).initial_size for key in COMPONENTS] == [21, 3, 9]
    assert space.initial == "random"
    assert config.tasks["search"]["num_tasks"] == 100


def test_a_preset_without_a_small_version_says_which_have_one() -> None:
    with pytest.raises(ValueError, match="preset 'linear' has no small version; presets that have one are baseline, "):
        preset_text("linear", "small")


def test_unknown_presets_and_scales_get_a_suggestion() -> None:
    with pytest.raises(ValueError, match=r"unknown preset 'basline' \(did you mean baseline\?\); presets are affine, "):
        preset_text("basline", "small")
    with pytest.raises(ValueError, match=r"unknown scale 'smal' \(did you mean small\?\); scales are small, full"):
        preset_text("baseline", "smal")


@pytest.mark.parametrize("name", ["baseline", "cifar-large", *ADAPTATION])
def test_presets_of_image_files_say_how_to_get_them(name: str, tmp_path: Path) -> None:
    config = load_config(name, [f"tasks.data_dir={tmp_path}"])
    with pytest.raises(ValueError, match="cifar10: its files were not found; looked in ") as caught:
        make_source(config.tasks)
    assert str(tmp_path) in str(caught.value)
    assert "To get them: " in str(caught.value)


@pytest.mark.parametrize("name", preset_names("small"))
def test_small_presets_need_no_files(name: str) -> None:
    config = load(name, "small")
    for tasks in (config.tasks, *config.other_tasks()):
        assert make_source(tasks).search(0).num_tasks == tasks["search"]["num_tasks"]
