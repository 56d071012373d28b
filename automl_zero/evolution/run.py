"""A whole run: experiments, the select test, the final score, limits, reports and checkpoints.

The protocol is the paper's (Section 4): every experiment evolves on its search tasks (T_search), the select tasks
(T_select) pick one of the experiments' candidates, and the final tasks (T_final) score that one, once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from automl_zero import __version__, provenance
from automl_zero.evolution import checkpoint, engine
from automl_zero.evolution.candidate import Candidate
from automl_zero.evolution.checkpoint import Checkpoint
from automl_zero.evolution.config import ExperimentConfig
from automl_zero.evolution.crew import Crew
from automl_zero.evolution.experiment import Experiment
from automl_zero.evolution.islands import Archipelago
from automl_zero.evolution.mutation import make_space
from automl_zero.evolution.progress import Phase, Progress, Result
from automl_zero.evolution.run_directory import EXPERIMENTS, HALL_OF_FAME, METRICS, RunDirectory
from automl_zero.evolution.search_tasks import SearchTasks, make_search_tasks
from automl_zero.interpreters.numba_interpreter import Evaluator
from automl_zero.program import Program
from automl_zero.tasks import make_source

Callback = Callable[[Progress], bool | None]

_HEARTBEAT = 0.2  # seconds between calls of the callback
_REPORT_EVERY = 1.0  # seconds between lines of metrics.jsonl and versions of best.json
_SEARCH_KEY, _EVOLUTION_KEY = 1, 2


@dataclass
class Totals:
    """Sums over the experiments that have ended."""

    experiments: int = 0
    individuals: int = 0
    train_steps: int = 0
    evaluated: int = 0
    search_seconds: float = 0.0


class Run:
    """One run, from the first experiment to the final score.

    Args:
        config: the configuration.
        seed: the seed.
        directory: where its files go; None for no files.
        pool: threads for the islands.
        callback: told about the progress.
        saved: the checkpoint to go on from.
    """

    def __init__(
        self,
        config: ExperimentConfig,
        seed: int,
        directory: RunDirectory | None,
        pool: Crew,
        callback: Callback | None,
        saved: Checkpoint | None = None,
    ) -> None:
        self.config, self.seed, self.directory, self.pool, self.callback = config, seed, directory, pool, callback
        self.source = make_source(config.tasks)
        self.space = make_space(config, vector_labels=self.source.num_classes > 0)
        self.started, self.cpu_started = time.perf_counter(), time.process_time()
        self.stopped = False  # by the callback or Ctrl-C
        self.done = Totals()
        self.kept: dict[str, list[str]] = {METRICS: [], EXPERIMENTS: []}  # lines of the logs of a run without files
        self.best: Candidate | None = None  # of all experiments that have ended, by select fitness
        self.lineage: list[dict[str, Any]] = []  # the way to it
        self.solved = False
        self.experiment: Experiment | None = None
        self.progress = Progress(phase="compile")
        self.last_report = self.last_best_file = self.last_call = -_REPORT_EVERY
        self.last_checkpoint = self.started
        self.logged = (0, 0)
        self.saved = saved
        self._select: Evaluator | None = None
        self._tasks: tuple[int, SearchTasks] | None = None

    # -- the run -----------------------------------------------------------------------------------------------

    def execute(self) -> Result:
        """Run experiments until the target or a limit is reached, then score the best candidate."""
        if self.saved is not None:
            self._restore(self.saved)
        if self.directory is not None:
            self.directory.discard_result()
            self.directory.write_config(self.config.to_toml())
        if self.saved is None:
            self.save()  # from now on the run can be resumed
        self._compile()
        while self._goes_on():
            if self.experiment is None:
                self.experiment = self._new_experiment(self.done.experiments)
            experiment = self.experiment
            candidate = experiment.run()
            self.report(experiment, at_end=True)
            self._end(experiment, candidate)
            if experiment.cut_short:
                break
            self.experiment = None
        if self.experiment is None:
            self.save()  # otherwise a checkpoint is there, from which the experiment could go on
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
            history=self._logged(METRICS),
            lineage=self.lineage,
            experiments=self._logged(EXPERIMENTS),
            individuals=self.done.individuals,
            train_steps=self.done.train_steps,
            evaluated=self.done.evaluated,
            seconds=self.seconds(),
            cpu_seconds=self.cpu_seconds(),
            seed=self.seed,
            config=self.config,
            run_dir=None if self.directory is None else self.directory.path,
        )
        if self.directory is not None:
            self.directory.write_best(result.program, result.lineage)
            self.directory.write_result(result.to_dict())
        self._say("done", "")
        return result

    def _log(self, log: str, record: Mapping[str, Any]) -> None:
        """Add a line to a log, which is read back at the end: a long run must not grow by what it has done."""
        if self.directory is not None:
            self.directory.append(log, record)
        else:
            self.kept[log].append(json.dumps(record))

    def _logged(self, log: str) -> list[dict[str, Any]]:
        """The lines of a log."""
        if self.directory is not None:
            return self.directory.read_log(log)
        return [json.loads(line) for line in self.kept[log]]

    def _goes_on(self) -> bool:
        """Whether there is another experiment, or one to go on with; there is always a first one."""
        if self.experiment is not None or not self.done.experiments:
            return True
        limit = self.config.max_experiments
        if limit is not None and self.done.experiments >= limit:
            return False
        return not (self.solved or self.stop_requested() or self._used_up())

    def _new_experiment(self, number: int) -> Experiment:
        which = number if self.config.new_search_tasks else 0
        if self._tasks is None or self._tasks[0] != which:
            seed = _derived(self.seed, which, _SEARCH_KEY)
            self._tasks = (which, make_search_tasks(self.config, self.source, seed, self.observe_kernel))
        return Experiment(self, number, self._tasks[1], (self.seed, number, _EVOLUTION_KEY))

    def _compile(self) -> None:
        """Compile what is not in the cache yet, and say so."""
        if self.config.backend == "jax":
            self._say("compile", "Compiling the search for the device, at every start (10 s or more)")
            return
        if not engine.advance.is_compiled():
            self._say("compile", "Compiling the search engine, once for this version and machine (10 to 40 s)")
            start = time.perf_counter()
            config = self.config.model_copy(update={"islands": 1})
            data = Evaluator(self.source.search(0), config.dtype, self.observe_kernel).data
            sample = Archipelago(config, self.space, data, (0,))
            self.wait_for([self.pool.submit(sample.compile)])
            self._say("compile", f"Compiled in {time.perf_counter() - start:.1f} s")

    def observe_kernel(self, description: str, seconds: float | None) -> None:
        """Announce a kernel that has to be compiled."""
        if seconds is None:
            self._say("compile", f"Compiling the kernel ({description})")

    def _end(self, experiment: Experiment, candidate: Candidate) -> None:
        """Account for an experiment and keep its candidate if it is the best."""
        total = experiment.islands.total
        self.done.individuals += experiment.individuals
        self.done.train_steps += total(engine.TRAIN_STEPS)
        self.done.evaluated += total(engine.EVALUATED)
        self.done.search_seconds += experiment.search_seconds
        selected = experiment.select(candidate)
        target = self.config.target_fitness
        self.solved = target is not None and selected > target
        if self.best is None or selected > (self.best.select_fitness or 0.0) or self.solved:
            self.best, self.lineage = candidate, experiment.lineage(candidate)
        record = {
            "individuals": experiment.individuals,
            "train_steps": total(engine.TRAIN_STEPS),
            "evaluated": total(engine.EVALUATED),
            "select_tests": experiment.select_tests,
            "search_fitness": candidate.search_fitness,
            "select_fitness": selected,
            "solved": self.solved,
            "seconds": round(experiment.search_seconds, 3),
            "program": candidate.program.to_dict(),
        }
        self.done.experiments += 1
        self._log(EXPERIMENTS, record)

    # -- checkpoints -----------------------------------------------------------------------------------------------

    def checkpoint_due(self) -> bool:
        """Whether it is time for a checkpoint."""
        return (
            self.directory is not None and time.perf_counter() - self.last_checkpoint >= self.config.checkpoint_seconds
        )

    def save(self) -> None:
        """Write a checkpoint, if the run has a directory."""
        if self.directory is not None:
            experiment = self.experiment
            state = {
                "version": __version__,
                "versions": provenance.versions(),
                "seed": self.seed,
                "config": self.config.model_dump(mode="json"),
                "seconds": self.seconds(),
                "cpu_seconds": self.cpu_seconds(),
                "logs": self.directory.log_lengths(),
                "done": vars(self.done),
                "best": None if self.best is None else self.best.to_dict(),
                "lineage": self.lineage,
                "solved": self.solved,
                "experiment": None if experiment is None else experiment.state(),
            }
            checkpoint.save(self.directory, state, {} if experiment is None else experiment.islands.arrays())
        self.last_checkpoint = time.perf_counter()

    def _restore(self, saved: Checkpoint) -> None:
        """Go back to a checkpoint."""
        state = saved.state
        self.started -= state["seconds"]
        self.cpu_started -= state["cpu_seconds"]
        self.done = Totals(**state["done"])
        self.best = None if state["best"] is None else Candidate.from_dict(state["best"])
        self.lineage, self.solved = state["lineage"], state["solved"]
        if state["experiment"] is not None:
            self.experiment = self._new_experiment(state["experiment"]["number"])
            self.experiment.restore(state["experiment"], saved.arrays)

    # -- what experiments use ------------------------------------------------------------------------------------

    def seconds(self) -> float:
        """Time since the start, without that between a stop and the resumption."""
        return time.perf_counter() - self.started

    def cpu_seconds(self) -> float:
        """CPU time of the process since then, over all threads."""
        return time.process_time() - self.cpu_started

    def select(self, program: Program) -> float:
        """Mean fitness on the select tasks."""
        if self._select is None:
            self._say("select", "")
            self._select = Evaluator(self.source.select(self.seed), self.config.dtype)
        return float(self._select.evaluate(program)[0].mean())

    def report(self, experiment: Experiment, at_end: bool = False) -> None:
        """Tell the callback and the log about the progress, if it is time; barriers may come every few milliseconds."""
        now = self.seconds()
        log_due, call_due = now - self.last_report >= _REPORT_EVERY, now - self.last_call >= _HEARTBEAT
        if not (log_due or call_due or at_end):
            return
        progress = self._progress(experiment)
        state = (progress.experiment, progress.individuals)  # the end may have been reported as a barrier already
        if (log_due or at_end) and state != self.logged:
            self.last_report, self.logged = now, state
            self._log(METRICS, progress.metrics())
        if state != (self.progress.experiment, self.progress.individuals):
            self.progress = progress
            self._call()

    def _progress(self, experiment: Experiment) -> Progress:
        """The state of the run at a barrier: that of the experiment, and what came before."""
        own = experiment.progress()
        limit = self._limit(own.individuals, own.train_steps)
        search_seconds = self.done.search_seconds + experiment.search_seconds
        individuals = self.done.individuals + own.individuals
        return replace(
            own,
            individuals=individuals,
            train_steps=self.done.train_steps + own.train_steps,
            evaluated=self.done.evaluated + own.evaluated,
            seconds=self.seconds(),
            cpu_seconds=self.cpu_seconds(),
            individuals_per_second=individuals / max(search_seconds, 1e-9),
            limit=None if limit is None else limit[0],
            fraction=None if limit is None else limit[1],
        )

    def improved(self, experiment: Experiment, candidate: Candidate) -> None:
        """Record a new best program of an experiment."""
        if self.directory is None:
            return
        record = {
            "experiment": experiment.number + 1,
            "individuals": self.done.individuals + experiment.individuals,
            "search_fitness": candidate.search_fitness,
            "program": candidate.program.to_dict(),
        }
        self.directory.append(HALL_OF_FAME, record)
        if self.seconds() - self.last_best_file >= _REPORT_EVERY:  # each version is synced to disk, which takes time
            self.last_best_file = self.seconds()
            self.directory.write_best(candidate.program, experiment.lineage(candidate))

    def wait_for(self, jobs: list[Future[None]]) -> None:
        """Wait for islands, with the callback's heart beating."""
        pending: set[Future[None]] = set(jobs)
        while pending:
            pending = wait(pending, timeout=_HEARTBEAT).not_done
            if pending:
                self._call()
        for job in jobs:
            job.result()

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

    def _limit(self, individuals: int, train_steps: int) -> tuple[tuple[str, float], float] | None:
        """The limit that is nearest, and which share of it is used up; counts are those of the present experiment."""
        own = ((individuals, self.config.experiment_individuals), (train_steps, self.config.experiment_train_steps))
        begun = max((made / limit for made, limit in own if limit is not None), default=0.0)
        used = {
            "max_individuals": self.done.individuals + individuals,
            "max_train_steps": self.done.train_steps + train_steps,
            "max_seconds": self.seconds(),
            "max_experiments": self.done.experiments + min(begun, 1.0),
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


def _derived(*key: int) -> int:
    """A 64-bit seed for a key."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0])
