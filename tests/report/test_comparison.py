"""Runs beside each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from automl_zero import programs
from automl_zero.report.comparison import compare
from automl_zero.report.comparison_plot import plot
from tests.report.run_dirs import WriteRun


def test_a_row_has_the_figures_of_a_run(write_run: WriteRun) -> None:
    row, other = compare([write_run(), write_run("unfinished", finished=False)]).rows
    assert (row.run, row.name, row.seed, row.state) == ("demo", "linear", 7, "finished")
    assert (row.search_fitness, row.select_fitness, row.final_fitness) == (0.99, 0.98, 0.97)
    assert (row.individuals, row.individuals_per_second, row.cpu_seconds) == (4000, 1000, 7200)
    assert row.instructions == 7  # of eight, one is dead
    assert (other.state, other.search_fitness, other.final_fitness, other.seed) == ("unfinished", 0.99, None, None)


def test_seeds_of_one_configuration_are_summarised(write_run: WriteRun) -> None:
    runs = [
        write_run("a", outcome={"seed": 0, "final_fitness": 0.5, "solved": True}),
        write_run("b", outcome={"seed": 1, "final_fitness": 0.7}),
        write_run("c", outcome={"seed": 2}, overrides=("population_size=7",)),
    ]
    (group,) = compare(runs).groups
    assert (group.runs, group.solved) == (("a", "b"), 1)
    score = group.scores["final_fitness"]
    assert (score.mean, score.num_tasks) == (pytest.approx(0.6), 2)
    assert score.standard_error == pytest.approx(0.1)


def test_runs_without_a_known_seed_or_fitness_are_in_no_summary(write_run: WriteRun) -> None:
    begun = write_run("begun", finished=False)
    for name in ("best.json", "metrics.jsonl", "hall_of_fame.jsonl"):
        (begun / name).unlink()
    no_seed = write_run("no-seed", finished=False)
    one, two = write_run("one", outcome={"seed": 0}), write_run("two", outcome={"seed": 1})
    assert compare([begun, no_seed, one]).groups == ()
    (begun / "checkpoint.json").write_text(json.dumps({"state": {"seed": 5}}), encoding="utf-8")
    (group,) = compare([begun, no_seed, one, two]).groups
    assert (group.runs, group.seeds, group.left_out) == (("one", "two"), 2, ("begun", "no-seed"))


def test_a_summary_tells_runs_from_seeds_and_counts_those_without_result(write_run: WriteRun) -> None:
    going = write_run("going", finished=False)
    (going / "checkpoint.json").write_text(json.dumps({"state": {"seed": 1}}), encoding="utf-8")
    (group,) = compare([write_run("a"), write_run("b"), going]).groups
    assert (len(group.runs), group.seeds, group.without_result) == (3, 2, 1)
    assert [score.num_tasks for score in group.scores.values()] == [3, 2, 2]


def test_a_run_without_result_shows_figures_of_one_program(write_run: WriteRun) -> None:
    path = write_run(finished=False)
    best = {"program": programs.linear().to_dict(), "search_fitness": 0.4, "select_fitness": 0.7}
    (path / "checkpoint.json").write_text(json.dumps({"state": {"best": best}}), encoding="utf-8")
    row = compare([path]).rows[0]
    assert (row.search_fitness, row.select_fitness, row.instructions) == (0.99, None, 7)


def test_one_seed_twice_is_no_group(write_run: WriteRun) -> None:
    assert compare([write_run("a"), write_run("b")]).groups == ()


def test_names_and_checkpoints_make_no_other_configuration(write_run: WriteRun) -> None:
    other = write_run("b", outcome={"seed": 1}, overrides=("name=other", "checkpoint_seconds=5"))
    assert len(compare([write_run("a"), other]).groups) == 1


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_progress_is_plotted(write_run: WriteRun, tmp_path: Path, suffix: str) -> None:
    plot(compare([write_run("_a$"), write_run("b")]), tmp_path / f"plot{suffix}")
    assert (tmp_path / f"plot{suffix}").stat().st_size > 1000


def test_a_plot_needs_progress_and_a_known_suffix(write_run: WriteRun, tmp_path: Path) -> None:
    path = write_run()
    with pytest.raises(ValueError, match=r"ends in \.png, \.svg, \.pdf, not plot\.gif"):
        plot(compare([path, path]), tmp_path / "plot.gif")
    (path / "metrics.jsonl").unlink()
    with pytest.raises(ValueError, match="no run has reported any progress"):
        plot(compare([path, path]), tmp_path / "plot.png")
