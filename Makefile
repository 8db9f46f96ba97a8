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
# How many processes the tests and mypy are spread over; WORKERS=0 keeps each in one, for a debugger.
WORKERS ?= 2
# Which other Pythons `make test-pythons` runs the quick tests on.
PYTHONS ?= 3.11 3.12 3.13
# The quick tests: what other versions of Python and of the packages are most likely to break. A minute on two cores.
HABITS := tests/plots/test_habits.py
QUICK := tests/archive/test_roundtrip.py tests/client/test_responses.py tests/frames tests/metrics/tally/test_count.py::test_every_engine_counts_the_same tests/metrics/test_edges.py \
    tests/metrics/test_summary.py tests/metrics/test_times.py tests/parse $(HABITS)::test_frames_of_any_engine_are_drawn_alike \
    tests/test_answers.py tests/test_milestones.py tests/test_package.py tests/test_sources.py
# What pytest is given beside its settings in pyproject.toml: make test PYTEST_FLAGS="-x -k client"
PYTEST_FLAGS ?=

# The tests start dozens of processes that import pandas and more. Bytecode halves what that takes, whatever the
# environment says of it, and is kept out of the checkout.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(abspath $(VENV))/pycache
export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo lab test test-lowest test-pythons check soak lint docs images notebooks release lock clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

demo: $(READY) ## set up, start the sandbox, build a real report
	@$(BIN)/periodkit demo

test: lint ## set up, run everything
	@$(BIN)/python -m pytest -n $(WORKERS) $(PYTEST_FLAGS)

check: lint ## the quick gate: lint, types, imports and the tests that need no notebook, browser or Java
	@$(BIN)/python -m pytest -n $(WORKERS) -m "not notebook and not browser and not spark and not slow and not soak" $(PYTEST_FLAGS)

# Old packages may use what newer ones of other people deprecate.
test-lowest: $(READY) $(BIN)/uv ## run the quick tests on the oldest Python with the oldest packages that are declared
	@$(call quick,3.11,lowest,--resolution lowest-direct,-W default::DeprecationWarning)

test-pythons: $(READY) $(BIN)/uv ## run the quick tests on each Python of PYTHONS that is installed
	@failed=; $(foreach version,$(PYTHONS),{ $(call quick,$(version),$(version),-c constraints.txt); } || failed="$$failed $(version)"; ) \
	[ -z "$$failed" ] || { echo "The quick tests failed on Python$$failed." >&2; exit 1; }

soak: $(READY) ## run what takes many minutes: hundreds of syncs killed at any moment, laws on hundreds of examples
	@$(BIN)/python -m pytest -n $(WORKERS) -m "soak or hypothesis" --hypothesis-profile=soak $(PYTEST_FLAGS)

lab: $(READY) ## open JupyterLab on the notebooks
	@$(BIN)/periodkit lab

setup: $(READY) ## only set up .venv

docs: $(READY) ## build the site in build/site, and write docs/data-dictionary.md anew
	@$(BIN)/python -c 'from pathlib import Path; from periodkit.schema import data_dictionary; \
	Path("docs/data-dictionary.md").write_text(data_dictionary(), encoding="utf-8", newline="\n")'
	@$(BIN)/python docs/tools/site_build.py build/site

images: $(READY) ## draw docs/images anew, and write docs/plots.md from the gallery
	@$(BIN)/python docs/make_images.py

release: $(READY) ## build sdist and wheel into dist/, twice, compare and check them
	@$(BIN)/python .ci/release.py dist

notebooks: $(READY) ## execute the notebooks anew, as they are committed
	@$(BIN)/python -m periodkit.jupyter notebooks/*.ipynb

lock: $(BIN)/uv ## write constraints.txt anew from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --no-header --no-annotate \
	    --extra dev --extra spark $(LOCK_FLAGS) --output-file constraints.txt pyproject.toml
	@echo "constraints.txt pins $$(wc -l < constraints.txt) packages"

clean: ## remove .venv, caches and the demo's output
	@rm -rf $(VENV) $(VENV)-* build dist periodkit-demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find periodkit tests -name __pycache__ -type d -prune -exec rm -rf {} +

lint: $(READY)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "Not formatted as agreed; run: $(BIN)/ruff format ." >&2; exit 1; }
	@MYPY_NUM_WORKERS=$(WORKERS) $(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > $(VENV)/imports.log 2>&1 || { cat $(VENV)/imports.log >&2; exit 1; }
	@echo "Lint, format, types and import contracts: clean"

# Version managers put shims on the PATH that may lead nowhere, so their folders are looked into as well.
define quick
root="$${PYENV_ROOT:-$$HOME/.pyenv}"; python=; \
for each in python$(1) "$$root"/versions/$(1).*/bin/python$(1); do \
    if "$$each" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(1)")' > /dev/null 2>&1; then python=$$each; break; fi; \
done; \
if [ -z "$$python" ]; then \
    echo "Python $(1) is not installed: the quick tests ($(2)) are SKIPPED."; \
else \
    echo "The quick tests, $$("$$python" --version) ($(2)):"; \
    rm -rf $(VENV)-$(2) && "$$python" -m venv --without-pip $(VENV)-$(2) && \
    $(BIN)/uv pip install --quiet --python $(VENV)-$(2)/bin/python $(3) -e ".[dev]" && \
    PYTHONPYCACHEPREFIX=$(abspath $(VENV)-$(2))/pycache $(VENV)-$(2)/bin/python -m pytest -n $(WORKERS) -q --no-header -p no:cacheprovider \
        $(4) -m "not notebook and not browser and not slow and not soak" $(QUICK) $(PYTEST_FLAGS); \
fi
endef

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
