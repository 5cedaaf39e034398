# make demo   the whole way on a generated retailer, ends with demo/report.html
# make test   exactly what CI runs
# make help   the rest

PYTHON ?=
VENV := .venv
VENV_MINIMAL := .venv-minimal
BIN := $(VENV)/bin

# What was tested is what gets installed; `make demo LOCK=` takes the newest of everything.
LOCK ?= --constraint requirements/locked.txt
LOCK_MINIMAL := --constraint requirements/minimal.txt
PIP_FLAGS := --disable-pip-version-check --no-input --prefer-binary $(if $(CI),--quiet)

WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --durations 6

# Examples are the same on every machine; `HYPOTHESIS_PROFILE=long make test` looks further.
export HYPOTHESIS_PROFILE ?= ci
# Without bytecode every import of a large library is compiled anew.
unexport PYTHONDONTWRITEBYTECODE
unexport NUMBA_DISABLE_JIT
unexport NUMBA_BOUNDSCHECK
# The theme prints a notice about its successor at every build.
export NO_MKDOCS_2_WARNING := 1

.PHONY: help demo install install-dev test lint format docs serve-docs chromium bench \
	test-compiled test-interpreted test-boundscheck test-minimal run-minimal lock clean
.DELETE_ON_ERROR:
# The targets share a virtual environment and both cores: one after another is the fast way.
.NOTPARALLEL:

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "make %-18s %s\n", $$1, $$2}'

demo: $(VENV)/.warm ## generate a retailer, plan, replay two days, write demo/report.html
	@$(BIN)/omnistock demo

install: $(VENV)/.installed ## the package in .venv
install-dev: $(VENV)/.installed-dev ## the package with what tests, linters and docs need

$(VENV)/.made:
	@tools/venv.sh $(VENV) $(PYTHON)

$(VENV)/.installed: pyproject.toml requirements/locked.txt | $(VENV)/.made
	@echo "installing omnistock and what it needs into $(VENV): some 300 MB, once"
	@$(BIN)/python -m pip install $(PIP_FLAGS) $(LOCK) --editable .
	@touch $@

$(VENV)/.warm: $(VENV)/.installed
	@$(BIN)/omnistock warmup
	@touch $@

$(VENV)/.installed-dev: pyproject.toml requirements/locked.txt | $(VENV)/.made
	@echo "installing omnistock and its development tools into $(VENV), once"
	@$(BIN)/python -m pip install $(PIP_FLAGS) $(LOCK) --editable '.[dev]'
	@touch $@ $(VENV)/.installed

$(VENV_MINIMAL)/.made:
	@tools/venv.sh $(VENV_MINIMAL) $(PYTHON)

$(VENV_MINIMAL)/.installed: pyproject.toml requirements/minimal.txt | $(VENV_MINIMAL)/.made
	@echo "installing the oldest supported dependencies into $(VENV_MINIMAL), once"
	@$(VENV_MINIMAL)/bin/python -m pip install $(PIP_FLAGS) $(LOCK_MINIMAL) --editable '.[test]'
	@touch $@

test: lint docs test-minimal test-interpreted test-boundscheck test-compiled ## what CI runs

lint: install-dev ## format, rules, types, import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install-dev ## mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: install-dev ## build the documentation into site/
	$(BIN)/mkdocs build --strict --quiet

serve-docs: install-dev ## the documentation on a local port, rebuilt on change
	$(BIN)/mkdocs serve

chromium:
	@tools/chromium.sh

test-compiled: install-dev chromium ## everything, kernels compiled
	$(PYTEST)

test-interpreted: install-dev ## kernels as plain Python, with coverage
	NUMBA_DISABLE_JIT=1 $(PYTEST) -m "not once" --cov --cov-report=term:skip-covered --cov-report=html

# Numba keeps no bounds-checked and unchecked code apart: only an empty cache compiles the checks in.
test-boundscheck: install-dev ## kernels compiled with bounds checks
	cache=$$(mktemp -d) && trap 'rm -rf "$$cache"' EXIT && \
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR="$$cache" $(PYTEST) -m "not once"

# The oldest numpy with wheels for a Python is as old as that Python: the pins fit 3.11 to 3.13.
test-minimal: install-dev ## the oldest supported dependencies
	@if $(BIN)/python -c 'import sys; sys.exit(sys.version_info >= (3, 14))'; then \
		$(MAKE) --no-print-directory run-minimal; \
	else echo "test-minimal left out: the oldest dependencies have no wheels for this Python"; fi

run-minimal: $(VENV_MINIMAL)/.installed
	NUMBA_CACHE_DIR=$(CURDIR)/$(VENV_MINIMAL)/numba-cache $(VENV_MINIMAL)/bin/python -m pytest \
		-n $(WORKERS) --dist worksteal -m "not once and not slow"

bench: install-dev ## the benchmarks that pytest-benchmark times
	$(BIN)/python -m pytest benchmarks/*.py --benchmark-only

lock: ## write requirements/*.txt anew from pyproject.toml
	@test -x .venv-lock/bin/uv || { tools/venv.sh .venv-lock $(PYTHON) && \
		.venv-lock/bin/python -m pip install $(PIP_FLAGS) uv; }
	tools/lock.sh .venv-lock/bin/uv

clean: ## remove the environments and everything that can be made anew
	rm -rf $(VENV) $(VENV_MINIMAL) .venv-lock site htmlcov demo build dist .coverage .coverage.* \
		.pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .benchmarks
	find omnistock tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
