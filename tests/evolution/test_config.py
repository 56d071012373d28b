"""Configurations: what they accept, what they say about the rest, and that they survive a round trip through TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from automl_zero import programs
from automl_zero.evolution.config import (
    MUTATION_TYPES,
    ConfigError,
    ExperimentConfig,
    load_config,
    preset_names,
    preset_text,
)
from automl_zero.memory import MemorySpec
from automl_zero.presets import preset_summary
from automl_zero.program import COMPONENTS

TINY: dict[str, Any] = {
    "search_space": {
        "scalars": 4,
        "vectors": 3,
        "matrices": 0,
        "setup": {"ops": ["scalar_const_set"], "min_size": 1, "max_size": 5, "initial_size": 2},
        "predict": {"ops": ["vector_inner_product"], "min_size": 1, "max_size": 5, "initial_size": 2},
        "learn": {"ops": ["scalar_diff", "vector_sum"], "min_size": 1, "max_size": 5, "initial_size": 2},
    },
    "tasks": {"kind": "linear", "num_features": 4},
}


def error_of(*overrides: str, source: Any = TINY) -> str:
    """The message for a configuration that must not be accepted."""
    with pytest.raises(ConfigError) as caught:
        load_config(source, overrides)
    return str(caught.value)


@pytest.mark.parametrize("name", preset_names())
def test_presets_survive_a_round_trip_through_toml(name: str) -> None:
    config = load_config(name)
    assert config.name == name
    assert load_config(tomllib.loads(config.to_toml())) == config


@pytest.mark.parametrize("name", preset_names())
def test_presets_explain_themselves(name: str) -> None:
    assert preset_text(name).startswith("# ")
    assert 20 < len(preset_summary(name)) < 100


def test_the_linear_presets_search_the_same_space_on_the_same_tasks() -> None:
    reference, ours = load_config("linear-reference"), load_config("linear")
    assert reference.search_space == ours.search_space
    assert reference.tasks == ours.tasks
    assert reference.target_fitness == ours.target_fitness == 0.9999
    assert (reference.population_size, ours.population_size) == (1000, 100)


def test_a_configuration_needs_only_a_search_space_and_tasks() -> None:
    config = ExperimentConfig(**TINY)
    assert (config.population_size, config.tournament_size, config.mutation_probability) == (100, 10, 0.9)
    assert config.target_fitness is None
    assert config.max_individuals is None
    assert config.caches.fec_train == 10


def test_configurations_cannot_be_changed_in_place() -> None:
    config = load_config(TINY)
    with pytest.raises(ValueError, match="frozen"):
        config.population_size = 3


def test_loading_does_not_change_the_dict_that_was_given() -> None:
    load_config(TINY, ["search_space.setup.max_size=9"])
    assert TINY["search_space"]["setup"]["max_size"] == 5


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("population_size=7", "population_size", 7),
        ("max_train_steps=2e8", "max_train_steps", 200_000_000),
        ("max_seconds=5", "max_seconds", 5.0),
        ("name=two words", "name", "two words"),
        ('name="quoted"', "name", "quoted"),
        ("target_fitness = 0.5", "target_fitness", 0.5),
        ("target_fitness=none", "target_fitness", None),
    ],
)
def test_overrides_are_toml_values_or_else_strings(override: str, key: str, value: object) -> None:
    assert getattr(load_config({**TINY, "target_fitness": 0.9}, [override]), key) == value


def test_overrides_reach_into_tables() -> None:
    config = load_config(load_config(TINY), ["search_space.learn.ops=['scalar_sum']", "tasks.search.num_tasks=3"])
    assert config.search_space.learn.ops == ("scalar_sum",)
    assert config.tasks["search"] == {"num_tasks": 3}


def test_mutation_weights_name_every_type() -> None:
    weights = load_config(TINY, ["mutations.weights={ alter_param = 2 }"]).mutations.weights
    assert list(weights) == list(MUTATION_TYPES)
    assert sum(weights.values()) == weights["alter_param"] == 2


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("population_size=0", "population_size: got 0, expected an integer >= 2"),
        ("population_size=many", 'population_size: got "many", expected an integer >= 2'),
        ("population_size=2.5", "population_size: got 2.5, expected an integer >= 2"),
        ("tournament_size=true", "tournament_size: got true, expected an integer >= 1"),
        ("mutation_probability=1.5", "mutation_probability: got 1.5, expected a number >= 0 and <= 1"),
        ("mutation_probability=nan", "mutation_probability: got nan, expected a number >= 0 and <= 1"),
        ("max_seconds=inf", "max_seconds: got inf, expected a number > 0"),
        ("target_fitness=1", "target_fitness: got 1, expected a number >= 0 and < 1"),
        ("dtype=float16", 'dtype: got "float16", expected one of "float32", "float64"'),
        ("backend=jax", 'backend: got "jax", expected "numba"'),
        ("name=3", "name: got 3, expected a string"),
        ("caches.fec=1", "caches.fec: got 1, expected true or false"),
        ("caches=1", "caches: got 1, expected a table"),
        ("migrants=101", "migrants: got 101, expected at most population_size, 100"),
        ("search_space.scalars=21", "search_space.scalars: got 21, expected an integer >= 2 and <= 20"),
        ("search_space.setup.ops=3", "search_space.setup.ops: got 3, expected a list of strings"),
        ("search_space.setup.ops=[3]", "search_space.setup.ops[0]: got 3, expected a string"),
        (
            "search_space.setup.ops=['scalar_sun']",
            "search_space.setup.ops: unknown op 'scalar_sun' (did you mean scalar_sum?)",
        ),
        (
            "search_space.setup.ops=['scalar_sum', 'scalar_sum']",
            "search_space.setup.ops: scalar_sum is listed twice",
        ),
        (
            "search_space.setup.ops=[]",
            "search_space.setup.ops: none are allowed, so random instructions cannot be drawn",
        ),
        (
            "search_space.predict.ops=['matrix_norm']",
            "search_space.predict.ops: op 'matrix_norm' reads a matrix, but memory has none",
        ),
        (
            "search_space.learn.initial_size=6",
            "search_space.learn.initial_size: expected min_size <= initial_size <= max_size, got 1, 6 and 5",
        ),
        ("mutations.weights.alter=1", "mutations.weights: unknown type 'alter' (did you mean alter_param?)"),
        ("mutations.weights.identity=-1", "mutations.weights.identity: got -1, expected a number >= 0"),
        ("popluation_size=5", "popluation_size: unknown key (did you mean population_size?)"),
        ("search_space.scalar=5", "search_space.scalar: unknown key (did you mean scalars?)"),
        ("scalars=5", "scalars: unknown key (did you mean search_space.scalars?)"),
        ("zzz=5", "zzz: unknown key"),
        ("population_size", "'population_size': expected key=value"),
        ("tasks.kind.x=3", "tasks.kind.x: kind is not a table"),
    ],
)
def test_each_problem_is_one_sentence_that_names_its_key(override: str, message: str) -> None:
    assert error_of(override) == message


def test_all_problems_are_reported_at_once() -> None:
    lines = error_of("population_size=1", "islands=0", "max_tournament=3").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["population_size", "islands", "max_tournament"]


def test_missing_tables_are_named() -> None:
    with pytest.raises(ConfigError, match="search_space: missing, expected a table\ntasks: missing, expected a table"):
        ExperimentConfig()


def test_at_least_one_mutation_must_be_possible() -> None:
    assert error_of("mutations.weights={}").startswith("mutations.weights: at least one of alter_param")


def test_at_least_one_component_must_be_able_to_change() -> None:
    overrides = [f"search_space.{component}.ops=[]" for component in COMPONENTS]
    message = error_of("search_space.initial=linear", *overrides)
    assert message == "search_space.setup.ops: no component function has ops, so that nothing could ever change"


def test_task_settings_are_checked_by_the_tasks() -> None:
    assert error_of("tasks.num_feature=3").startswith("tasks: unknown key 'num_feature' (did you mean num_features?)")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("lineer", "unknown preset 'lineer' (did you mean linear?); presets are "),
        ("missing.toml", "missing.toml: cannot be read: No such file or directory"),
    ],
)
def test_unknown_sources_are_named(source: str, message: str) -> None:
    assert error_of(source=source).startswith(message)


def test_malformed_toml_is_reported_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("population_size = \n", encoding="utf-8")
    assert error_of(source=path).startswith(f"{path}: is not a TOML file: Invalid value (at line 1")


def test_a_file_that_is_not_text_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    assert error_of(source=path).startswith(f"{path}: is not a TOML file: ")


def test_sources_of_other_types_are_type_errors() -> None:
    with pytest.raises(TypeError, match="got int"):
        load_config(3)  # type: ignore[arg-type]


class TestInitialPrograms:
    """``search_space.initial``."""

    def test_random_initial_programs_have_no_common_program(self) -> None:
        assert load_config(TINY).search_space.initial_program() is None

    def test_no_ops_fill_the_initial_sizes(self) -> None:
        program = load_config(TINY, ["search_space.initial=no_op"]).search_space.initial_program()
        assert program is not None
        assert [[i.op for i in component] for component in program.components] == [["no_op"] * 2] * 3

    def test_hand_designed_programs_are_padded_and_have_the_memory_of_the_space(self) -> None:
        space = load_config(TINY, ["search_space.initial=linear", "search_space.vectors=8"]).search_space
        program = space.initial_program()
        assert program is not None
        assert program.memory == space.memory == MemorySpec(4, 8, 0)
        assert [len(component) for component in program.components] == [2, 2, 4]
        assert program.learn == programs.linear().learn

    def test_a_program_with_too_few_registers_is_refused(self) -> None:
        message = error_of("search_space.initial=neural_net")
        assert message.startswith("search_space.initial: neural_net does not fit: ")

    def test_a_program_that_is_too_long_is_refused(self) -> None:
        message = error_of("search_space.initial=linear", "search_space.learn.max_size=3")
        assert message == "search_space.initial: linear does not fit: learn has 4 instructions, but its max_size is 3"

    def test_empty_programs_need_minimal_sizes_of_zero(self) -> None:
        message = error_of(
            "search_space.initial=empty", "search_space.setup.min_size=0", "search_space.learn.min_size=0"
        )
        assert message == "search_space.predict.min_size: got 1, but initial programs are empty"

    def test_a_misspelt_name_is_not_taken_for_a_file(self) -> None:
        assert error_of("search_space.initial=linaer").endswith("nor a program file (did you mean linear?)")

    def test_program_files_are_found_from_the_file_that_names_them(self, tmp_path: Path) -> None:
        programs.linear(0.5).save(tmp_path / "mine.json")
        text = load_config(TINY).to_toml().replace('initial = "random"', 'initial = "mine.json"')
        (tmp_path / "config.toml").write_text(text, encoding="utf-8")
        config = load_config(tmp_path / "config.toml")
        assert config.search_space.initial == str(tmp_path / "mine.json")
        program = config.search_space.initial_program()
        assert program is not None
        assert program.setup[0].constants == (0.5,)

    def test_malformed_program_files_are_reported(self, tmp_path: Path) -> None:
        (tmp_path / "bad.json").write_text("{", encoding="utf-8")
        message = error_of(f"search_space.initial={tmp_path / 'bad.json'}")
        assert message.startswith("search_space.initial: ")
        assert "bad.json" in message
