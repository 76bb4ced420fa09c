# The two commands that do all the set-up on a fresh machine: `make run` and `make test`.

PYTHON ?= python3
VENV ?= .venv
# The CPU build is some 200 MB, the one with CUDA several GB. See docs/operating.md for machines with a GPU.
TORCH ?= torch==2.13.0
# The model that writes answers (docs/models.md): qwen2.5-coder-0.5b for 4 GB of memory, none, ...; empty: as the settings
# say, which is qwen2.5-coder-1.5b.
WRITER ?=
ifneq ($(WRITER),)
export STIPPLE_LLM := $(WRITER)
endif

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help run install test check clean

help:  ## list these commands
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

run: install  ## install, index the sample posts, pull the writer (WRITER=none: do not), serve on http://127.0.0.1:8000/
	$(BIN)/stipple reindex sample_posts
	-$(BIN)/stipple models pull  # where that fails, answers are quotes
	$(BIN)/stipple serve

install: $(VENV)/.installed  ## make the virtual environment with everything in it

$(VENV)/.installed: pyproject.toml hatch_build.py package.json package-lock.json
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade pip
	$(PIP) install --quiet "$(TORCH)"
	$(PIP) install --quiet --editable ".[dev]"
	touch $@

test: check  ## lint, types, import rules and the whole test suite
	$(BIN)/python -m pytest

check: install  ## lint, types and import rules alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:  ## remove the virtual environment and the caches, not the index
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache app/web/static/vendor
