"""A whole run: experiments on search tasks, the select test, the final score, limits and reports.

The protocol is the paper's (Section 4): every experiment evolves on search tasks of its own (T_search), the select
tasks (T_select) pick one of the experiments' candidates, and the final tasks (T_final) score that one, once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from automl_zero.evolution import engine
from automl_zero.evolution.config import ExperimentConfig, load_config
from automl_zero.evolution.interrupts import requests_to_stop
from automl_zero.evolution.islands import Archipelago, program_in
from automl_zero.evolution.mutation import make_space
from automl_zero.evolution.progress import Phase, Progress, Result
from automl_zero.evolution.run_directory import RunDirectory
from automl_zero.interpreters.numba_interpreter import Evaluator
from automl_zero.jit import is_compiled
from automl_zero.program import Program
from automl_zero.provenance import usable_cores
from automl_zero.tasks import make_source

Callback = Callable[[Progress], bool | None]

_HEARTBEAT = 0.2  # seconds between calls of the callback
_REPORT_EVERY = 1.0  # seconds between lines of metrics.jsonl and versions of best.json
_SEARCH_KEY, _EVOLUTION_KEY = 1, 2


def evolve(
    config: str | Path | Mapping[str, Any] | ExperimentConfig,
    seed: int = 0,
    out: str | Path | None = None,
    workers: int | None = None,
    callback: Callback | None = None,
    force: bool = False,
) -> Result:
    """Search for a program.

    The same configuration, seed and limits by count give the same result on any number of workers. A limit in seconds,
    Ctrl-C or a callback ends the run as it was at the last barrier.

    Args:
        config: name of a preset, path of a TOML file, nested dict or configuration.
        seed: a non-negative integer.
        out: run directory to write; None writes no files.
        workers: number of threads; by default as many as there are cores or islands, whichever is less.
        callback: called with the progress a few times a second; returning False ends the run cleanly.
        force: replace a run that the directory holds.

    Returns:
        What was found, and what it took.

    Raises:
        ConfigError: the configuration is not usable (a ValueError).
        RunError: the run directory cannot be used or written (an OSError).
        TypeError, ValueError: another argument is not usable.
    """
    checked = load_config(config)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise TypeError(f"seed is {seed!r}: expected a non-negative integer")
    if seed < 0:
        raise ValueError(f"seed is {seed}: expected a non-negative integer")
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int)):
        raise TypeError(f"workers is {workers!r}: expected a positive integer")
    if workers is not None and workers < 1:
        raise ValueError(f"workers is {workers}: expected a positive integer")
    if callback is not None and not callable(callback):
        raise TypeError(f"callback is {callback!r}: expected a function of the progress")
    directory = None if out is None else RunDirectory.create(out, force)
    threads = min(workers or usable_cores(), checked.islands)
    with ThreadPoolExecutor(threads, thread_name_prefix="automl-zero") as pool:
        run = _Run(checked, int(seed), directory, pool, callback)
        try:
            with requests_to_stop(run.request_stop):
                return run.execute()
        except BaseException:
            run.stopped = True  # for the threads, which the pool waits for
            raise


@dataclass
class _Candidate:
    """A program that an experiment offers."""

    program: Program
    search_fitness: float
    select_fitness: float | None = None


@dataclass
class _Counts:
    """Totals of the experiments that have ended."""

    individuals: int = 0
    train_steps: int = 0
    evaluated: int = 0
    search_seconds: float = 0.0
    records: list[dict[str, Any]] = field(default_factory=list)


class _Run:
    """One run, from the first experiment to the final score."""

    def __init__(
        self,
        config: ExperimentConfig,
        seed: int,
        directory: RunDirectory | None,
        pool: ThreadPoolExecutor,
        callback: Callback | None,
    ) -> None:
        self.config, self.seed, self.directory, self.pool, self.callback = config, seed, directory, pool, callback
        self.source = make_source(config.tasks)
        self.space = make_space(config)
        self.started, self.cpu_started = time.perf_counter(), time.process_time()
        self.stopped = False  # by the callback or Ctrl-C
        self.done = _Counts()
        self.history: list[dict[str, Any]] = []
        self.best: _Candidate | None = None  # of all experiments that have ended, by select fitness
        self.solved = False
        self.progress = Progress(phase="compile")
        self.last_report = self.last_best_file = self.last_call = -_REPORT_EVERY
        self.logged = (0, 0)
        self._select: Evaluator | None = None

    # -- the run -----------------------------------------------------------------------------------------------

    def execute(self) -> Result:
        """Run experiments until the target or a limit is reached, then score the best candidate."""
        if self.directory is not None:
            self.directory.write_config(self.config.to_toml())
        self._compile()
        number = 0
        while number == 0 or not (self.solved or self.stop_requested() or self._used_up()):
            if self.config.max_experiments is not None and number >= self.config.max_experiments:
                break
            experiment = _Experiment(self, number)
            candidate = experiment.run()
            self.report(experiment.progress, at_end=True)
            self._end(experiment, candidate)
            number += 1
        assert self.best is not None  # the first experiment always offers a program
        self._say("final", "Scoring the best program on unseen tasks")
        final = Evaluator(self.source.final(self.seed), self.config.dtype).evaluate(self.best.program)[0]
        result = Result(
            program=self.best.program,
            search_fitness=self.best.search_fitness,
            select_fitness=self.best.select_fitness,
            final_fitness=float(final.mean()),
            solved=self.solved,
            interrupted=self.stopped,
            target_fitness=self.config.target_fitness,
            history=self.history,
            experiments=self.done.records,
            individuals=self.done.individuals,
            train_steps=self.done.train_steps,
            evaluated=self.done.evaluated,
            seconds=self.seconds(),
            cpu_seconds=time.process_time() - self.cpu_started,
            seed=self.seed,
            config=self.config,
            run_dir=None if self.directory is None else self.directory.path,
        )
        if self.directory is not None:
            self.directory.write_best(result.program)
            self.directory.write_result(result.to_dict())
        self._say("done", "")
        return result

    def _compile(self) -> None:
        """Compile what is not in the cache yet, and say so."""
        if not is_compiled("engine", "advance"):
            self._say("compile", "Compiling the search engine, once for this version and machine (about 15 s)")
            start = time.perf_counter()
            config = self.config.model_copy(update={"islands": 1})
            data = Evaluator(self.source.search(0), config.dtype, self.observe_kernel).data
            self.wait_for(Archipelago(config, self.space, data, (0,)).start([1], self.pool, lambda: False))
            self._say("compile", f"Compiled in {time.perf_counter() - start:.1f} s")

    def observe_kernel(self, description: str, seconds: float | None) -> None:
        """Announce a kernel that has to be compiled."""
        if seconds is None:
            self._say("compile", f"Compiling the kernel ({description})")

    def _end(self, experiment: _Experiment, candidate: _Candidate) -> None:
        """Account for an experiment and keep its candidate if it is the best."""
        islands = experiment.islands
        self.done.individuals += islands.total(engine.INDIVIDUALS)
        self.done.train_steps += islands.total(engine.TRAIN_STEPS)
        self.done.evaluated += islands.total(engine.EVALUATED)
        self.done.search_seconds += experiment.search_seconds
        selected = experiment.select(candidate)
        target = self.config.target_fitness
        self.solved = target is not None and selected > target
        if self.best is None or selected > (self.best.select_fitness or 0.0) or self.solved:
            self.best = candidate
        self.done.records.append(
            {
                "individuals": islands.total(engine.INDIVIDUALS),
                "train_steps": islands.total(engine.TRAIN_STEPS),
                "evaluated": islands.total(engine.EVALUATED),
                "select_tests": experiment.select_tests,
                "search_fitness": candidate.search_fitness,
                "select_fitness": selected,
                "solved": self.solved,
                "seconds": round(experiment.search_seconds, 3),
                "program": candidate.program.to_dict(),
            }
        )

    # -- what experiments use ------------------------------------------------------------------------------------

    def seconds(self) -> float:
        """Time since the start."""
        return time.perf_counter() - self.started

    def select(self, program: Program) -> float:
        """Mean fitness on the select tasks."""
        if self._select is None:
            self._say("select", "")
            self._select = Evaluator(self.source.select(self.seed), self.config.dtype)
        return float(self._select.evaluate(program)[0].mean())

    def report(self, make_progress: Callable[[], Progress], at_end: bool = False) -> None:
        """Tell the callback and the log about the progress, if it is time; barriers may come every few milliseconds."""
        now = self.seconds()
        log_due, call_due = now - self.last_report >= _REPORT_EVERY, now - self.last_call >= _HEARTBEAT
        if not (log_due or call_due or at_end):
            return
        progress = make_progress()
        state = (progress.experiment, progress.individuals)  # the end may have been reported as a barrier already
        if (log_due or at_end) and state != self.logged:
            self.last_report, self.logged = now, state
            self.history.append(progress.metrics())
            if self.directory is not None:
                self.directory.append_metrics(self.history[-1])
        if state != (self.progress.experiment, self.progress.individuals):
            self.progress = progress
            self._call()

    def improved(self, experiment: int, candidate: _Candidate, individuals: int) -> None:
        """Record a new best program of an experiment."""
        if self.directory is None:
            return
        record = {
            "experiment": experiment + 1,
            "individuals": individuals,
            "search_fitness": candidate.search_fitness,
            "program": candidate.program.to_dict(),
        }
        self.directory.append_hall_of_fame(record)
        if self.seconds() - self.last_best_file >= _REPORT_EVERY:  # each version is synced to disk, which takes time
            self.last_best_file = self.seconds()
            self.directory.write_best(candidate.program)

    def wait_for(self, jobs: list[Future[bool]]) -> bool:
        """Wait for islands to reach a barrier, with the callback's heart beating; False when they were stopped."""
        pending: set[Future[bool]] = set(jobs)
        while pending:
            pending = wait(pending, timeout=_HEARTBEAT).not_done
            if pending:
                self._call()
        return all(job.result() for job in jobs)

    def request_stop(self) -> bool:
        """Ask the run to stop, from outside; False when it was asked before."""
        first, self.stopped = not self.stopped, True
        return first

    def stop_requested(self) -> bool:
        """Whether to stop before the next barrier: asked from any thread."""
        limit = self.config.max_seconds
        return self.stopped or (limit is not None and self.seconds() >= limit)

    def remaining_individuals(self) -> int | None:
        """How many individuals the limit leaves for the present experiment, when the others have ended."""
        limit = self.config.max_individuals
        return None if limit is None else limit - self.done.individuals

    def remaining_train_steps(self) -> int | None:
        """The same for train steps."""
        limit = self.config.max_train_steps
        return None if limit is None else limit - self.done.train_steps

    def limit(self, individuals: int, train_steps: int) -> tuple[tuple[str, float], float] | None:
        """The limit that is nearest, and which share of it is used up."""
        used = {
            "max_individuals": self.done.individuals + individuals,
            "max_train_steps": self.done.train_steps + train_steps,
            "max_seconds": self.seconds(),
            "max_experiments": len(self.done.records),
        }
        limits = [(name, getattr(self.config, name)) for name in used if getattr(self.config, name) is not None]
        if not limits:
            return None
        name, value = max(limits, key=lambda item: used[item[0]] / item[1])
        return (name, float(value)), min(used[name] / value, 1.0)

    def _used_up(self) -> bool:
        remaining = (self.remaining_individuals(), self.remaining_train_steps())
        return any(left is not None and left <= 0 for left in remaining)

    def _call(self) -> None:
        self.last_call = self.seconds()
        if self.callback is not None and self.callback(replace(self.progress, seconds=self.seconds())) is False:
            self.stopped = True

    def _say(self, phase: Phase, message: str) -> None:
        self.progress = replace(self.progress, phase=phase, message=message, seconds=self.seconds())
        self._call()


