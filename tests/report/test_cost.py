"""The cost of a run."""

from __future__ import annotations

import sys
import types
from importlib import metadata

import pytest

from automl_zero.report import cost
from automl_zero.report.cost import WELL_KNOWN, Assumptions, estimate, make_assumptions
from automl_zero.report.run_facts import Figures

SIMPLE = Assumptions(
    watts_per_core=10.0,
    watts_per_gib=1.0,
    gpu_watts=500.0,
    pue=2.0,
    carbon_intensity=400.0,
    price_per_cpu_hour=0.1,
    price_per_gpu_hour=3.0,
)


def test_energy_is_power_times_time_times_overhead() -> None:
    found = estimate(Figures(seconds=1800.0, cpu_seconds=7200.0, peak_memory_mib=4096.0), SIMPLE)
    assert found is not None
    assert found.cpu_hours == 2.0
    assert found.kwh == pytest.approx((2 * 10 + 4 * 0.5 * 1) / 1000 * 2)
    assert found.kilograms == pytest.approx(found.kwh * 0.4)
    assert found.price == pytest.approx(0.2)


def test_gpus_count() -> None:
    found = estimate(Figures(seconds=3600.0, cpu_seconds=0.0, gpu_seconds=3600.0), SIMPLE)
    assert found is not None
    assert (found.gpu_hours, found.kwh, found.price) == (1.0, 1.0, 3.0)


def test_without_cpu_time_there_is_no_estimate() -> None:
    assert estimate(Figures(seconds=1.0), SIMPLE) is None


def test_well_known_costs_are_in_order_of_energy() -> None:
    assert [known.kwh for known in WELL_KNOWN] == sorted(known.kwh for known in WELL_KNOWN)
    assert all(0.01 < known.kilograms / known.kwh < 1 for known in WELL_KNOWN)


@pytest.fixture
def codecarbon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for codecarbon that knows one country."""

    class DataSource:
        def get_carbon_intensity_per_source_data(self) -> dict[str, float]:
            return {"world_average": 470}

        def get_global_energy_mix_data(self) -> dict[str, object]:
            return {"FRA": {}}

    class Emissions:
        def __init__(self, data: DataSource) -> None:
            pass

        def get_country_emissions(self, energy: float, place: str) -> float:
            return 0.056 * energy if place == "FRA" else 1000.0

    energy = types.SimpleNamespace(from_energy=lambda kWh: kWh)
    for name, content in {
        "codecarbon": {},
        "codecarbon.input": {"DataSource": DataSource},
        "codecarbon.core": {},
        "codecarbon.core.emissions": {"Emissions": Emissions},
        "codecarbon.core.units": {"Energy": energy},
        "codecarbon.external": {},
        "codecarbon.external.geography": {"GeoMetadata": lambda country_iso_code: country_iso_code},
    }.items():
        module = types.ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(cost, "version", lambda name: "9.9")


def test_codecarbon_gives_the_carbon_intensity(codecarbon: None) -> None:
    assert make_assumptions({}).carbon_intensity == 470.0
    france = make_assumptions({}, "fra")
    assert france.carbon_intensity == pytest.approx(56.0)
    assert france.carbon_source == "FRA, codecarbon 9.9"
    with pytest.raises(ValueError, match="country is 'XXX': expected an ISO code"):
        make_assumptions({}, "XXX")


def test_without_codecarbon_the_documented_average_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "codecarbon", None)
    assert make_assumptions({}).carbon_intensity == 475.0
    with pytest.raises(
        ValueError, match=r"FRA comes from codecarbon, which is not installed: install automl-zero\[car"
    ):
        make_assumptions({}, "FRA")


def test_what_is_given_is_taken_and_marked() -> None:
    made = make_assumptions({"pue": 1.1, "carbon_intensity": 20.0})
    assert (made.pue, made.carbon_intensity, made.given) == (1.1, 20.0, {"pue", "carbon_intensity"})
    with pytest.raises(ValueError, match="give one of them"):
        make_assumptions({"carbon_intensity": 20.0}, "FRA")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"pue is (nan|inf): expected a finite number"):
        make_assumptions({"pue": value})


def test_the_real_codecarbon_agrees_with_the_documented_average() -> None:
    try:
        metadata.version("codecarbon")
    except metadata.PackageNotFoundError:
        pytest.skip("codecarbon is not installed")
    assert make_assumptions({}).carbon_intensity == pytest.approx(475.0, rel=0.2)
    assert 10 < make_assumptions({}, "FRA").carbon_intensity < 120
