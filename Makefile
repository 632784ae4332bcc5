# `make` lists the targets. Everything is installed in $(VENV); nothing else is changed.
# Python 3.10 to 3.13. For another version, a supported one on PATH is used instead.
PYTHON ?= $(shell command -v python3 || command -v python)
VENV   ?= .venv
# Options of pip or uv, for example PIP_ARGS="--index-url https://mirror.example/simple".
PIP_ARGS ?=
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif

.DEFAULT_GOAL := help
.PHONY: help venv install quickstart site test test-unit test-all fuzz \
	benchmark performance numbers lint format wheel lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The stamp marks a complete environment: an interrupted build starts again.
$(VENV)/.complete: requirements/lock.txt
	$(PYTHON) tools/make_venv.py $(VENV) $(PIP_ARGS)
	touch $@

venv: install ## build .venv from the pinned requirements, with uv if it is installed

# Not editable, so that the tests run the files that users install.
install: $(VENV)/.complete
	rm -rf build projects/msg3d.egg-info
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --force-reinstall .
	rm -rf build projects/msg3d.egg-info

quickstart: install ## create data, train MS-G3D, and test it: minutes on two CPU cores
	$(BIN)/python tools/quickstart.py

site: install ## build the documentation site, with pictures from the quickstart
	$(BIN)/python tools/build_site.py

# One process per core. Tests of a file run together, since they share slow fixtures.
TEST_JOBS ?= auto
PYTEST := $(BIN)/python -m pytest -n $(TEST_JOBS) --dist loadfile
test: install ## run the unit tests, and prepare, train, and test once: six minutes
	$(PYTEST) -m "not slow and not integration" $(TESTS)

test-unit: install ## run only the unit tests: five minutes
	$(PYTEST) -m "not slow and not integration and not main_job" $(TESTS)

test-all: install ## run all tests except slow fuzzing: twenty minutes
	$(PYTEST) $(TESTS)

# Number of cases per reader. The same seed gives the same cases.
FUZZ_CASES ?= 200
FUZZ_SEED ?= 0
fuzz: install ## read corrupt files of every format for minutes
	FUZZ_CASES=$(FUZZ_CASES) FUZZ_SEED=$(FUZZ_SEED) $(BIN)/python -m pytest -s -m slow tests/fuzz

# For example BENCHMARK="memory --batch 16". `python -m benchmarks --help` lists all.
BENCHMARK ?= summary
benchmark: install ## summarize the speed on this machine in five minutes
	$(BIN)/python -m benchmarks $(BENCHMARK)

# COMPARE contains options of both `speed` and `memory`, such as "--layouts nturgb+d", and
# SPEED those of `speed` only, such as "--rounds 3". Results are copied at the end, so that
# the recorded commit of each run has no changes.
COMPARE ?=
SPEED ?=
RUNS ?= 1 2 3
MEASURED := work_dirs/benchmarks/performance
performance: install ## measure everything in the tables of docs/performance.md: hours
	for run in $(RUNS); do \
		for command in "speed $(COMPARE) $(SPEED)" "memory $(COMPARE)" parts dropout; do \
			$(BIN)/python -m benchmarks $$command \
				--output $(MEASURED)/$${command%% *}-$$run.json || exit; \
	done; done
	$(BIN)/python -m studies.page --write --performance $(MEASURED)

numbers: install ## update tables and numbers of the documentation from result files
	$(BIN)/python -m studies.page --write
	$(BIN)/python tools/model_table.py --write

# Subpackages that other programs call, checked with `mypy --strict`
STRICT := errors io skeletons preprocessing formats annotations apis cli
lint: $(VENV)/.complete ## check style, spelling, types, and the order of layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	PYTHONPATH=projects $(BIN)/lint-imports --no-cache
	$(BIN)/mypy -p msg3d
	$(BIN)/mypy --strict --follow-imports=silent $(STRICT:%=-p msg3d.%)

format: $(VENV)/.complete ## fix style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(VENV)/.complete ## build and check the wheel and source distribution
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*
	rm -rf build projects/msg3d.egg-info

# LOCK_ARGS=--upgrade upgrades to the newest versions. Otherwise, only necessary changes.
LOCK_ARGS ?=
lock: ## pin the requirements for all platforms and versions of Python (needs uv)
	uv pip compile --quiet --universal --python-version 3.10 --no-annotate \
		--excludes requirements/unlocked.in --custom-compile-command "make lock" \
		$(LOCK_ARGS) --output-file requirements/lock.txt pyproject.toml \
		--extra dev --extra plot --extra udiva

clean: ## remove the environment and build outputs (not data/ or work_dirs/)
	rm -rf $(VENV) build projects/msg3d.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache dist