class _Experiment:
    """One search from an initial population."""

    def __init__(self, run: _Run, number: int) -> None:
        self.run_, self.number, self.config = run, number, run.config
        tasks = run.source.search(_derived(run.seed, number, _SEARCH_KEY))
        self.evaluator = Evaluator(tasks, self.config.dtype, run.observe_kernel)
        key = (run.seed, number, _EVOLUTION_KEY)
        self.islands = Archipelago(self.config, run.space, self.evaluator.data, key)
        self.search_seconds = 0.0
        self.select_tests = 0
        self.best: _Candidate | None = None
        self.hall_of_fame: list[_Candidate] = []
        self.checked = [-1] * self.config.islands  # number of each island's best individual when last looked at

    def run(self) -> _Candidate:
        """Search until the select test is passed or a limit is reached; returns the program to offer."""
        while True:
            quotas = self._quotas()
            if not any(quotas):
                return self._offer()
            start = time.perf_counter()
            jobs = self.islands.start(quotas, self.run_.pool, self.run_.stop_requested)
            reached = self.run_.wait_for(jobs)
            self.search_seconds += time.perf_counter() - start
            if not reached:
                # The run is as it was at the last barrier; before the first one, better an early stop than nothing.
                if self.best is None:
                    self._look_for_improvements()
                return self._offer_best()
            passed = self._look_for_improvements()
            self.islands.migrate()
            self.run_.report(self.progress)
            if passed is not None:
                return passed
            if self.run_.stop_requested():
                return self._offer_best()

    def _quotas(self) -> list[int]:
        """Individuals for each island until the next barrier; zeros at the end of the experiment."""
        islands, config = self.config.islands, self.config
        made, steps = self.islands.total(engine.INDIVIDUALS), self.islands.total(engine.TRAIN_STEPS)
        total = islands * config.migration_every
        for limit in (config.experiment_individuals, self.run_.remaining_individuals()):
            if limit is not None:
                total = min(total, max(limit - made, 0))
        for limit in (config.experiment_train_steps, self.run_.remaining_train_steps()):
            if limit is not None and steps >= limit:
                total = 0
        return [total // islands + (number < total % islands) for number in range(islands)]

    def _look_for_improvements(self) -> _Candidate | None:
        """Take note of better programs, evaluated without caches; returns one that passes the select test, if any."""
        for number, island in enumerate(self.islands.islands):
            slot = self.config.population_size + 1
            individual = int(island.counters[engine.BEST_INDIVIDUAL])
            if individual == self.checked[number]:
                continue
            self.checked[number] = individual
            claimed = float(island.fitness[slot])
            if self.best is not None and claimed <= self.best.search_fitness:
                continue
            candidate = self._candidate(number, slot)
            # A cache may have flattered the program; then a better one must not be overlooked.
            island.fitness[slot] = candidate.search_fitness
            if self.best is None or candidate.search_fitness > self.best.search_fitness:
                self.best = candidate
                self.hall_of_fame.append(candidate)
                self.run_.improved(self.number, candidate, self._individuals())
                if self._passes(candidate):
                    return candidate
        return None

    def _passes(self, candidate: _Candidate) -> bool:
        above, target = self.config.select_above, self.config.target_fitness
        if above is None or target is None or candidate.search_fitness <= above:
            return False
        return self.select(candidate) > target

    def select(self, candidate: _Candidate) -> float:
        """Fitness of a candidate on the select tasks; each takes the test once."""
        if candidate.select_fitness is None:
            self.select_tests += 1
            candidate.select_fitness = self.run_.select(candidate.program)
        return candidate.select_fitness

    def _candidate(self, number: int, slot: int) -> _Candidate:
        island = self.islands.islands[number]
        program = program_in(island, slot, self.config.search_space.memory, self.run_.space)
        return _Candidate(program, self._aggregate(self.evaluator.evaluate(program)[0]))

    def _aggregate(self, fitness: np.ndarray[Any, Any]) -> float:
        """Search fitness: the mean over the tasks or their upper median."""
        if self.config.fitness == "median":
            return float(np.sort(fitness)[len(fitness) // 2])
        return float(np.cumsum(fitness)[-1]) / len(fitness)  # summed in the order of the engine, to the same bit

    def _offer(self) -> _Candidate:
        """The candidate of an experiment that ended by a limit on counts."""
        if self.config.select_program != "final_population" or self.config.search == "random":
            return self._offer_best()
        fitness = self.islands.fitness()
        number = max(range(len(fitness)), key=lambda i: float(fitness[i].max(initial=-1.0)))
        return self._candidate(number, int(fitness[number].argmax()))

    def _offer_best(self) -> _Candidate:
        """The best program seen, by search fitness or, of those that were once the best, by select fitness."""
        assert self.best is not None
        if self.config.select_program == "hall_of_fame":
            return max(self.hall_of_fame, key=self.select)
        return self.best

    def _individuals(self) -> int:
        return self.run_.done.individuals + self.islands.total(engine.INDIVIDUALS)

    def progress(self) -> Progress:
        """The state of the run at this barrier."""
        run, total = self.run_, self.islands.total
        assert self.best is not None
        limit = run.limit(total(engine.INDIVIDUALS), total(engine.TRAIN_STEPS))
        search_seconds = run.done.search_seconds + self.search_seconds
        return Progress(
            phase="search",
            experiment=self.number + 1,
            individuals=self._individuals(),
            train_steps=run.done.train_steps + total(engine.TRAIN_STEPS),
            evaluated=run.done.evaluated + total(engine.EVALUATED),
            seconds=run.seconds(),
            individuals_per_second=self._individuals() / max(search_seconds, 1e-9),
            best=self.best.search_fitness,
            mean=self.islands.mean_fitness(),
            canonical_hit_rate=_rate(total(engine.CANONICAL_HITS), total(engine.CANONICAL_LOOKUPS)),
            fec_hit_rate=_rate(total(engine.FEC_HITS), total(engine.FEC_LOOKUPS)),
            program=self.best.program,
            limit=None if limit is None else limit[0],
            fraction=None if limit is None else limit[1],
        )


def _rate(hits: int, lookups: int) -> float:
    return hits / lookups if lookups else 0.0


def _derived(*key: int) -> int:
    """A 64-bit seed for a key."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0])
