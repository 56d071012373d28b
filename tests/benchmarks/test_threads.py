from __future__ import annotations

import json

import pytest

from automl_zero.evolution.config import load_config
from automl_zero.evolution.progress import Progress
from benchmarks import threads


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    path = tmp_path_factory.mktemp("threads") / "threads.json"
    assert threads.main(["--alternations", "2", "--seconds", "0.05", "--json", str(path)]) == 0
    return json.loads(path.read_text(encoding="utf-8"))


def test_threads_and_processes_take_turns_with_one(record):
    rates = record["individuals_per_second"]
    assert set(rates) == {"one_thread", "all_threads", "one_process", "all_processes"}
    assert all(len(values) == 2 and min(values) > 0 for values in rates.values())
    assert set(record["ratios"]) == {"threads", "processes", "threads_of_processes"}


def test_the_report_says_where_and_when_it_was_made(record):
    assert record["benchmark"] == "threads"
    assert (record["preset"], record["threads"], record["islands_per_thread"]) == ("linear-reference", 2, 1)
    assert {"date", "machine", "versions"} <= record.keys()


def test_the_text_shows_rates_and_ratios(record):
    shown = threads.text(record)
    for part in ("2 threads ", "1 thread ", "2 processes ", "1 process ", "2 threads / 1", "threads / processes"):
        assert part in shown


def test_ratios_are_those_within_an_alternation():
    found = threads.ratios(
        {
            "one_thread": [1.0, 10.0, 4.0],
            "all_threads": [2.0, 10.0, 6.0],
            "one_process": [1.0, 10.0, 4.0],
            "all_processes": [2.0, 20.0, 4.0],
        }
    )
    assert found["threads"] == {"median": 1.5, "min": 1.0, "max": 2.0, "alternations": [2.0, 1.0, 1.5]}
    assert found["processes"]["alternations"] == [2.0, 2.0, 1.0]
    assert found["threads_of_processes"]["alternations"] == [1.0, 0.5, 1.5]


def test_many_threads_have_as_many_times_the_islands(monkeypatch):
    seen = []
    monkeypatch.setattr(threads, "search_rate", lambda config, workers, *rest: seen.append((config.islands, workers)))
    config = load_config("linear-reference", ["islands=3"])
    for contestant in threads.thread_contestants(config, 4, 1.0).values():
        contestant(0)
    assert seen == [(3, 1), (12, 4)]


def test_an_endless_preset_has_neither_targets_nor_limits():
    config = threads.endless("linear")
    assert config.target_fitness is None
    assert config.experiment_individuals is None
    assert config.population_size == load_config("linear").population_size


def test_the_rate_counts_from_the_first_barrier_to_the_last(monkeypatch):
    told = [
        Progress(phase="compile", seconds=3.0),
        Progress(phase="search", individuals=1000, seconds=10.0),
        Progress(phase="search", individuals=1000, seconds=10.5),  # a heartbeat between barriers
        Progress(phase="search", individuals=2000, seconds=11.0),
        Progress(phase="search", individuals=5000, seconds=12.0),
        Progress(phase="final", individuals=5000, seconds=20.0),
    ]
    answers = []
    monkeypatch.setattr(
        threads, "evolve", lambda *args, callback, **more: answers.extend(callback(progress) for progress in told)
    )
    assert threads.search_rate(load_config("linear"), 1, 0, 2.0) == 2000.0
    assert answers == [True, True, True, True, False, False]


def test_a_search_without_two_barriers_is_refused(monkeypatch):
    told = Progress(phase="search", individuals=1000, seconds=1.0)
    monkeypatch.setattr(threads, "evolve", lambda *args, callback, **more: callback(told))
    with pytest.raises(RuntimeError, match="too short"):
        threads.search_rate(load_config("linear"), 1, 0, 2.0)


@pytest.mark.parametrize("arguments", [["--threads", "1"], ["--alternations", "0"], ["--preset", "linaer"]])
def test_unusable_arguments_are_refused(arguments, capsys):
    assert threads.main(arguments) == 1
    assert "python -m benchmarks.threads: " in capsys.readouterr().err
