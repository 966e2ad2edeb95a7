# Everything runs from .venv, which is made on demand from pyproject.toml and constraints.txt.
# Nothing but make, Python 3.11 or later with venv, and a package index is needed.

PYTHON ?= python3
IPC_HARNESS_PROFILE ?= ci
export IPC_HARNESS_PROFILE

bin := .venv/bin
# Looks for what is left on the machine, so that nothing else may run beside it.
alone := tests/test_ends_of_runs.py
pip := -m pip --disable-pip-version-check

.PHONY: help .venv properties test soak bench constraints clean
.DELETE_ON_ERROR:

help:
	@echo 'make properties   check the kernel of this machine (IPC_HARNESS_PROFILE=dev|ci|nightly)'
	@echo 'make test         test the harness itself: linters, types, layers, tests'
	@echo 'make soak         half an hour under load, in three ways: no false alarm in 60,000 programs'
	@echo 'make bench        measure it'
	@echo 'make .venv        only set up; PYTHON=python3.13 names another interpreter'
	@echo 'make constraints  pin the newest releases of everything that is run'
	@echo 'make clean        remove .venv and caches; keeps what was found (reports/, .hypothesis/)'

properties: .venv
	$(bin)/pytest -n auto properties/

test: .venv
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(bin)/lint-imports
	$(bin)/pytest -n auto --ipc-reports=reports/tests --ignore=$(alone) tests/
	$(bin)/pytest --ipc-reports=reports/tests $(alone)

soak: .venv
	$(bin)/python -m tests.soak

bench: .venv
	$(bin)/ipc-harness bench

.venv: .venv/stamp

# The build backend is installed first and used from there, so that it is pinned like the rest.
.venv/stamp: pyproject.toml constraints.txt
	@$(require-python)
	@echo 'Setting up .venv …'
	@$(PYTHON) -m venv --clear .venv
	@$(bin)/python $(pip) install --quiet -c constraints.txt hatchling
	@$(bin)/python $(pip) install --quiet -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $@

# Resolved in an empty environment, without the present pins; names and versions only.
constraints:
	@$(require-python)
	@set -eu; fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	$(PYTHON) -m venv "$$fresh/venv"; python="$$fresh/venv/bin/python"; \
	"$$python" $(pip) install --quiet hatchling; \
	"$$python" $(pip) install --quiet --no-build-isolation -e '.[dev]'; \
	{ echo '# Made by "make constraints": every package that is run, and nothing else.'; \
	  "$$python" $(pip) list --format=freeze --exclude=ipc-harness --exclude=pip \
	    --exclude=setuptools; } > "$$fresh/constraints.txt"; \
	cp "$$fresh/constraints.txt" constraints.txt

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist
	find harness models properties tests -name __pycache__ -type d -prune -exec rm -rf {} +

define require-python
found=$$($(PYTHON) --version 2>&1) || found='no such program'; \
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
  echo "ipc-harness needs Python 3.11 or later; $(PYTHON) is: $$found." \
    "Install one, or name it: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }; \
$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
  echo "ipc-harness needs the venv module of Python, and $(PYTHON) ($$found) has none." \
    "Install it (on Debian and Ubuntu: apt install python3-venv)" >&2; exit 2; }
endef
