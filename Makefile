# Every target that needs .venv makes it first. PYTHON=python3.12 chooses the Python to make it with.
.DEFAULT_GOAL := help
.PHONY: help train lecture install check lint format test test-all torture bench wheel clean

PYTHON ?= python3
ARGS =
RUN = .venv/bin/python -m
PYTEST = OMP_NUM_THREADS=1 $(RUN) pytest -n 2

# What follows `make train`, as Make hands it on: what has spaces or quotes of its own goes into ARGS.
OVERRIDES = $(subst \ , ,$(patsubst ARGS=%,%,$(filter-out PYTHON=%,$(MAKEOVERRIDES))))

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

train: .venv/installed  ## train: make train experiment=gan ARGS="-m seed=0,1"
	@$(RUN) zoo train $(OVERRIDES)

lecture: .venv/installed  ## every topic on bundled data, and one page of it: 15 minutes
	@$(RUN) zoo lecture $(ARGS)

install: .venv/installed-dev  ## make .venv with all that a developer needs

check: lint test  ## what a change must pass

lint: .venv/installed-dev  ## look for mistakes, change nothing
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy

format: .venv/installed-dev  ## repair what ruff can repair
	$(RUN) ruff check --fix
	$(RUN) ruff format

test: .venv/installed-dev  ## the quick tests; one of them: make test ARGS="-k gan"
	$(PYTEST) -m "not slow and not real" $(ARGS)

test-all: test  ## those, then the slow ones, and those on real data where $ZOO_DATA is set
	$(PYTEST) -m "slow$(if $(ZOO_DATA), or real)" $(ARGS)

torture: .venv/installed-dev  ## kill runs, fill disks, damage files: is anything lost? an hour
	$(RUN) scripts.torture $(ARGS)

bench: .venv/installed  ## side by side with the peers (TensorFlow, Keras, kornia): 20 quiet minutes
	@$(PYTHON) scripts/bootstrap.py bench
	$(RUN) benchmarks

wheel: .venv/installed-dev  ## build dist/*.tar.gz, and from it dist/*.whl
	$(RUN) build --no-isolation

clean:  ## remove caches and built files; keep .venv and runs/
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache
	find zoo datamodules tests scripts -name __pycache__ -prune -exec rm -rf {} +

.venv/installed: pyproject.toml
	@$(PYTHON) scripts/bootstrap.py
	@touch $@

.venv/installed-dev: pyproject.toml
	@$(PYTHON) scripts/bootstrap.py dev
	@touch .venv/installed $@
