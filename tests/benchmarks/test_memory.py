from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import memory
from benchmarks.array_sizes import array_sizes

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident sizes are read from /proc")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("memory")
    arguments = ["linear", "--minutes", "0.06", "--interval", "0.2"]
    status = memory.main([*arguments, "--json", str(folder / "m.json"), "--plot", str(folder / "m.png")])
    return status, folder


@pytest.fixture(scope="module")
def record(outcome):
    return json.loads((outcome[1] / "m.json").read_text(encoding="utf-8"))


def test_a_search_is_run_and_its_memory_sampled(outcome, record):
    assert outcome[0] == 0
    assert record["individuals"] > 0
    sizes = [size for _, size in record["samples"]]
    assert record["peak_mib"] >= max(sizes) - 0.01 > 10  # samples are rounded to that
    assert record["samples"] == sorted(record["samples"])


def test_the_report_says_where_and_when_it_was_made(record):
    assert record["benchmark"] == "memory"
    assert (record["preset"], record["workers"], record["seed"]) == ("linear", 1, 0)
    assert {"date", "machine", "versions"} <= record.keys()


def test_the_plot_is_a_png_file(outcome):
    assert (outcome[1] / "m.png").read_bytes().startswith(b"\x89PNG")


def test_the_text_shows_peak_growth_and_arrays(record):
    shown = memory.text(record)
    for part in ("peak resident size", "MiB an hour", "constants", "lineage", "digits"):
        assert part in shown
    assert [entry["preset"] for entry in record["arrays"]] == ["linear", "digits"]


def test_growth_counts_from_minute_two():
    samples = [(0.0, 1.0), (60.0, 50.0), (120.0, 100.0), (720.0, 101.0), (1320.0, 102.0), (1500.0, 900.0)]
    growth = memory.growth(samples, 1400.0)
    assert growth == {
        "growth_from_seconds": 120.0,
        "growth_to_seconds": 1320.0,
        "settled_mib": 100.0,
        "end_mib": 102.0,
        "growth_mib": 2.0,
        "growth_mib_per_hour": pytest.approx(6.0),
    }


def test_growth_of_a_short_run_counts_from_its_middle():
    growth = memory.growth([(0.0, 1.0), (9.0, 5.0), (11.0, 7.0), (19.0, 7.0)], 20.0)
    assert (growth["growth_from_seconds"], growth["growth_mib"]) == (11.0, 0.0)


def test_growth_of_fewer_than_two_samples_is_refused():
    with pytest.raises(RuntimeError, match="sample more often"):
        memory.growth([(0.0, 1.0), (130.0, 2.0)], 300.0)


def test_the_peak_of_a_process_counts_even_after_it_was_freed():
    code = "block = b'x' * (200 * 2**20); del block; print('{}'); [None for _ in range(20_000_000)]"
    watched = memory.watch([sys.executable, "-c", code], 0.05)
    assert watched.output == "{}\n"
    assert watched.peak_mib > 200
    assert len(watched.samples) > 1


def test_what_a_failing_process_wrote_to_stderr_is_told():
    with pytest.raises(RuntimeError, match=r"(?s)status 3.*too bad"):
        memory.watch([sys.executable, "-c", "import sys; print('too bad', file=sys.stderr); sys.exit(3)"], 0.05)


def test_a_failure_is_a_line_on_stderr(monkeypatch, capsys):
    monkeypatch.setattr(memory, "watch", _fail)
    assert memory.main(["linear"]) == 1
    assert "status 70" in capsys.readouterr().err


def _fail(*arguments: object) -> None:
    raise RuntimeError("it ended with status 70")


@pytest.mark.parametrize("arguments", [["--minutes", "0"], ["--interval", "-1"]])
def test_times_must_be_positive(arguments, capsys):
    assert memory.main(["linear", *arguments]) == 1
    assert "more than 0" in capsys.readouterr().err


def test_an_individual_takes_28_bytes_a_slot_and_40_more():
    sizes = array_sizes("linear-reference")
    assert sizes["slots"] == 20
    assert sizes["bytes_per_individual"] == {"code": 80, "constants": 480, "sizes": 24, "fitness": 8, "hashes": 8}
    assert sizes["populations_mib"] == pytest.approx(1002 * 600 / 2**20)
