"""``python -m automl_zero`` is the command ``automl-zero``."""

from automl_zero.cli import main

main(prog_name="automl-zero")
