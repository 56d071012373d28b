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
)
from automl_zero.memory import MemorySpec
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
        ("backend=tpu", 'backend: got "tpu", expected one of "numba", "jax"'),
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
        ("fitness=max", 'fitness: got "max", expected one of "mean", "median"'),
        ("migration=star", 'migration: got "star", expected one of "pool", "ring"'),
        ("restart_after=0", "restart_after: got 0, expected an integer >= 1"),
        ("new_search_tasks=1", "new_search_tasks: got 1, expected true or false"),
        ("checkpoint_seconds=0", "checkpoint_seconds: got 0, expected a number > 0"),
        ("mutations.mode=papers", 'mutations.mode: got "papers", expected one of "reference", "paper"'),
        ("mutations.crossover=1.5", "mutations.crossover: got 1.5, expected a number >= 0 and <= 1"),
        ("caches.fec_mode=per_task", 'caches.fec_mode: got "per_task", expected one of "program", "reference"'),
        ("caches.fec_forget=0", "caches.fec_forget: got 0, expected an integer >= 1"),
        ("search_space.randomize=1", "search_space.randomize: got 1, expected true or false"),
        (
            "search_space.initial=3",
            "search_space.initial: got 3, expected a string or a list of strings, at least 1",
        ),
        (
            "search_space.initial=[]",
            "search_space.initial: got [], expected a string or a list of strings, at least 1",
        ),
        (
            "search_space.initial=['linear', 3]",
            "search_space.initial: got ['linear', 3], expected a string or a list of strings, at least 1",
        ),
    ],
)
def test_each_problem_is_one_sentence_that_names_its_key(override: str, message: str) -> None:
    assert error_of(override) == message


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("window=3", "window: got 3, expected an integer >= 4"),
        ("stages=3", "stages: got 3, expected a list of tables"),
        ("stages=[3]", "stages[0]: got 3, expected a table"),
        ("stages=[{ num_train = 5 }]", "stages[0].num_valid: missing, expected an integer >= 1"),
        ("stages=[{ num_train = 0, num_valid = 5 }]", "stages[0].num_train: got 0, expected an integer >= 1"),
        (
            "stages=[{ num_train = 5, num_valid = 5 }, { num_train = 5, num_valid = 5, percentile = 101 }]",
            "stages[1].percentile: got 101, expected a number >= 0 and <= 100",
        ),
        (
            "stages=[{ num_train = 5, num_valid = 5, percentil = 50 }]",
            "stages[0].percentil: unknown key (did you mean percentile?)",
        ),
    ],
)
def test_a_bad_hurdle_is_named(override: str, message: str) -> None:
    assert error_of(f"hurdles.{override}") == f"hurdles.{message}"


@pytest.mark.parametrize(
    ("diversity", "message"),
    [
        ("3", "diversity: got 3, expected a list of lists of tables"),
        ("[3]", "diversity[0]: got 3, expected a list of tables, at least 1"),
        ("[[]]", "diversity[0]: got [], expected a list of tables, at least 1"),
        ("[[{}], [{}, 3]]", "diversity[1][1]: got 3, expected a table"),
        ("[[{}, { num_feature = 3 }]]", "diversity: unknown key 'num_feature' (did you mean num_features?)"),
        ("[[{}, { kind = 'linaer' }]]", "diversity: kind must be one of linear, affine, nn, "),
        ("[[{}], [{}, { num_features = 0 }]]", "diversity: "),
        (
            "[[{}, { kind = 'digits', classes = 'all', num_features = 16 }]]",
            "diversity: tasks with scalar labels and tasks with vector labels cannot be searched on side by side",
        ),
    ],
)
def test_a_change_to_the_tasks_that_does_not_work_is_named_once(diversity: str, message: str) -> None:
    found = error_of(f"diversity={diversity}", "islands=4", "search_space.vectors=5")
    assert found.startswith(message)
    assert "\n" not in found


def test_a_change_to_the_tasks_of_vector_labels_keeps_them() -> None:
    digits = ["tasks={ kind = 'digits', classes = 'all', num_features = 16 }", "islands=2"]
    assert load_config(TINY, [*digits, "diversity=[[{}, { num_features = 12 }]]"]).other_tasks() == [
        {"kind": "digits", "classes": "all", "num_features": 12}
    ]
    message = "diversity: tasks with scalar labels and tasks with vector labels cannot be searched on side by side"
    assert error_of(*digits, "diversity=[[{}, { classes = 'pairs' }]]") == message


