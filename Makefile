# What this project can do, one target each. Needs make, bash and a Python >= 3.11 with venv; everything else is installed, by hash.

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
UV ?= uv
HOST ?= 127.0.0.1
PORT ?= 8000

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
SOURCES := app migrations tests $(wildcard benchmarks)

.DEFAULT_GOAL := help
.PHONY: help run install install-test test test-slow check lint format types contracts openapi-check openapi migrations-check lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-18s %s\n", $$1, $$2}'

run: install ## serve the demo company on 127.0.0.1:8000
	$(BIN)/duanhao serve --demo --host $(HOST) --port $(PORT)

install: $(VENV)/.installed-run ## make .venv with what the service needs

install-test: $(VENV)/.installed-test ## make .venv with what the checks need too

test: install-test ## the whole suite on SQLite and PostgreSQL, without the slow tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow"

ASIDE := tests/history tests/hr tests/migrations tests/packs tests/permissions tests/policy

test-slow: install-test ## the slow tests: what only computes side by side, then kills, faults, a fresh installation one after the other
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m slow $(ASIDE)
	$(BIN)/python -m pytest -n 0 -m slow $(ASIDE:%=--ignore=%)

check: lint types contracts openapi-check migrations-check ## everything that is not the suite itself

lint: install-test ## ruff, all rules, and its formatter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: install-test ## mend what ruff can mend
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

types: install-test ## mypy --strict
	$(BIN)/mypy --strict $(SOURCES)

contracts: install-test ## who may import whom
	$(BIN)/lint-imports

openapi-check: install-test ## openapi/openapi.json says what the code does
	$(BIN)/duanhao openapi check

openapi: install ## write openapi/openapi.json
	$(BIN)/duanhao openapi write

migrations-check: install-test ## up, check, down, up on both engines; append-only tried
	$(BIN)/python -m pytest tests/migrations

lock: ## resolve anew (needs uv); UPGRADE=--upgrade takes newer releases
	$(UV) pip compile pyproject.toml --group pyproject.toml:build --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --quiet $(UPGRADE) -o requirements/run.lock
	$(UV) pip compile pyproject.toml --group pyproject.toml:build --extra test --constraint requirements/run.lock \
		--universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --quiet $(UPGRADE) -o requirements/test.lock

clean: ## remove the environment and every cache; ./var stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-run: requirements/run.lock pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --require-hashes -r requirements/run.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-test: requirements/test.lock $(VENV)/.installed-run
	$(PIP) install --quiet --require-hashes -r requirements/test.lock
	@touch $@
