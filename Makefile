# `make` lists the targets. Those that need Python make .venv themselves, and again when what it holds changes.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# A Python of your choice: make test PYTHON=/opt/python3.13/bin/python3
PYTHON ?=
# uv installs in seconds what pip takes a minute for; INSTALLER=pip keeps to pip.
INSTALLER ?= uv
# Pins are kept where they still fit; LOCK_FLAGS=--upgrade moves them all.
LOCK_FLAGS ?=
# What is installed beside periodkit; EXTRAS=dev,spark adds half a gigabyte for the tests on Spark.
EXTRAS ?= dev
# How many processes the tests are spread over; WORKERS=0 keeps them in one, for a debugger.
WORKERS ?= 2
# What pytest is given beside its settings in pyproject.toml: make test PYTEST_FLAGS="-x -k client"
PYTEST_FLAGS ?=

# The tests start dozens of processes that import pandas and more. Bytecode halves what that takes, whatever the
# environment says of it, and is kept out of the checkout.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(abspath $(VENV))/pycache
export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo lab test check soak lint docs notebooks lock clean

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do printf '  make %-9s %s\n' "$$name" "$$text"; done

demo: $(READY) ## set up, start the sandbox, build a real report
	@$(BIN)/periodkit demo

test: lint ## set up, run everything
	@$(BIN)/python -m pytest -n $(WORKERS) $(PYTEST_FLAGS)

check: lint ## the quick gate: lint, types, imports and the tests that need no notebook, browser or Java
	@$(BIN)/python -m pytest -n $(WORKERS) -m "not notebook and not browser and not spark and not slow and not soak" $(PYTEST_FLAGS)

soak: $(READY) ## run what takes many minutes: hundreds of syncs killed at any moment
	@$(BIN)/python -m pytest -n $(WORKERS) -m soak $(PYTEST_FLAGS)

lab: $(READY) ## open JupyterLab on the notebooks
	@$(BIN)/periodkit lab

setup: $(READY) ## only set up .venv

docs: $(READY) ## write docs/data-dictionary.md anew
	@$(BIN)/python -c 'from pathlib import Path; from periodkit.schema import data_dictionary; \
	Path("docs/data-dictionary.md").write_text(data_dictionary(), encoding="utf-8", newline="\n")'

notebooks: $(READY) ## execute the notebooks anew, as they are committed
	@$(BIN)/python -m periodkit.jupyter notebooks/*.ipynb

lock: $(BIN)/uv ## write constraints.txt anew from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --no-header --no-annotate \
	    --extra dev --extra spark $(LOCK_FLAGS) --output-file constraints.txt pyproject.toml
	@echo "constraints.txt pins $$(wc -l < constraints.txt) packages"

clean: ## remove .venv, caches and the demo's output
	@rm -rf $(VENV) build dist periodkit-demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find periodkit tests -name __pycache__ -type d -prune -exec rm -rf {} +

lint: $(READY)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "Not formatted as agreed; run: $(BIN)/ruff format ." >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > $(VENV)/imports.log 2>&1 || { cat $(VENV)/imports.log >&2; exit 1; }
	@echo "Lint, format, types and import contracts: clean"

# Candidates are run rather than looked up: a version manager's shim may exist and lead nowhere.
$(BIN)/python:
	@for python in "$(PYTHON)" python3.13 python3.12 python3.11 python3 python; do \
	    [ -n "$$python" ] || continue; \
	    if "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' > /dev/null 2>&1; then \
	        found=$$python; break; \
	    fi; \
	    [ "$$python" != "$(PYTHON)" ] || { echo "PYTHON=$$python is not a Python of 3.11 or newer with venv." >&2; exit 1; }; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "No Python of 3.11 or newer with its venv module was found. Install one (on Debian and Ubuntu:" >&2; \
	    echo "apt install python3 python3-venv), or name one: make PYTHON=/path/to/python3" >&2; \
	    exit 1; \
	fi; \
	echo "Setting up $(VENV) with $$("$$found" --version) ..."; \
	"$$found" -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

$(BIN)/uv: | $(BIN)/python
	@$(BIN)/python -m pip install -qq --only-binary :all: uv

$(READY): pyproject.toml constraints.txt | $(BIN)/python
	@if [ "$(INSTALLER)" = uv ] && { [ -x $(BIN)/uv ] || $(BIN)/python -m pip install -qq --only-binary :all: uv; } && \
	    $(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e ".[$(EXTRAS)]"; then :; \
	else \
	    echo "Installing with pip, which takes about a minute ..."; \
	    $(BIN)/python -m pip install -qq -c constraints.txt -e ".[$(EXTRAS)]" || \
	    { echo "The packages could not be installed: see above. Where constraints.txt no longer fits pyproject.toml, run: make lock" >&2; exit 1; }; \
	fi
	@touch $@