def test_vector_labels_need_a_third_vector_and_features_for_every_class() -> None:
    digits = "tasks={ kind = 'digits', classes = 'all', num_features = 16 }"
    assert error_of(digits, "search_space.vectors=2") == (
        "search_space.vectors: got 2, expected at least 3 for vector labels"
    )
    assert error_of(digits, "tasks.num_features=8") == (
        "tasks: num_features must be at least 10, the number of classes, got 8"
    )


def test_programs_that_write_the_label_cannot_be_the_start_on_vector_labels() -> None:
    digits = "tasks={ kind = 'digits', classes = 'all', num_features = 16 }"
    message = error_of(digits, "search_space.initial=['no_op', 'linear']")
    assert message == (
        "search_space.initial: learn[3].out: v1 is the label in tasks with vector labels and cannot be written"
    )


def test_hurdles_and_other_parts_survive_a_round_trip_through_toml() -> None:
    config = load_config(
        TINY,
        [
            "hurdles={ window = 8, stages = [{ num_train = 5, num_valid = 5 }, { num_train = 9, num_valid = 5 }] }",
            "diversity=[[{}, { kind = 'affine', search = { num_train = 9 } }], [{ epochs = 2 }]]",
            "mutations={ mode = 'paper', crossover = 0.5 }",
            "caches.fec_mode=reference",
            "budget={ kind = 'table', factor = 2.5 }",
            "search_space.initial=['linear', 'no_op']",
            "islands=4",
            "restart_after=1e3",
            "migration=ring",
        ],
    )
    assert [stage.percentile for stage in config.hurdles.stages] == [75.0, 75.0]
    assert config.restart_after == 1000
    assert load_config(tomllib.loads(config.to_toml())) == config


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

    def test_no_ops_fill_the_initial_sizes(self) -> None:
        (program,) = load_config(TINY, ["search_space.initial=no_op"]).search_space.initial_programs()
        assert [[i.op for i in component] for component in program.components] == [["no_op"] * 2] * 3

    def test_hand_designed_programs_are_padded_and_have_the_memory_of_the_space(self) -> None:
        space = load_config(TINY, ["search_space.initial=linear", "search_space.vectors=8"]).search_space
        (program,) = space.initial_programs()
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
        (program,) = config.search_space.initial_programs()
        assert program.setup[0].constants == (0.5,)

    def test_malformed_program_files_are_reported(self, tmp_path: Path) -> None:
        (tmp_path / "bad.json").write_text("{", encoding="utf-8")
        message = error_of(f"search_space.initial={tmp_path / 'bad.json'}")
        assert message.startswith("search_space.initial: ")
        assert "bad.json" in message

    def test_programs_of_a_list_are_taken_in_turn(self, tmp_path: Path) -> None:
        programs.linear(0.5).save(tmp_path / "mine.json")
        text = load_config(TINY).to_toml().replace('initial = "random"', 'initial = ["linear", "mine.json", "no_op"]')
        (tmp_path / "config.toml").write_text(text, encoding="utf-8")
        config = load_config(tmp_path / "config.toml")
        assert config.search_space.initial == ("linear", str(tmp_path / "mine.json"), "no_op")
        first, second, third = config.search_space.initial_programs()
        assert (first.learn, second.setup[0].constants) == (programs.linear().learn, (0.5,))
        assert {instruction.op for component in third.components for instruction in component} == {"no_op"}

    @pytest.mark.parametrize(
        ("initial", "message"),
        [
            ("['linear', 'linaer']", "'linaer' is neither one of random, "),
            ("['no_op', 'neural_net']", "neural_net does not fit: "),
            (
                "['linear', 'random']",
                "random initial programs cannot be mixed with others; randomize makes all of them",
            ),
        ],
    )
    def test_each_program_of_a_list_is_checked(self, initial: str, message: str) -> None:
        assert error_of(f"search_space.initial={initial}").startswith(f"search_space.initial: {message}")

    @pytest.mark.parametrize(
        ("overrides", "drawn"),
        [
            ([], True),
            (["search_space.initial=linear"], False),
            (["search_space.initial=linear", "search_space.randomize=true"], True),
            (["search_space.initial=['linear', 'no_op']", "search_space.randomize=true"], True),
            (["search_space.initial=linear", "search_space.randomize=true", "search_space.setup.ops=[]"], True),
        ],
    )
    def test_random_programs_are_asked_for_by_name_or_by_randomize(self, overrides: list[str], drawn: bool) -> None:
        assert load_config(TINY, overrides).search_space.random_start == drawn

    def test_random_programs_need_ops_in_every_component_unless_they_keep_those_of_another(self) -> None:
        message = "search_space.setup.ops: none are allowed, so random instructions cannot be drawn"
        assert error_of("search_space.setup.ops=[]") == message
        assert error_of("search_space.setup.ops=[]", "search_space.randomize=true") == message
