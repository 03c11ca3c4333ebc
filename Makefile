# make run · make test · make bench · make chaos · make reference: each does its own set-up, in .venv beside this file.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup run test quick lint check web browser bench attack chaos fuzz soak reference answers lock audit newest

# The first Python of a supported version that really starts (a pyenv shim may be there without one behind it).
PYTHON ?= $(shell for p in python3.11 python3.12 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo $$p && break; done)
PORT ?= 8501
INSTALLED := .venv/.installed
WEB := app/ui/widgets/web
NPM := PATH="$(CURDIR)/.venv/bin:$$PATH" npm --prefix $(WEB) --no-audit --no-fund --no-update-notifier

help:
	@echo "make run         set up, start the server, print its address (PORT=$(PORT); for others too: ADDRESS=0.0.0.0)"
	@echo "make test        set up, then every check and test, browser tests included (T=tests/models: only those)"
	@echo "make quick       the tests without an engine, a browser or anything slow"
	@echo "make check       ruff and mypy, prettier, eslint, tsc and vitest, and that what is built is what its sources give"
	@echo "make lint        ruff alone"
	@echo "make web         build the browser half ($(WEB)/built) anew"
	@echo "make bench       the measured figures (DEVICE=cuda: on a GPU)"
	@echo "make attack      what others must not be able to do, tried in local, class and demo (docs/threats.md)"
	@echo "make chaos       kill workers and servers at random, and see that nothing is lost"
	@echo "make fuzz        hostile and broken inputs against a served app (SEED=1: others)"
	@echo "make soak        sessions that come and go while a net trains: what memory does (MINUTES=30 SESSIONS=40)"
	@echo "make reference   train the bundled reference runs anew"
	@echo "make lock        write every package with its digest into requirements.lock"
	@echo "make audit       ask whether a locked package has a known weakness"
	@echo "make newest      the quick tests with the newest Streamlit, torch and Dask, in an environment of their own"
	@echo "make answers     measure anew what pages ask of them: assets/answers.zip"

setup: $(INSTALLED)

# Once for each change of the requirements.
$(INSTALLED): requirements.txt requirements-dev.txt
	@if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then \
		[ -n "$(PYTHON)" ] || { echo "Python 3.11 or 3.12 is needed: none was found (PYTHON=/path/to/it)" >&2; exit 1; }; \
		if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then tests/apt_install.sh python3-venv; fi; \
		$(PYTHON) -m venv --clear .venv; \
	fi
	@echo "installing the dependencies (about 6 GB with PyTorch: a few minutes)"
	@.venv/bin/python -m pip install -qq --disable-pip-version-check --no-warn-script-location -r requirements-dev.txt
	@touch $@

run: setup
	@exec .venv/bin/streamlit run app/main.py --server.headless true --server.port $(PORT) $(if $(ADDRESS),--server.address $(ADDRESS))

lint: setup
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .

check: lint $(WEB)/node_modules/.installed
	@.venv/bin/mypy
	@$(NPM) run --silent check

web: setup $(WEB)/node_modules/.installed
	@$(NPM) run --silent build

# Once for each change of the lock. Node comes with requirements-dev.txt; no package runs a script of its own.
$(WEB)/node_modules/.installed: $(WEB)/package-lock.json | setup
	@$(NPM) ci --silent --ignore-scripts
	@touch $@

browser: setup
	@tests/find_browser.sh

test: check
	@RESNET_EXPLORER_BROWSER=$$(tests/find_browser.sh); export RESNET_EXPLORER_BROWSER; \
	some() { "$$@" || { status=$$?; [ $$status -eq 5 ] || exit $$status; }; }; \
	some env OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n 2 -m "not browser" $(T); \
	some .venv/bin/python -m pytest -m browser $(T)

quick: setup
	@OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n 2 -m "not browser and not engine and not slow" $(T)

bench: setup
	@.venv/bin/python -m benchmarks $(if $(DEVICE),--device $(DEVICE))

attack: setup
	@OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n 2 -m "not browser" tests/attack

chaos: setup
	@.venv/bin/python -m tests.trials.chaos

fuzz: setup
	@OMP_NUM_THREADS=1 .venv/bin/python -m tests.trials.fuzz $(if $(SEED),--seed $(SEED))

soak: setup
	@.venv/bin/python -m tests.trials.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SESSIONS),--sessions $(SESSIONS))

reference: setup
	@.venv/bin/python -m app reference

answers: setup
	@.venv/bin/python -m tests.store.bundle_answers

# The tools that write and read the lock have an environment of their own: their dependencies are none of the program's.
.venv-tools/.installed: requirements-tools.txt | setup
	@.venv/bin/python -m venv --clear .venv-tools
	@.venv-tools/bin/python -m pip install -qq --disable-pip-version-check -r requirements-tools.txt
	@touch $@

lock: .venv-tools/.installed
	@.venv-tools/bin/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url \
		--no-emit-find-links --no-emit-trusted-host --no-header --output-file requirements.lock requirements.txt

audit: .venv-tools/.installed
	@.venv-tools/bin/pip-audit --strict --disable-pip --requirement requirements.lock || \
		{ echo "Above is a package with a known weakness, or one that could not be asked about: of that nothing is known." >&2; exit 1; }

newest: setup
	@.venv/bin/python -m venv --clear .venv-newest
	@sed -E 's/^(streamlit|torch|torchvision|dask|distributed|starlette)==.*/\1/' requirements.txt > .venv-newest/requirements.txt
	@sed 's/^-r .*//' requirements-dev.txt > .venv-newest/requirements-dev.txt
	@.venv-newest/bin/python -m pip install -qq --disable-pip-version-check --upgrade \
		-r .venv-newest/requirements.txt -r .venv-newest/requirements-dev.txt
	@.venv-newest/bin/python -m pip list --format freeze | grep -E '^(streamlit|torch|torchvision|dask|distributed)=='
	@OMP_NUM_THREADS=1 .venv-newest/bin/python -m pytest -n 2 -m "not browser and not engine and not slow" $(T)
