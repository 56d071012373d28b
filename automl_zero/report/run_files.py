"""Reading the files of a run with care: any of them may be missing, damaged or not ours."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from automl_zero.evolution.run_directory import (
    BEST,
    CHECKPOINT,
    CONFIG,
    EXPERIMENTS,
    HALL_OF_FAME,
    LINEAGE,
    MARK,
    METRICS,
    PREVIOUS,
    RESULT,
    RunError,
)
from automl_zero.explain.discoveries import Discovery
from automl_zero.program import Program
from automl_zero.report.best_program import Entry, fitness_so_far, in_place_of_best
from automl_zero.report.numbers import plural
from automl_zero.report.records import integer, number, table, texts
from automl_zero.report.run_facts import Figures, Metric, RunFacts, State

if TYPE_CHECKING:
    from automl_zero.evolution.config import ExperimentConfig

_T = TypeVar("_T")
_NOT_TEXT = "it is not text in UTF-8"


def read_run(path: str | Path) -> RunFacts:
    """Read the directory of a run, whatever state it is in.

    Raises:
        RunError: it is not the directory of a run (an OSError).
    """
    directory = Path(path)
    if not directory.is_dir():
        problem = "it is a file" if directory.exists() else "there is no such directory"
        raise RunError(f"{path} is not the directory of a run: {problem}")
    try:
        with (directory / CONFIG).open(encoding="utf-8", errors="replace") as file:
            ours = file.readline().startswith(MARK)
    except (FileNotFoundError, IsADirectoryError):
        ours = False
    if not ours:
        raise RunError(f"{path} is not the directory of a run: it holds no {CONFIG} of automl-zero")
    return _Reader(directory).read()


@dataclass
class _Reader:
    path: Path
    notes: list[str] = field(default_factory=list)

    def read(self) -> RunFacts:
        text = (self.path / CONFIG).read_text(encoding="utf-8", errors="replace")
        config = self._try(CONFIG, self._config)
        running = _is_locked(self.path)
        result = None if running else self._try(RESULT, self._object)  # of before, when a run is extended
        saved: dict[str, Any] = {}
        for name in (CHECKPOINT, PREVIOUS):
            saved = saved or table(self._try(name, self._object), "state")
        metrics = self._lines(METRICS, _metric)
        hall_of_fame = self._lines(HALL_OF_FAME, Entry.from_dict)
        lineage = self._lines(LINEAGE, Discovery.from_dict) if (self.path / LINEAGE).exists() else None
        program = self._program(result, hall_of_fame, lineage or ())
        source = result or saved
        if result:
            totals = _figures(result)
        else:
            highest = max((m.best for m in metrics if m.best is not None), default=None)
            fitness = fitness_so_far(program, saved, hall_of_fame, lineage or ()) if program else (highest, None)
            totals = _unfinished(saved, metrics, fitness)
        experiments: tuple[Figures, ...] = ()
        if result:
            records = result.get("experiments")
            if isinstance(records, list):
                experiments = tuple(_figures(record) for record in records if isinstance(record, dict))
        elif (self.path / EXPERIMENTS).exists():
            experiments = self._lines(EXPERIMENTS, _figures)
        return RunFacts(
            path=self.path,
            state="running" if running else self._state(result),
            config=config,
            config_text=text,
            seed=integer(source, "seed"),
            program=program,
            figures=totals,
            experiments=experiments,
            metrics=metrics,
            lineage=lineage,
            versions=texts(table(source, "versions")),
            machine=texts(table(source, "machine")),
            notes=tuple(self.notes),
            no_program="" if program else self._why_no_program(running, bool(metrics)),
        )

    def _state(self, result: Mapping[str, Any] | None) -> State:
        if result is None:
            return "damaged" if (self.path / RESULT).exists() else "unfinished"
        return "interrupted" if result.get("interrupted") is True else "finished"

    def _program(
        self, result: Mapping[str, Any] | None, hall_of_fame: Sequence[Entry], lineage: Sequence[Discovery]
    ) -> Program | None:
        """The best program, and a note when it is not that of best.json."""
        program = self._try(BEST, self._best)
        if program is not None:
            return program
        found = in_place_of_best(result, hall_of_fame, lineage)
        if found is None:
            return None
        self.notes.append(f"In place of {BEST}, {found[1]} is shown.")
        return found[0]

    def _why_no_program(self, running: bool, has_progress: bool) -> str:
        """A sentence on why there is no program."""
        names = [BEST, HALL_OF_FAME] if running else [BEST, RESULT, HALL_OF_FAME]
        damaged = [name for name in names if (self.path / name).exists()]
        missing = [name for name in names if name not in damaged]
        if not damaged and not has_progress:
            return "No program has been found yet."
        phrases = [f"{_listed(damaged)} cannot be used"] if damaged else []
        phrases += [f"{_listed(missing)} {'are' if len(missing) > 1 else 'is'} missing"] if missing else []
        return f"No program can be shown: {', and '.join(phrases)}."

    def _config(self, name: str) -> ExperimentConfig:
        from automl_zero.evolution.config import load_config  # loads pydantic

        return load_config(self.path / name)

    def _object(self, name: str) -> dict[str, Any]:
        try:
            record = json.loads((self.path / name).read_text(encoding="utf-8"))
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        except UnicodeDecodeError:
            raise ValueError(_NOT_TEXT) from None
        except ValueError:
            raise ValueError("it is not JSON, so it was cut off or changed") from None
        if not isinstance(record, dict):
            raise ValueError("it holds no JSON object")
        return record

    def _best(self, name: str) -> Program:
        self._object(name)  # has words of its own for what is no JSON
        return Program.from_json((self.path / name).read_text(encoding="utf-8"))

    def _try(self, name: str, read: Callable[[str], _T]) -> _T | None:
        """What a file holds; None, and a note, when it cannot be read."""
        if not (self.path / name).exists():
            return None
        try:
            return read(name)
        except OSError as error:
            self.notes.append(f"{name} cannot be read: {error.strerror or error}.")
        except UnicodeDecodeError:
            self.notes.append(f"{name} cannot be used: {_NOT_TEXT}.")
        except (TypeError, ValueError) as error:
            first = (str(error).splitlines() or ["it is damaged"])[0]
            self.notes.append(f"{name} cannot be used: {first.rstrip('.')}.")
        return None

    def _lines(self, name: str, parse: Callable[[Mapping[str, Any]], _T]) -> tuple[_T, ...]:
        """The records of a log; lines that are damaged are left out."""
        text = self._try(name, lambda name: (self.path / name).read_text(encoding="utf-8")) or ""
        found, bad = [], 0
        for line in text.splitlines():
            try:
                found.append(parse(json.loads(line)))
            except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
                bad += 1
        if bad:
            self.notes.append(f"{name} has {plural(bad, 'line')} that cannot be used.")
        return tuple(found)


def _listed(names: Sequence[str]) -> str:
    """Names with commas and an "and"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _is_locked(path: Path) -> bool:
    """Whether a process is at work on the run."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(descriptor)
    return False


def _metric(record: Mapping[str, Any]) -> Metric:
    individuals, seconds = number(record, "individuals"), number(record, "seconds")
    if individuals is None or seconds is None:
        raise ValueError("individuals or seconds are missing")
    rates = {key: value for key in record if key.endswith("_rate") and (value := number(record, key)) is not None}
    return Metric(
        experiment=integer(record, "experiment") or 1,
        individuals=individuals,
        seconds=seconds,
        cpu_seconds=number(record, "cpu_seconds"),
        best=number(record, "best"),
        mean=number(record, "mean"),
        rates=rates,
        speed=number(record, "individuals_per_second"),
    )


def _figures(record: Mapping[str, Any]) -> Figures:
    cost = table(record, "cost")
    names = ("search_fitness", "select_fitness", "final_fitness", "individuals", "evaluated", "train_steps", "seconds")
    return Figures(
        **{name: number(record, name) for name in names},
        solved=record.get("solved") is True,
        cpu_seconds=number(record, "cpu_seconds"),
        gpu_seconds=number(cost, "gpu_seconds"),
        peak_memory_mib=number(cost, "peak_memory_mib"),
    )


def _unfinished(
    saved: Mapping[str, Any], metrics: tuple[Metric, ...], fitness: tuple[float | None, float | None]
) -> Figures:
    """Totals of a run without a result: those of its last report, or of its last checkpoint."""
    done = table(saved, "done")
    searched = bool(done.get("experiments") or saved.get("experiment"))  # the first checkpoint is made before anything
    # Time and CPU time have to be of the same moment, or what is made of them is wrong.
    moments = [(last.seconds, last.cpu_seconds) for last in metrics[-1:]]
    if searched and (seconds := number(saved, "seconds")) is not None:
        moments.append((seconds, number(saved, "cpu_seconds")))
    latest = max(moments, key=lambda moment: moment[0], default=(None, None))
    return Figures(
        search_fitness=fitness[0],
        select_fitness=fitness[1],
        solved=saved.get("solved") is True,
        individuals=metrics[-1].individuals if metrics else number(done, "individuals") if searched else None,
        seconds=latest[0],
        cpu_seconds=latest[1],
    )
