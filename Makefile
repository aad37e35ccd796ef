# All commands of the project. DVC does not put its own environment on PATH, so every target does.
SHELL := /bin/bash
export PATH := $(CURDIR)/.venv/bin:$(PATH)
PYTHON ?= python3
# Modules are compiled when they are first imported, and kept: most of torch's never are.
unexport PYTHONDONTWRITEBYTECODE
PIP := .venv/bin/python -m pip install --disable-pip-version-check --quiet --no-compile

.DEFAULT_GOAL := help
.PHONY: help setup repro demo check test soak lint format clean

help:  ## print this help
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## */: /' | awk -F': ' '{ printf "  %-8s%s\n", $$1, $$2 }'

setup: .venv/installed  ## create .venv and install what requirements.txt pins

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(PIP) -r requirements.txt
	$(PIP) --no-deps --editable .
	touch $@

repro: setup  ## run the pipeline (PRESET=sample|full|small|mirror MIRROR=PATH_OR_URL set params.yaml first)
	$(if $(PRESET),python -m studies.preset $(PRESET) $(if $(MIRROR),--mirror '$(MIRROR)'))
	python -m stages.check --fix
	dvc repro
	@git diff --quiet HEAD -- dvc.lock metrics || printf '%s\n' \
	  'These results are new. Commit them: experiments are compared with what is committed.' \
	  'git add metrics && git commit -am "Results of this machine"'

demo: .venv/demo  ## open a page in the browser to color photographs on
	python -m colorize.demo

.venv/demo: requirements-demo.txt .venv/installed
	$(PIP) -r requirements-demo.txt
	touch $@

check: setup  ## check params.yaml without running anything
	python -m stages.check

.venv/test: requirements-test.txt .venv/demo
	$(PIP) -r requirements-test.txt
	touch $@

test: .venv/test  ## run the tests, one process a core (under five minutes on 2 cores)
	python -m pytest -n auto -m "not soak"

soak: .venv/test  ## run the longer fault injection and experiments too
	python -m pytest -n auto

lint: setup  ## check style
	ruff check .
	ruff format --check .

format: setup  ## mend style
	ruff check --fix .
	ruff format .

clean:  ## remove downloaded zips, checkpoints of unfinished training, and all outputs
	rm -rf .scratch data models metrics/results metrics/images metrics/significance.json dvc_plots
	rm -rf reports/report.html reports/cases reports/pictures reports/samples reports/training
