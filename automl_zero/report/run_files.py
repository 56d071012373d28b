"""Reading the files of a run with care: any of them may be missing, damaged or not ours."""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from automl_zero.evolution.run_directory import (
    BEST,
    CHECKPOINT,
    CONFIG,
    LINEAGE,
    MARK,
    METRICS,
    PREVIOUS,
    RESULT,
    RunError,
)
from automl_zero.explain.discoveries import Discovery
from automl_zero.program import Program
from automl_zero.report.run_facts import Figures, Metric, RunFacts, State

if TYPE_CHECKING:
    from automl_zero.evolution.config import ExperimentConfig

_T = TypeVar("_T")


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
        saved = None
        for name in (CHECKPOINT, PREVIOUS):
            if saved is None:
                saved = _table(self._try(name, self._object), "state")
        program = self._try(BEST, lambda name: Program.load(self.path / name))
        metrics = self._lines(METRICS, _metric)
        lineage = self._lines(LINEAGE, Discovery.from_dict) if (self.path / LINEAGE).exists() else None
        source = result or saved or {}
        totals = _figures(result) if result else _unfinished(saved or {}, metrics)
        records = result.get("experiments") if result else _table(saved, "done").get("records")
        return RunFacts(
            path=self.path,
            state="running" if running else _state(result),
            config=config,
            config_text=text,
            seed=_integer(source, "seed"),
            program=program,
            figures=totals,
            experiments=tuple(_figures(r) for r in records if isinstance(r, dict)) if isinstance(records, list) else (),
            metrics=metrics,
            lineage=lineage,
            versions=_texts(_table(source, "versions")),
            machine=_texts(_table(source, "machine")),
            notes=tuple(self.notes),
        )

    def _config(self, name: str) -> ExperimentConfig:
        from automl_zero.evolution.config import load_config  # loads pydantic

        return load_config(self.path / name)

    def _object(self, name: str) -> dict[str, Any]:
        record = json.loads((self.path / name).read_text(encoding="utf-8"))
        if not isinstance(record, dict):
            raise ValueError("it holds no JSON object")
        return record

    def _try(self, name: str, read: Callable[[str], _T]) -> _T | None:
        """What a file holds; None, and a note, when it cannot be read."""
        if not (self.path / name).exists():
            return None
        try:
            return read(name)
        except OSError as error:
            self.notes.append(f"{name} cannot be read: {error.strerror or error}.")
        except (TypeError, ValueError, RecursionError) as error:
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
            self.notes.append(f"{name} has {bad} line{'s' * (bad != 1)} that cannot be used.")
        return tuple(found)


def _state(result: Mapping[str, Any] | None) -> State:
    if result is None:
        return "unfinished"
    return "interrupted" if result.get("interrupted") is True else "finished"


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
        experiment=_integer(record, "experiment") or 1,
        individuals=individuals,
        seconds=seconds,
        best=number(record, "best"),
        mean=number(record, "mean"),
        rates=rates,
        speed=number(record, "individuals_per_second"),
    )


def _figures(record: Mapping[str, Any]) -> Figures:
    cost = _table(record, "cost")
    names = ("search_fitness", "select_fitness", "final_fitness", "individuals", "evaluated", "train_steps", "seconds")
    return Figures(
        **{name: number(record, name) for name in names},
        solved=record.get("solved") is True,
        cpu_seconds=number(record, "cpu_seconds"),
        gpu_seconds=number(cost, "gpu_seconds"),
        peak_memory_mib=number(cost, "peak_memory_mib"),
    )


def _unfinished(saved: Mapping[str, Any], metrics: tuple[Metric, ...]) -> Figures:
    """Totals of a run without a result: those of its last report, or of its last checkpoint."""
    best = _table(saved, "best")
    last = metrics[-1] if metrics else None
    of_last = [m.best for m in metrics if m.best is not None]
    return Figures(
        search_fitness=max(of_last, default=number(best, "search_fitness")),
        select_fitness=number(best, "select_fitness"),
        solved=saved.get("solved") is True,
        individuals=last.individuals if last else number(_table(saved, "done"), "individuals"),
        seconds=last.seconds if last else number(saved, "seconds"),
        cpu_seconds=number(saved, "cpu_seconds"),
    )


def number(record: Mapping[str, Any], key: str) -> float | None:
    """A finite number from a record; None for anything else."""
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _integer(record: Mapping[str, Any], key: str) -> int | None:
    value = record.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _table(record: Mapping[str, Any] | None, key: str) -> dict[str, Any]:
    value = record.get(key) if record else None
    return value if isinstance(value, dict) else {}


def _texts(record: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in record.items()}
