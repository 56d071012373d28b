"""What a run costs: energy, CO2 and price, estimated after the fact from its times.

The estimate is that of Green Algorithms (Lannelongue et al. 2021): time x power x PUE x carbon intensity. Every number
that goes into it is an assumption that the report shows and its reader can replace.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.metadata import version

from automl_zero.report.run_facts import Figures

CARBON_SOURCE = "world average of 2018, IEA 2019"


@dataclass(frozen=True)
class Assumptions:
    """What the estimate takes for granted.

    Attributes:
        watts_per_core: power of a busy CPU core.
        watts_per_gib: power of memory.
        gpu_watts: power of a busy GPU.
        pue: energy of the data centre for each kWh that reaches its computers.
        carbon_intensity: grams of CO2 equivalent for each kWh of electricity.
        carbon_source: where that number comes from.
        price_per_cpu_hour: price of a busy core.
        price_per_gpu_hour: price of a GPU.
        currency: of the prices.
        given: names of those that the user gave.
    """

    watts_per_core: float = 12.0
    watts_per_gib: float = 0.3725
    gpu_watts: float = 700.0
    pue: float = 1.58
    carbon_intensity: float = 475.0
    carbon_source: str = CARBON_SOURCE
    price_per_cpu_hour: float = 0.05
    price_per_gpu_hour: float = 4.0
    currency: str = "USD"
    given: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Cost:
    """What a run took: hours, kWh at the meter of the data centre, kilograms of CO2 equivalent, and money."""

    cpu_hours: float
    gpu_hours: float
    kwh: float
    kilograms: float
    price: float


@dataclass(frozen=True)
class Known:
    """A published estimate of the training of a well-known model; None where the source has none."""

    model: str
    kwh: float
    kilograms: float
    source: str
    address: str


#: In order of energy. Figures as published, for training (or searching) once.
WELL_KNOWN = (
    Known("Transformer base, 12 h on 8 P100", 27, 11.8, "Strubell et al. 2019", "https://arxiv.org/abs/1906.02243"),
    Known("BERT base, 79 h on 64 V100", 1507, 652, "Strubell et al. 2019", "https://arxiv.org/abs/1906.02243"),
    Known(
        "Evolved Transformer, architecture search",
        7500,
        3200,
        "Patterson et al. 2021",
        "https://arxiv.org/abs/2104.10350",
    ),
    Known("T5 (11 billion parameters)", 85_700, 46_700, "Patterson et al. 2021", "https://arxiv.org/abs/2104.10350"),
    Known(
        "BLOOM (176 billion parameters)", 433_196, 24_690, "Luccioni et al. 2022", "https://arxiv.org/abs/2211.02001"
    ),
    Known(
        "GPT-3 (175 billion parameters)",
        1_287_000,
        552_100,
        "Patterson et al. 2021",
        "https://arxiv.org/abs/2104.10350",
    ),
)


def estimate(figures: Figures, assumptions: Assumptions) -> Cost | None:
    """What a run took; None when its CPU time is not known."""
    if figures.cpu_seconds is None:
        return None
    cpu_hours = figures.cpu_seconds / 3600
    gpu_hours = (figures.gpu_seconds or 0.0) / 3600
    memory = (figures.peak_memory_mib or 0.0) / 1024 * (figures.seconds or 0.0) / 3600  # GiB x hours
    watt_hours = (
        cpu_hours * assumptions.watts_per_core + memory * assumptions.watts_per_gib + gpu_hours * assumptions.gpu_watts
    )
    kwh = watt_hours / 1000 * assumptions.pue
    price = cpu_hours * assumptions.price_per_cpu_hour + gpu_hours * assumptions.price_per_gpu_hour
    return Cost(cpu_hours, gpu_hours, kwh, kwh * assumptions.carbon_intensity / 1000, price)


def make_assumptions(given: Mapping[str, float | str], country: str | None = None) -> Assumptions:
    """The assumptions that a user makes, and for the others the defaults.

    The carbon intensity that is not given is that which codecarbon knows for a country, or for the world, if it is
    installed; no network is used.

    Args:
        given: values by the names of attributes.
        country: ISO code of three letters; None for the world.

    Raises:
        ValueError: a number is not finite; or a country is named, and codecarbon is not installed or does not know it,
            or an intensity is given.
    """
    for name, value in given.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{name} is {value}: expected a finite number")
    if "carbon_intensity" not in given:
        intensity, source = _carbon_intensity(country)
    elif country is None:
        intensity, source = Assumptions.carbon_intensity, CARBON_SOURCE
    else:
        raise ValueError(f"country {country} and a carbon intensity say the same: give one of them")
    return replace(
        Assumptions(carbon_intensity=intensity, carbon_source=source),
        given=frozenset(given),
        **given,  # type: ignore[arg-type]
    )


def _carbon_intensity(country: str | None) -> tuple[float, str]:
    """Grams of CO2 equivalent for a kWh, and the source of that."""
    try:
        data = import_module("codecarbon.input").DataSource()
        release = f"codecarbon {version('codecarbon')}"
    except ImportError:
        if country is None:
            return Assumptions.carbon_intensity, CARBON_SOURCE
        raise ValueError(
            f"the carbon intensity of {country} comes from codecarbon, which is not installed: "
            "install automl-zero[carbon] or give --carbon-intensity"
        ) from None
    if country is None:
        return float(data.get_carbon_intensity_per_source_data()["world_average"]), f"world average, {release}"
    code = country.upper()
    if code not in data.get_global_energy_mix_data():
        raise ValueError(f"country is {country!r}: expected an ISO code of three letters that codecarbon knows")
    kwh = import_module("codecarbon.core.units").Energy.from_energy(kWh=1.0)
    place = import_module("codecarbon.external.geography").GeoMetadata(country_iso_code=code)
    kilograms = import_module("codecarbon.core.emissions").Emissions(data).get_country_emissions(kwh, place)
    return 1000.0 * kilograms, f"{code}, {release}"
