# Decides the commands of this repository. `make` lists them; the text after ## is the help.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
TESTS ?= tests
# Tests of processes and browsers wait for others half of their time: three workers for two cores.
WORKERS ?= $(shell expr $$(nproc) \* 3 / 2)
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --ignore tests/recordings

.DEFAULT_GOAL := help
.PHONY: help standalone test test-sqlite test-postgresql conformance lint format bench vendor screenshots debian-packages

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'
	@echo "  ./af COMMAND          Every other command: ./af dags list, ./af db clean --dry-run, ./af help"

standalone: $(VENV)/installed ## Run everything on this machine (home: AIRFLOW_HOME, default this directory)
	@exec $(BIN)/python manage.py standalone

test: debian-packages lint ## Check style, types and migrations, then run all tests on SQLite and on PostgreSQL
	$(MAKE) --no-print-directory test-sqlite test-postgresql

test-sqlite: $(VENV)/installed-dev ## Run the tests on SQLite (TESTS=tests/unit for a part)
	TEST_DATABASE=sqlite $(PYTEST) $(TESTS)

# What no database changes runs once, on SQLite: tests/conftest.py leaves out the tests without one, and these folders need not even be
# collected. What the pages read is tested on both (tests/integration/ui); how a browser shows it, on one.
test-postgresql: $(VENV)/installed-dev ## Run the tests that use a database on PostgreSQL
	TEST_DATABASE=postgresql $(PYTEST) $(TESTS) --ignore tests/unit --ignore tests/conformance --ignore tests/architecture --ignore tests/ui

conformance: $(VENV)/installed-dev ## Run the scenarios recorded from Airflow 3.3.2 with its own example DAG files and compare
	TEST_DATABASE=sqlite $(BIN)/python -m pytest -q tests/recordings

lint: $(VENV)/installed-dev ## Check style, format, types and migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy orchestrator accounts vault dags_app runs executionapi
	$(BIN)/python manage.py makemigrations --check --dry-run

format: $(VENV)/installed-dev ## Format the code and correct what can be corrected
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/installed ## Measure throughput, latency and memory (BENCH="--quick --peer-python FILE" for options)
	$(BIN)/python -m benchmarks --readme --out benchmarks/results.json $(BENCH)

vendor: $(VENV)/installed ## Copy the browser files that static/vendor/package.json pins (needs npm; the copies are committed)
	$(BIN)/python -m orchestrator.ui.vendoring

screenshots: debian-packages $(VENV)/installed-dev ## Take the pictures in docs/screenshots anew, from a platform that runs the demo DAGs
	$(BIN)/python -m tests.ui.pictures

debian-packages:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  missing=""; \
	  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	  command -v chromium >/dev/null || missing="$$missing chromium"; \
	  if [ -n "$$missing" ]; then \
	    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
	  fi; \
	fi

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Python 3.11 is needed and $(PYTHON) was not found. On Debian: apt-get install python3.11 python3.11-venv;" \
	    "or name another one: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m orchestrator.sdk.testing.link >/dev/null
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@$(BIN)/python -m orchestrator.sdk.testing.link >/dev/null
	@touch $(VENV)/installed $@
