"""The page: one HTML file that needs nothing else."""

from __future__ import annotations

from importlib import resources

from automl_zero import __version__
from automl_zero.report.markup import Markup, element, paragraph, section
from automl_zero.report.report import Report
from automl_zero.report.sections.baselines import baselines
from automl_zero.report.sections.costs import costs
from automl_zero.report.sections.explanation import explanation
from automl_zero.report.sections.lineage import lineage
from automl_zero.report.sections.overview import overview
from automl_zero.report.sections.program import program
from automl_zero.report.sections.provenance import provenance
from automl_zero.report.sections.search import search

SECTIONS = (
    ("models", "Models", "Beside other models", baselines),
    ("program", "Program", "The program", program),
    ("explanation", "Workings", "How it works", explanation),
    ("search", "Search", "How the search went", search),
    ("lineage", "Discovery", "How it was discovered", lineage),
    ("cost", "Cost", "What it cost", costs),
    ("provenance", "Provenance", "Where it comes from", provenance),
)
"""Identifier, name in the list of sections, title, and function."""

# Nothing is fetched and nothing runs, whatever the files of a run hold.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(report: Report) -> str:
    """The report as an HTML document."""
    facts = report.facts
    seed = "" if facts.seed is None else f", seed {facts.seed}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{facts.name}{seed}: report of a run of AutoML-Zero"),
        element("style", Markup(style_sheet())),
    )
    links = (element("li", element("a", short, href=f"#{ident}")) for ident, short, _, _ in SECTIONS)
    body = element(
        "body",
        element("a", "Skip to the content", class_="skip", href="#content"),
        element(
            "main",
            overview(report),
            element("nav", element("ul", *links), aria_label="Sections"),
            *(section(ident, title, build(report)) for ident, _, title, build in SECTIONS),
            id="content",
            tabindex=-1,
        ),
        element("footer", paragraph(f"Made by automl-zero {__version__}.")),
    )
    return f'<!DOCTYPE html>\n<html lang="en">{head}{body}</html>\n'


def style_sheet() -> str:
    """The style sheet of the page."""
    return resources.files("automl_zero.report").joinpath("style.css").read_text(encoding="utf-8")
