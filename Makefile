# `make run` and `make test` set up everything they need; nothing outside this folder and Debian's packages is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Compiled is what is imported, when it is: to compile all of every library takes as long as the rest of the installation.
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile --editable
# Most tests wait for a server or a process: two for each core.
WORKERS ?= $(shell echo $$((2 * $$(nproc 2>/dev/null || echo 1))))

.PHONY: run demo test lint types imports unit whole format audit clean

run: $(VENV)/.run
	$(BIN)/replyby run

demo: $(VENV)/.run
	$(BIN)/replyby demo

test: $(VENV)/.test packages lint types imports unit whole

lint:
	$(BIN)/ruff check monitor alerts grafana tests
	$(BIN)/ruff format --check monitor alerts grafana tests

types:
	$(BIN)/mypy

imports:
	$(BIN)/lint-imports

# The rooms by themselves. Examples must reach every branch of the two cores: what a drawn value reaches, the next draw may miss.
unit:
	$(BIN)/pytest tests/unit -m "not hypothesis" -n $(WORKERS) --dist loadgroup \
		--cov --cov-report=term-missing:skip-covered --cov-fail-under=100
	$(BIN)/pytest tests/unit -m hypothesis -n $(WORKERS) --dist loadgroup

# Ports against their contracts, and the whole with real servers and processes. To count branches here would nearly double it.
whole:
	$(BIN)/pytest tests/contract tests/integration -n $(WORKERS) --dist loadgroup

format: $(VENV)/.test
	$(BIN)/ruff check --fix monitor alerts grafana tests
	$(BIN)/ruff format monitor alerts grafana tests

# Asks PyPI, so it is no part of `test`. --strict: a library that could not be asked about is a failure, not a clean bill.
audit: $(VENV)/.test
	mkdir -p test-output
	$(BIN)/pip freeze --exclude-editable > test-output/installed.txt
	$(BIN)/pip-audit --strict --no-deps --disable-pip --requirement test-output/installed.txt

packages:
	tests/install-packages
.PHONY: packages

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV) || { tests/install-packages python3-venv && $(PYTHON) -m venv $(VENV); }

$(VENV)/.run: pyproject.toml | $(VENV)/bin/pip
	$(INSTALL) .
	touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/pip
	$(INSTALL) '.[test]'
	touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis test-output
