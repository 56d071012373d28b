"""Where the result comes from: configuration, seed, versions and machine."""

from __future__ import annotations

from automl_zero.evolution.run_directory import CONFIG
from automl_zero.report import numbers
from automl_zero.report.markup import Markup, code_block, definitions, folded
from automl_zero.report.report import Report


def provenance(report: Report) -> Markup:
    """Facts in a list, and the files that say more."""
    facts, reading = report.facts, report.reading
    figures = facts.figures
    tasks = None if reading is None or reading.source is None else reading.source.describe()
    pairs = [
        ("directory", str(facts.path)),
        ("seed", "not known" if facts.seed is None else str(facts.seed)),
        ("tasks", tasks),
        ("search fitness", numbers.fitness(figures.search_fitness)),
        ("select fitness", numbers.fitness(figures.select_fitness)),
        ("final fitness", numbers.fitness(figures.final_fitness)),
        ("full evaluations", numbers.count(figures.evaluated)),
        ("train steps", numbers.count(figures.train_steps)),
        ("machine", ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in facts.machine.items()) or None),
        ("versions", ", ".join(f"{key} {value}" for key, value in facts.versions.items()) or None),
    ]
    listed = definitions((name, value) for name, value in pairs if value is not None)
    return Markup(listed + folded(f"Configuration: {CONFIG}", code_block(CONFIG, facts.config_text)))
