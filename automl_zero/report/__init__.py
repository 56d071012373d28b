"""A report of a run as one HTML file, and runs beside each other."""

from __future__ import annotations

from automl_zero.report.make import make_report

__all__ = ["make_report"]
