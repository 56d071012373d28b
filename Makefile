# Every target first makes .venv and installs the package into it, again whenever its metadata has changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Further arguments for pytest or the demo: make test ARGS="-k config"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test lint type bench dist clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP): setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "automl-zero needs Python 3.11 or newer, which '$(PYTHON)' is not; try: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; \
		exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

install: $(STAMP) ## make .venv with the package (editable) and the development tools
	@echo "Installed. Try: $(BIN)/automl-zero --help"

demo: $(STAMP) ## evolve linear regression from nothing, in at most ten minutes
	$(BIN)/automl-zero evolve linear --max-seconds 600 --out runs/demo --force $(ARGS)

test: $(STAMP) ## run the tests
	$(BIN)/python -m pytest $(ARGS)

lint: $(STAMP) ## check style and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check

type: $(STAMP) ## check types
	$(BIN)/mypy

bench: $(STAMP) ## measure evaluation and search speed
	$(BIN)/python -m benchmarks.throughput $(ARGS)

dist: $(STAMP) ## build the source distribution and the wheel into dist/
	rm -rf build
	$(BIN)/python -m build

clean: ## remove build products and tool caches (.venv and runs stay)
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find automl_zero benchmarks tests -name __pycache__ -type d -prune -exec rm -rf {} +
