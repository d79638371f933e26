# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
VENV ?= .venv
# Three on two cores: the tests of processes and terminals wait most of their time.
WORKERS ?= 3
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run test lint format types contracts tests pictures bench clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run ## Install into .venv and open the dashboard on the demo
	@$(BIN)/python -m tui

test: lint types contracts tests ## Lint, format check, types, import contracts and all tests

lint: $(VENV)/.test ## Lint and format check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.test ## Apply the formatter and the safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.test ## mypy, strict
	$(BIN)/mypy

contracts: $(VENV)/.test ## The imports point one way
	$(BIN)/lint-imports

tests: $(VENV)/.test ## All tests, WORKERS=3 at a time
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal

pictures: $(VENV)/.test ## Accept the present pictures of the screens
	$(BIN)/pytest -q tests/ui --snapshot-update
	cp 'tests/ui/__snapshots__/test_screen_pictures/test_screen[overview-120x40].svg' docs/overview.svg

bench: $(VENV)/.test ## Measure the engine against SAQ, and other queues that are installed
	$(BIN)/quarterdeck bench

clean: ## Remove the environment and the caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "quarterdeck needs Python 3.11 or newer; '$(PYTHON)' is older. Try: make PYTHON=python3.12 run" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --quiet -c constraints.txt -e '.[demo]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --quiet -c constraints.txt -e '.[test]'
	@touch $@ $(VENV)/.run
