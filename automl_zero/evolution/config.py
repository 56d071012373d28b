"""Experiment configurations: everything that determines a run, except its seed."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from automl_zero.evolution.search_space import ComponentSpace, SearchSpace
from automl_zero.evolution.validation import INTEGRAL, ConfigError, FitnessBound, Positive, Table, problems
from automl_zero.presets import preset_names, preset_text
from automl_zero.suggest import did_you_mean
from automl_zero.tasks import make_source
from automl_zero.toml_writer import to_toml

__all__ = [
    "MUTATION_TYPES",
    "Caches",
    "ComponentSpace",
    "ConfigError",
    "ExperimentConfig",
    "Mutations",
    "SearchSpace",
    "load_config",
    "preset_names",
    "preset_text",
]

MUTATION_TYPES = (
    "alter_param",
    "randomize_instruction",
    "randomize_component_function",
    "identity",
    "randomize_algorithm",
    "insert_instruction",
    "remove_instruction",
    "trade_instruction",
)


class Mutations(Table):
    """How a child differs from its parent.

    Attributes:
        mode: details of the mutations; "reference" are those of the authors' implementation.
        weights: relative frequency of each mutation type; a type that is not named never happens. All types are
            present after validation.
        until: mutate again until the child's canonical form differs from its parent's ("changed") or is new to the
            island's canonical cache ("new"); "any" takes every child as it comes.
        max_tries: most mutations for ``until``; the last one is taken as it is.
    """

    mode: Literal["reference"] = "reference"
    weights: dict[str, Annotated[float, Field(ge=0.0)]] = Field(
        default={"alter_param": 1.0, "randomize_instruction": 1.0, "randomize_component_function": 1.0},
        validate_default=True,
    )
    until: Literal["any", "changed", "new"] = "any"
    max_tries: Positive = 20

    @field_validator("weights")
    @classmethod
    def _all_types(cls, weights: dict[str, float]) -> dict[str, float]:
        unknown = [name for name in weights if name not in MUTATION_TYPES]
        if unknown:
            raise ValueError("\n".join(f"unknown type {n!r}{did_you_mean(n, MUTATION_TYPES)}" for n in unknown))
        if not any(weights.values()):
            raise ValueError(f"at least one of {', '.join(MUTATION_TYPES)} must be above 0")
        return {name: weights.get(name, 0.0) for name in MUTATION_TYPES}


class Caches(Table):
    """Each island's memory of what it has evaluated.

    Attributes:
        canonical: reuse the fitness of programs that are equal after dead-code removal and renaming; exact.
        canonical_size: entries of the canonical cache.
        fec: reuse the fitness of programs with equal predictions on a few examples (paper, Section 3.2).
        fec_size: entries of that functional-equivalence cache.
        fec_train: training examples of a probe.
        fec_valid: validation examples of a probe.
        fec_bits: mantissa bits of the predictions that a probe compares.
    """

    canonical: bool = True
    canonical_size: Positive = 131072
    fec: bool = True
    fec_size: Positive = 131072
    fec_train: Positive = 10
    fec_valid: Positive = 10
    fec_bits: Annotated[int, Field(ge=1, le=52), INTEGRAL] = 12


class ExperimentConfig(Table):
    """Everything that determines a run, except its seed.

    A run is a sequence of experiments, each a search from a new initial population on new search tasks, until the
    target or a limit is reached. Limits are totals over the experiments.

    Attributes:
        name: what the run is called.
        population_size: individuals of an island (P).
        tournament_size: individuals drawn, with replacement, to choose a parent (T).
        mutation_probability: probability that a child is mutated at all (U).
        islands: populations that evolve side by side.
        migration_every: individuals of each island between barriers, where islands exchange migrants and limits and
            stops are checked.
        migrants: individuals that each island sends at a barrier; 0 for none.
        dtype: floating-point type of the registers.
        backend: the interpreter that evaluates programs.
        search: "evolution", or "random" for random search in the same space.
        fitness: how the fitnesses of the search tasks are aggregated.
        target_fitness: select fitness that counts as solved when it is exceeded.
        select_above: search fitness above which an island's best program takes the select test at the next barrier;
            without it, only the end of an experiment brings the test.
        select_program: what an experiment that ends offers to the select test: the best program of its final
            population, the best that it has seen, or every one that was the best for a time (its hall of fame), of
            which the test picks one. The last guards against programs that owe their search fitness to luck.
        max_individuals: limit on the number of individuals.
        max_train_steps: limit on the training examples seen, summed over tasks and programs.
        max_seconds: limit on the time.
        max_experiments: limit on the number of experiments.
        experiment_individuals: an experiment ends after this many individuals.
        experiment_train_steps: an experiment ends after this many train steps.
        search_space: the programs that may be visited.
        tasks: the tasks, as :func:`automl_zero.tasks.make_source` takes them.
        mutations: how a child differs from its parent.
        caches: what is remembered.

    Raises:
        ConfigError: a value is not usable; the message has one line per problem.
    """

    name: str = "experiment"
    population_size: Annotated[int, Field(ge=2), INTEGRAL] = 100
    tournament_size: Positive = 10
    mutation_probability: Annotated[float, Field(ge=0.0, le=1.0)] = 0.9
    islands: Positive = 1
    migration_every: Positive = 1000
    migrants: Annotated[int, Field(ge=0), INTEGRAL] = 0
    dtype: Literal["float32", "float64"] = "float32"
    backend: Literal["numba"] = "numba"
    search: Literal["evolution", "random"] = "evolution"
    fitness: Literal["mean", "median"] = "mean"
    target_fitness: FitnessBound | None = None
    select_above: FitnessBound | None = None
    select_program: Literal["final_population", "best", "hall_of_fame"] = "final_population"
    max_individuals: Positive | None = None
    max_train_steps: Positive | None = None
    max_seconds: Annotated[float, Field(gt=0.0)] | None = None
    max_experiments: Positive | None = None
    experiment_individuals: Positive | None = None
    experiment_train_steps: Positive | None = None
    search_space: SearchSpace
    tasks: dict[str, Any]
    mutations: Mutations = Mutations()
    caches: Caches = Caches()

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError("\n".join(problems(error, type(self)))) from None

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        found = [f"search_space.{problem}" for problem in self.search_space.problems()]
        if self.migrants > self.population_size:
            found.append(f"migrants: got {self.migrants}, expected at most population_size, {self.population_size}")
        found += _task_problems(self.tasks)
        if found:
            raise ValueError("\n".join(found))
        return self

    def to_toml(self) -> str:
        """TOML text from which :func:`load_config` makes an equal configuration."""
        return to_toml(self.model_dump())


def load_config(
    source: str | Path | Mapping[str, Any] | ExperimentConfig, overrides: Sequence[str] = ()
) -> ExperimentConfig:
    """Make a configuration.

    Args:
        source: name of a preset, path of a TOML file, nested dict, or a configuration to change.
        overrides: texts ``key=value`` with dotted keys and TOML values, such as ``search_space.scalars=5``. A value
            that is not TOML is taken as a string, and ``none`` unsets the key.

    Raises:
        ConfigError: anything that cannot be used; the message has one line per problem.
        TypeError: a source of another type.
    """
    if isinstance(source, ExperimentConfig):
        values = source.model_dump()
    elif isinstance(source, Mapping):
        values = _copied(source)
    elif isinstance(source, str | Path):
        values = _read(source)
    else:
        raise TypeError(f"config: expected a preset, path, dict or ExperimentConfig, got {type(source).__name__}")
    for override in overrides:
        _override(values, override)
    _make_paths_absolute(values, Path.cwd())
    return ExperimentConfig(**values)


def _task_problems(tasks: dict[str, Any]) -> list[str]:
    try:
        make_source(tasks)
    except (OSError, TypeError, ValueError) as error:
        return [f"tasks: {line}" for line in str(error).splitlines()]
    return []


def _read(source: str | Path) -> dict[str, Any]:
    if isinstance(source, str) and source in preset_names():
        return tomllib.loads(preset_text(source))
    path = Path(source)
    if isinstance(source, str) and not path.suffix and not path.exists():
        names = preset_names()
        hint = did_you_mean(source, names)
        raise ConfigError(f"unknown preset {source!r}{hint}; presets are {', '.join(names)}")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:  # TOML or UTF-8
        raise ConfigError(f"{path}: is not a TOML file: {error}") from None
    _make_paths_absolute(values, path.parent.absolute())
    return values


def _copied(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) if isinstance(value, Mapping) else value for key, value in table.items()}


def _make_paths_absolute(values: dict[str, Any], base: Path) -> None:
    """Files are found from the configuration that names them, also after it was copied into a run directory."""
    space, tasks = values.get("search_space"), values.get("tasks")
    for table, key in ((space, "initial"), (tasks, "path")):
        if isinstance(table, dict) and isinstance(name := table.get(key), str) and Path(name).suffix:
            table[key] = os.path.normpath(base / name)


def _override(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    *parents, last = key.strip().split(".")
    if not equals or not all((*parents, last)):
        raise ConfigError(f"{override!r}: expected key=value")
    table = values
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{key.strip()}: {parent} is not a table")
    table[last] = _parsed(text.strip())


def _parsed(text: str) -> Any:
    if text.lower() == "none":
        return None
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if len(parsed) == 1 else text
