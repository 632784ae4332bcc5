# `make` lists the targets. Everything lives in $(VENV); nothing else is touched.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
# For example PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu": the
# small CPU build of torch instead of the CUDA one.
PIP_ARGS ?=
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help venv install quickstart site test test-all fuzz benchmark lint format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The environment is complete when its stamp is there: an interrupted build is redone.
$(VENV)/.complete: requirements/lock.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "the pins of requirements/lock.txt are for Python 3.11, this is %d.%d: make PYTHON=/path/to/python3.11, or pip install . to resolve afresh" % sys.version_info[:2])'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install $(PIP_ARGS) -r requirements/lock.txt
	$(BIN)/python -m pip check
	touch $@

venv: install ## build .venv from the pinned requirements

# Not editable: what is tested is what a user gets.
install: $(VENV)/.complete
	rm -rf build projects/msg3d.egg-info
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --force-reinstall .
	rm -rf build projects/msg3d.egg-info

quickstart: install ## make data, train MS-G3D, test it: minutes on two CPU cores
	$(BIN)/python tools/quickstart.py

# An environment that was built anew has lost these.
$(VENV)/.docs: requirements/docs.txt $(VENV)/.complete
	$(BIN)/python -m pip install $(PIP_ARGS) -r requirements/docs.txt
	$(BIN)/python -m pip check
	touch $@

site: install $(VENV)/.docs ## build these documents as a site, the quickstart's pictures in it
	$(BIN)/python tools/build_site.py

# A process per core; a file's tests stay together, since they share what is slow to make.
TEST_JOBS ?= auto
PYTEST := $(BIN)/python -m pytest -n $(TEST_JOBS) --dist loadfile
test: install ## run the unit tests, and prepare, train, and test once: six minutes
	$(PYTEST) -m "not slow and not integration" $(TESTS)

test-all: install ## run all tests but slow fuzzing: twenty minutes
	$(PYTEST) $(TESTS)

# Cases per reader; the same seed gives the same cases.
FUZZ_CASES ?= 200
FUZZ_SEED ?= 0
fuzz: install ## read damaged files of every kind for minutes
	FUZZ_CASES=$(FUZZ_CASES) FUZZ_SEED=$(FUZZ_SEED) $(BIN)/python -m pytest -s -m slow tests/fuzz

# For example BENCHMARK="memory --batch 16"; python -m benchmarks --help lists all.
BENCHMARK ?= speed
benchmark: install ## measure MS-G3D against the plain published form, on this machine
	$(BIN)/python -m benchmarks $(BENCHMARK)

# What other programs call is checked with all of mypy's rules.
STRICT := errors io skeletons preprocessing formats annotations apis cli
lint: $(VENV)/.complete ## check style, types, and the order of the subpackages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYTHONPATH=projects $(BIN)/lint-imports --no-cache
	$(BIN)/mypy -p msg3d
	$(BIN)/mypy --strict --follow-imports=silent $(STRICT:%=-p msg3d.%)

format: $(VENV)/.complete ## mend style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove the environment and what was built (not data/ or work_dirs/)
	rm -rf $(VENV) build projects/msg3d.egg-info .hypothesis .pytest_cache .ruff_cache
