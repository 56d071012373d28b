"""Experiment configurations: everything that determines a run, except its seed."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from automl_zero.evolution.budget import Budget, fill_in
from automl_zero.evolution.diversity import island_tasks
from automl_zero.evolution.method import MUTATION_TYPES, Caches, Diversity, Hurdles, HurdleStage, Mutations, Probability
from automl_zero.evolution.on_device import support
from automl_zero.evolution.search_space import ComponentSpace, SearchSpace
from automl_zero.evolution.validation import INTEGRAL, ConfigError, FitnessBound, Positive, Table, problems
from automl_zero.interpreters.jax_lockstep.devices import import_jax
from automl_zero.memory import VECTOR_PREDICTION
from automl_zero.presets import preset_names, preset_text
from automl_zero.suggest import did_you_mean
from automl_zero.tasks import make_source
from automl_zero.toml_writer import to_toml
from automl_zero.vector_labels import check_program

__all__ = [
    "MUTATION_TYPES",
    "Caches",
    "ComponentSpace",
    "ConfigError",
    "ExperimentConfig",
    "HurdleStage",
    "Hurdles",
    "Mutations",
    "SearchSpace",
    "load_config",
    "preset_names",
    "preset_text",
]


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
        migration: islands send to a common pool and receive from it ("pool", as in the paper), or each sends to the
            next ("ring").
        restart_after: an island starts anew at a barrier when it has made so many individuals without a better one.
        dtype: floating-point type of the registers.
        backend: what the search runs on: "numba" for the CPU, one thread an island; "jax" for all islands in step on
            whatever device JAX finds, which wants hundreds or thousands of islands.
        search: "evolution", or "random" for random search in the same space.
        fitness: how the fitnesses of the search tasks are aggregated.
        target_fitness: select fitness that counts as solved when it is exceeded.
        select_above: search fitness above which an island's best program takes the select test at the next barrier;
            without it, only the end of an experiment brings the test.
        select_program: what an experiment that ends offers to the select test: the best program of its final
            population, the best that it has seen, or every one that was the best for a time (its hall of fame), of
            which the test picks one. The last guards against programs that owe their search fitness to luck.
        new_search_tasks: every experiment searches on tasks of its own; otherwise all on those of the first.
        max_individuals: limit on the number of individuals.
        max_train_steps: limit on the training examples seen, summed over tasks and programs.
        max_seconds: limit on the time.
        max_experiments: limit on the number of experiments.
        experiment_individuals: an experiment ends after this many individuals.
        experiment_train_steps: an experiment ends after this many train steps.
        checkpoint_seconds: time between checkpoints.
        search_space: the programs that may be visited.
        tasks: the tasks, as :func:`automl_zero.tasks.make_source` takes them.
        diversity: search tasks that differ between islands: lists of changes to ``tasks``, one from each list. The
            islands take the combinations in turn, those of the first list first. Programs are compared, selected and
            scored on ``tasks`` itself.
        mutations: how a child differs from its parents.
        caches: what is remembered. With backend "jax" a cache whose size is not given has 4096 entries.
        hurdles: short evaluations before the full one.
        budget: what a program may cost.

    Raises:
        ConfigError: a value is not usable; the message has one line per problem.
    """

    name: str = "experiment"
    population_size: Annotated[int, Field(ge=2), INTEGRAL] = 100
    tournament_size: Positive = 10
    mutation_probability: Probability = 0.9
    islands: Positive = 1
    migration_every: Positive = 1000
    migrants: Annotated[int, Field(ge=0), INTEGRAL] = 0
    migration: Literal["pool", "ring"] = "pool"
    restart_after: Positive | None = None
    dtype: Literal["float32", "float64"] = "float32"
    backend: Literal["numba", "jax"] = "numba"
    search: Literal["evolution", "random"] = "evolution"
    fitness: Literal["mean", "median"] = "mean"
    target_fitness: FitnessBound | None = None
    select_above: FitnessBound | None = None
    select_program: Literal["final_population", "best", "hall_of_fame"] = "final_population"
    new_search_tasks: bool = True
    max_individuals: Positive | None = None
    max_train_steps: Positive | None = None
    max_seconds: Annotated[float, Field(gt=0.0)] | None = None
    max_experiments: Positive | None = None
    experiment_individuals: Positive | None = None
    experiment_train_steps: Positive | None = None
    checkpoint_seconds: Annotated[float, Field(gt=0.0)] = 60.0
    search_space: SearchSpace
    tasks: dict[str, Any]
    diversity: Diversity = ()
    mutations: Mutations = Mutations()
    caches: Caches = Caches()
    hurdles: Hurdles = Hurdles()
    budget: Budget = Budget()

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
        if self.backend == "jax":
            found += support.problems(self)
        found += _task_problems(self)
        if found:
            raise ValueError("\n".join(dict.fromkeys(found)))
        # The shipped costs go into the configuration, so that a later table changes no run.
        object.__setattr__(self, "budget", fill_in(self.budget))
        if self.backend == "jax":
            sizes = {"canonical_size", "fec_size"} - self.caches.model_fields_set
            smaller = self.caches.model_copy(update=dict.fromkeys(sizes, support.CACHE_SIZE))
            object.__setattr__(self, "caches", smaller)
        return self

    def other_tasks(self) -> list[Mapping[str, Any]]:
        """The distinct `tasks` tables, besides the run's own, that there would be on enough islands."""
        combinations = math.prod(len(axis) for axis in self.diversity)
        tables = island_tasks(self.tasks, self.diversity, combinations)
        return list({id(table): table for table in tables if table is not self.tasks}.values())

    def require_data(self) -> None:
        """Check that the files that the tasks are made of are there, and the library of the backend.

        Raises:
            ConfigError: they are not; the message says how to get them.
        """
        for tasks in [self.tasks, *self.other_tasks()]:
            try:
                make_source(tasks)
            except (OSError, ValueError) as error:
                raise ConfigError(str(error)) from None
        if self.backend == "jax":
            try:
                import_jax()
            except ValueError as error:
                raise ConfigError(str(error)) from None

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


