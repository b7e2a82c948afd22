# Every target sets up what it needs: the project's own .venv, from requirements.lock.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.DEFAULT_GOAL := help
.PHONY: help demo test test-all oracles lint release lock

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)  ## Release, grade and give feedback on the sample class
	$(BIN)/grader demo

# Tests run side by side, one on each processor: threads of their own would only wait for each other.
test test-all: export OMP_NUM_THREADS = 1
test test-all: export OPENBLAS_NUM_THREADS = 1
test test-all: export TF_NUM_INTRAOP_THREADS = 1
test test-all: export TF_NUM_INTEROP_THREADS = 1

test: $(READY) lint  ## Lint and run the tests (under 15 minutes on two cores)
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow"

test-all: $(READY)  ## Run the long tests that `make test` leaves out
	$(BIN)/python -m pytest -n auto --dist worksteal -m slow

oracles: $(READY)  ## Install PyTorch and compare the references with it, live
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch
	$(BIN)/python -m pytest tests/kerasref

lint: $(READY)  ## Check format, style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

release: $(READY)  ## Bake the visible cases and build assignments/ from solutions/
	$(BIN)/grader bake --public
	$(BIN)/grader release

lock: $(READY)  ## Write requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-package keras-from-scratch \
		--custom-compile-command "make lock" --extra dev pyproject.toml --output-file requirements.lock
