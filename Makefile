# `make help` lists what there is. One virtual environment, .venv, filled from hash-locked files with pip's own
# configuration and cache; a stamp in it says for which locks it is ready, so that a second call does nothing.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SDK := $(wildcard clients/python/pyproject.toml)
FAULTS := tests/faults tests/chaos/test_distributed.py tests/distributed/test_history.py \
	tests/distributed/test_three_brokers.py
OURS := pyproject.toml $(SDK)
EDITABLE := -e . $(if $(SDK),-e clients/python)
LOCK := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links
LOCKED_FROM := pyproject.toml requirements/build.in

# The first interpreter that is new enough; 3.11 before others, as the locks were made and tested with it.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then command -v "$$p"; break; fi; done)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: install
install: .venv/.ready-dev ## Set up .venv with everything for development (a second call is instant)

.PHONY: run
run: .venv/.ready-app ## Set up what is needed and start everything on PORT (8000), data in WANGDIAN_DATA (./data)
	@exec $(BIN)/wangdian run

.PHONY: run-distributed
run-distributed: install tools ## The same as processes on PostgreSQL and Kafka, behind a gateway, with Prometheus
	@exec $(BIN)/wangdian run-distributed

.PHONY: tools
tools: ## Install the servers that no wheel has: nginx and Prometheus, from Debian's packages
	@deploy/tools.sh

.PHONY: test
test: install tools ## Run the suite, pages beside the rest, in a zone that is nobody's default
	@export TZ=$${TZ:-America/St_Johns}; said=$$(mktemp -d); code=0; \
	$(BIN)/python -m pytest -q --basetemp="$$said/pages" tests/browser > "$$said/log" 2>&1 & pages=$$!; \
	$(BIN)/python -m pytest -q --ignore=tests/browser $(addprefix --ignore=,$(FAULTS)) || code=$$?; \
	wait $$pages || code=$$?; \
	echo 'Pages:'; cat "$$said/log"; rm -rf "$$said"; exit $$code

.PHONY: test-faults
test-faults: install tools ## Run what takes long: databases, brokers and processes that die under load (about fifteen minutes)
	@TZ=$${TZ:-America/St_Johns} $(BIN)/python -m pytest -q $(FAULTS)

.PHONY: lint
lint: install ## Style, types, imports, code and dependency scanners, and the rules of the house
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@# It also says where a finding was answered on a line beside it; that is no news.
	@$(BIN)/bandit -q -c pyproject.toml -r services shared examples clients/python/wangdian_client \
		2> >(grep -v 'nosec encountered' >&2 || true)
	@$(BIN)/python -m pytest -q tests/architecture

.PHONY: asyncapi
asyncapi: ## Check docs/asyncapi.json with AsyncAPI's own parser (needs node and npm, so it is not part of lint)
	@npm install --prefix build/asyncapi --no-audit --no-fund --no-save --ignore-scripts --loglevel=error @asyncapi/parser@3.6.6
	@node tests/contracts/asyncapi_parser.cjs "$(CURDIR)/build/asyncapi" docs/asyncapi.json

.PHONY: bench
bench: install ## Measure speed as ratios to a floor of the same run
	@$(BIN)/python -m tests.bench

.PHONY: bench-long
bench-long: install ## Whether an event costs the same after ten million of them
	@$(BIN)/python -m tests.bench.flat 10000000

.PHONY: soak
soak: install tools ## Memory of every process under a steady load: SECONDS=1200 REPORT=soak.json, EMBEDDED=1 for one process
	@$(BIN)/python -m tests.bench.soak $(or $(SECONDS),1200) $(or $(REPORT),soak.json) $(if $(EMBEDDED),--embedded)

.PHONY: chaos
chaos: install tools ## Kill processes of the distributed system: KILLS=1000 SECONDS_AT_MOST=0 REPORTS=chaos SEED=1
	@$(BIN)/python -m tests.chaos.legs $${KILLS:-1000} $${SECONDS_AT_MOST:-0} $${REPORTS:-chaos} $${SEED:-1}

.PHONY: chaos-embedded
chaos-embedded: install ## Kill the embedded system at every step: CHAOS_ROUNDS (1000; the suite does 50)
	@CHAOS_ROUNDS=$${CHAOS_ROUNDS:-1000} $(BIN)/python -m pytest -q --timeout=0 tests/chaos/test_rounds.py

.PHONY: docs
docs: generate ## The same as generate

.PHONY: generate
generate: install ## Write the generated documents anew (OpenAPI, AsyncAPI, schemas, metrics, guide)
	@$(BIN)/python -m services.commands.generate

.PHONY: lock
lock: install ## Resolve requirements/*.lock anew from pyproject.toml
	@$(PIP) install pip-tools
	@$(LOCK) --upgrade --output-file requirements/app.lock $(LOCKED_FROM)
	@# The development lock starts from the application's, so that what both need has one version.
	@cp requirements/app.lock requirements/dev.lock
	@$(LOCK) --extra dev --output-file requirements/dev.lock $(LOCKED_FROM)

.PHONY: pictures
pictures: install tools ## Take the README's pictures anew, from screenshots of the browser tests
	@$(BIN)/python -m pytest -q tests/browser
	@$(BIN)/python -m shared.testing.pictures

.PHONY: clean
clean: ## Remove .venv and every cache and build product; the data folder stays
	@rm -rf .venv build .mypy_cache .ruff_cache .import_linter_cache .hypothesis bench.json soak.json
	@find . -name data -prune -o \( -name __pycache__ -o -name '*.egg-info' \) -prune -exec rm -rf {} +

.venv/bin/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo 'Wangdian needs Python 3.11 or newer; none was found. Install it, or name it: make PYTHON=/path/to/python3.11' >&2; \
		exit 1; fi
	@echo "Setting up .venv with $(PYTHON)"
	@"$(PYTHON)" -m venv .venv || { rm -rf .venv; \
		echo 'This Python cannot make virtual environments; Debian and Ubuntu keep that in the package python3-venv.' >&2; \
		exit 1; }

.venv/.ready-app: requirements/app.lock $(OURS) | .venv/bin/python
	@echo 'Installing what the application needs'
	@$(PIP) install --require-hashes -r requirements/app.lock
	@$(PIP) install --no-deps --no-build-isolation $(EDITABLE)
	@touch $@

# The development lock holds the application's versions too, so it may come on top or alone.
.venv/.ready-dev: requirements/dev.lock $(OURS) | .venv/bin/python
	@echo 'Installing what development needs'
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@$(PIP) install --no-deps --no-build-isolation $(EDITABLE)
	@touch .venv/.ready-app $@
