# Two commands: `make run` serves the chat and the API, `make test` checks everything but what trains
# models, which has a virtual environment and tests of its own, `make test-training`. What needs
# nginx, Node.js, DynamoDB Local, a PostgreSQL with TLS, the images, root or `.[evaluate]` is passed
# over where that is missing; the browser tests fail without Chromium. `.ci/run` installs all of
# this but `.[evaluate]` on Debian and runs both.
export PORT ?= 8000
export REELWISE_HOME ?= $(CURDIR)/.reelwise

PYTHON ?= python3
VENV := .venv
TRAINING := .venv-train
BIN := $(VENV)/bin
PIP := PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# The one that Python brings along takes four times as long to find out what fits together.
NEWER_PIP := pip==26.3

LEAKS_KNOWN := $(VENV)/secrets.baseline
FIND_LEAKS := git ls-files -z ':!.secrets.baseline' | \
  xargs -0 $(BIN)/detect-secrets-hook --no-verify --baseline $(LEAKS_KNOWN)

DYNAMODB := .dynamodb-local

.PHONY: run test leaks audit synth diagram containers test-infra test-training lint types imports dynamodb-local clean

run: $(VENV)/serving
	$(BIN)/reelwise serve

# A file's tests run in one process: they share the servers that its fixtures start.
test: lint types imports leaks
	$(BIN)/python -m pytest -n auto --dist loadfile

# The CloudFormation templates of all environments, checked by cdk-nag. `make test` runs the same
# command (tests/aws/conftest.py) and looks at what it wrote.
synth: $(VENV)/testing
	$(BIN)/python -m infra.app cdk.out

test-infra: $(VENV)/testing
	$(BIN)/python -m pytest tests/aws

# infra/architecture.svg, drawn from the templates by Graphviz as WebAssembly.
diagram: synth
	$(BIN)/python -m infra.diagram cdk.out/prod > cdk.out/architecture.dot
	npx --yes @hpcc-js/wasm-graphviz-cli@1.11.2 -T svg cdk.out/architecture.dot \
	  > infra/architecture.svg

# The images of the Dockerfile, without Docker (root on Linux); then `make test` runs them too.
containers: $(VENV)/testing
	$(BIN)/python -m infra.containers.build app lambda fusion

test-training: $(TRAINING)/testing
	$(TRAINING)/bin/python -m pytest tests/training

lint: $(VENV)/testing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Passwords and keys in files; what is none is listed in the baseline. Where lines moved, the first
# look ends with an error and a copy of the baseline that is up to date: it is looked at again.
leaks: $(VENV)/testing
	cp .secrets.baseline $(LEAKS_KNOWN)
	@$(FIND_LEAKS) || $(FIND_LEAKS)

# Known vulnerabilities in what constraints.txt pins, which PyPI is asked for: not a part of `make
# test`, whose result would change by the day. With AUDIT=--strict nothing may be left unknown.
audit: $(VENV)/testing
	$(BIN)/python -m tests.dependency_audit $(AUDIT)

types: $(VENV)/testing
	$(BIN)/mypy

imports: $(VENV)/testing
	$(BIN)/lint-imports

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "Reelwise needs Python 3.11 to 3.13; name one with: make run PYTHON=python3.11"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "The venv module is missing; install it with: apt-get install python3-venv"; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(NEWER_PIP)

$(VENV)/serving: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing Reelwise (once, a minute or two) ..."
	$(PIP) --editable .
	@touch $@

$(VENV)/testing: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing Reelwise with what its tests need ..."
	$(PIP) --editable '.[dev,infra]'
	@touch $@

$(TRAINING)/testing: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing what trains models (once, a few minutes) ..."
	@$(BIN)/python -m venv $(TRAINING)
	@$(TRAINING)/bin/python -m pip install --quiet --disable-pip-version-check $(NEWER_PIP)
	$(TRAINING)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile \
	  --constraint constraints.txt --editable '.[dev,train]'
	@touch $@

# AWS's own DynamoDB for the contract tests, which pass it over where it is not (needs Java, npm).
dynamodb-local: $(DYNAMODB)/DynamoDBLocal.jar

$(DYNAMODB)/DynamoDBLocal.jar:
	@mkdir -p $(DYNAMODB)
	cd $(DYNAMODB) && npm pack --silent amplify-dynamodb-simulator@2.9.30 && \
	  tar -xzf *.tgz --strip-components=2 package/emulator && rm *.tgz

clean:
	rm -rf $(VENV) $(TRAINING) .containers cdk.out .mypy_cache .ruff_cache .pytest_cache .hypothesis test-artifacts