def _task_problems(config: ExperimentConfig) -> Iterator[str]:
    """Sentences on tasks that cannot be made, or that the programs cannot have, each beginning with the key."""
    classes = None
    for number, tasks in enumerate([config.tasks, *config.other_tasks()]):
        key = "tasks" if number == 0 else "diversity"
        try:
            source = make_source(tasks, need_data=False)  # so that a run can be looked at where its data are not
        except (OSError, TypeError, ValueError) as error:
            yield from (f"{key}: {line}" for line in str(error).splitlines())
            continue
        if number == 0 and source.num_classes:
            yield from _vector_label_problems(config, source.num_classes)
        if classes is None:
            classes = source.num_classes
        elif bool(classes) != bool(source.num_classes):
            yield "diversity: tasks with scalar labels and tasks with vector labels cannot be searched on side by side"


def _vector_label_problems(config: ExperimentConfig, num_classes: int) -> Iterator[str]:
    """Sentences on what tasks with vector labels do not allow."""
    if config.search_space.vectors <= VECTOR_PREDICTION:
        wanted = f"expected at least {VECTOR_PREDICTION + 1} for vector labels"
        yield f"search_space.vectors: got {config.search_space.vectors}, {wanted}"
        return
    try:
        programs = config.search_space.initial_programs()
    except (OSError, ValueError):
        return  # which is a problem of the search space, told already
    for program in programs:
        try:
            check_program(program, num_classes)
        except ValueError as error:
            yield f"search_space.initial: {error}"


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
    tasks = [values.get("tasks"), *(change for axis in _lists(values.get("diversity")) for change in _lists(axis))]
    tables = [(table, key) for table in tasks for key in ("path", "data_dir")]
    tables += [(values.get("search_space"), "initial"), (values.get("budget"), "baseline")]
    for table, key in tables:
        if isinstance(table, dict) and key in table:
            names = table[key]
            keep = key == "data_dir"  # a folder, which needs no suffix to be one
            table[key] = (
                [_absolute(n, base, keep) for n in names]
                if isinstance(names, list | tuple)
                else _absolute(names, base, keep)
            )


def _absolute(name: Any, base: Path, is_path: bool) -> Any:
    if isinstance(name, str) and (is_path or Path(name).suffix):
        return os.path.normpath(base / os.path.expanduser(name))
    return name


def _lists(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


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
    value = _parsed(text.strip())
    if value is None and last in table:
        del table[last]  # its default holds again
    else:
        table[last] = value


def _parsed(text: str) -> Any:
    if text.lower() == "none":
        return None
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if len(parsed) == 1 else text
