# Everything a person does with this project. `make help` lists it.
#
# The virtual environment is made on first use, from lock files with hashes: pip installs uv, uv installs the rest.

.DEFAULT_GOAL := help
.PHONY: help run test faults check bench example openapi lock clean
.SUFFIXES:

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
UV := $(PY) -m uv
READY := $(VENV)/ready
# Arguments for pytest, such as ARGS="tests/core -k sampling".
ARGS ?=

# The project runs from its directory and is not installed.
export PYTHONPATH := $(CURDIR)

help: ## What there is
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 16

run: $(READY) ## The studio on this machine: http://127.0.0.1:8000 (STUDIO_PORT, STUDIO_DATA_DIR move it)
	@$(PY) manage.py up

test: $(READY) ## All tests, in parallel, on servers of their own
	@$(PY) -m pytest -n logical --maxprocesses 4 --dist loadfile $(ARGS)

faults: $(READY) ## The tests of faults with 20 rounds of chance each, for the night; FAULT_SEED has a round again
	@FAULT_ROUNDS=$(or $(FAULT_ROUNDS),20) $(PY) -m pytest tests/faults $(ARGS)

check: $(READY) ## Style, types, layers, templates, migrations, settings, OpenAPI, Dockerfile
	@.ci/check

bench: $(READY) ## What one call of the tracker costs an app
	@$(PY) benchmarks/tracker.py $(ARGS)

example: $(READY) ## An app with a tracker, against the studio that `make run` started
	@$(PY) examples/workflow.py $(ARGS)

openapi: $(READY) ## docs/openapi.yaml, written anew
	@DJANGO_SETTINGS_MODULE=studio.settings.test $(PY) manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

lock: $(READY) ## The lock files, resolved anew; UPGRADE=1 takes newer versions
	@.ci/lock $(if $(UPGRADE),--upgrade)

clean: ## Remove what can be made again; data in .studio stays
	@rm -rf $(VENV) staticfiles tests/clients/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A machine whose Python went away or was replaced gets a new environment.
$(READY): requirements.lock requirements-bootstrap.lock
	@PYTHON="$(PYTHON)" .ci/make-environment $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.lock
	@echo "Installing dependencies"
	@# uv needs seconds. It does not read pip's settings, such as a mirror; pip needs a minute and does.
	@$(UV) pip sync --quiet --python $(PY) --require-hashes --compile-bytecode requirements.lock || \
		$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@
