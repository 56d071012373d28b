# Every target first makes .venv and installs the package into it, again whenever its metadata has changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Further arguments for pytest or the demo: make test ARGS="-k config"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test test-long lint type bench bench-fig4 bench-table-s5 bench-ablation bench-adaptation dist clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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

test-long: $(STAMP) ## kill a run fifty times and resume it; solve a preset on the device (about ten minutes)
	AUTOML_ZERO_TEST_KILLS=50 AUTOML_ZERO_TEST_LONG=1 $(BIN)/python -m pytest tests/evolution/test_resume.py \
		tests/evolution/test_on_device_runs.py $(ARGS)

lint: $(STAMP) ## check style and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check

type: $(STAMP) ## check types
	$(BIN)/mypy

bench: $(STAMP) ## measure evaluation and search speed
	$(BIN)/python -m benchmarks.throughput $(ARGS)

bench-fig4: $(STAMP) ## evolution against random search, by difficulty (within an hour on two cores)
	$(BIN)/python -m benchmarks.fig4_difficulty $(ARGS)

bench-table-s5: $(STAMP) ## BASIC and FULL on Fashion-MNIST (within an hour on two cores)
	$(BIN)/python -m benchmarks.table_s5 $(ARGS)

bench-ablation: $(STAMP) ## what each part of the method does (within an hour on two cores)
	$(BIN)/python -m benchmarks.ablation $(ARGS)

bench-adaptation: $(STAMP) ## how the two-layer network adapts to its task (within an hour on two cores)
	$(BIN)/python -m benchmarks.adaptation $(ARGS)

dist: $(STAMP) ## build the source distribution and the wheel into dist/
	rm -rf build
	$(BIN)/python -m build

clean: ## remove build products and tool caches (.venv and runs stay)
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find automl_zero benchmarks tests -name __pycache__ -type d -prune -exec rm -rf {} +
