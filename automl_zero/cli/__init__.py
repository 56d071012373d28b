"""The command ``automl-zero``."""

from automl_zero.cli.group import main

__all__ = ["main"]
