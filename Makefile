# Everything a person does with the source: `make help` lists it.

SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
PYTHON := $(VENV)/bin/python
FOLKMOOT := $(VENV)/bin/folkmoot
DATA ?= data
CLIENT := src/folkmoot/surfaces/pages/dist/index.html
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' 2>/dev/null)

# Where it is set, every process that the tests start would compile the whole source anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Say what there is.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: run
run: $(VENV)/.installed $(CLIENT) ## Set up, start the server on SQLite in ./data, and print its address.
	$(FOLKMOOT) serve --data $(DATA)

.PHONY: test
test: $(VENV)/.installed $(CLIENT) .stamps/system-packages tests/clients/node_modules/.package-lock.json ## Set up and run every test: units, databases, browsers, the story.
	$(PYTHON) -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not alone"
	$(PYTHON) -m pytest -m alone
	npm --prefix web test

.PHONY: check
check: $(VENV)/.installed web/node_modules/.package-lock.json ## Format, lint, types, import rules and the fast tests (on SQLite).
	@$(MAKE) --no-print-directory -j2 --output-sync=target fast-tests lints web-check

.PHONY: fast-tests lints web-check
fast-tests:
	$(PYTHON) -m pytest -n 2 --dist loadfile -m "not slow"
lints:
	$(VENV)/bin/ruff format --check src tests
	$(VENV)/bin/ruff check src tests
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
web-check:
	npm --prefix web run check

.PHONY: format
format: $(VENV)/.installed ## Put the source into the one format.
	$(VENV)/bin/ruff format src tests
	$(VENV)/bin/ruff check --fix src tests

.PHONY: bench
bench: $(VENV)/.installed $(CLIENT) .stamps/system-packages ## Measure everything, beside its peers, and say what holds: about half an hour.
	$(FOLKMOOT) bench boot
	$(FOLKMOOT) bench stage
	$(FOLKMOOT) bench stage --spaces
	$(FOLKMOOT) bench tape
	$(FOLKMOOT) bench latency
	$(FOLKMOOT) bench standing
	$(FOLKMOOT) bench api
	$(FOLKMOOT) bench audience
	$(FOLKMOOT) bench audience --listeners 1000
	$(FOLKMOOT) bench audience --spaces 1000
	$(FOLKMOOT) bench audience --never-reading 360
	$(FOLKMOOT) bench audience --tls
	$(FOLKMOOT) bench audience --storm
	$(FOLKMOOT) bench audience --peers
	$(FOLKMOOT) bench hls
	$(FOLKMOOT) bench reload
	$(FOLKMOOT) bench standing --end

.PHONY: lock
lock: $(VENV)/.installed ## Pin the newest versions that pyproject.toml allows, with their hashes.
	$(VENV)/bin/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-header \
	  --extra dev --python-version 3.11 pyproject.toml -o requirements.lock

.PHONY: types
types: $(VENV)/.installed web/node_modules/.package-lock.json ## Generate the web client's types from the API's OpenAPI document.
	$(FOLKMOOT) openapi | npm --prefix web run -s types

$(VENV)/.installed: requirements.lock pyproject.toml
	test -x $(PYTHON) || python3 -m venv $(VENV)
	$(PYTHON) -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(PYTHON) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

%/node_modules/.package-lock.json: %/package-lock.json
	npm --prefix $* ci --no-audit --no-fund
	touch $@

$(CLIENT): web/node_modules/.package-lock.json $(WEB_SOURCES)
	npm --prefix web run build
	touch $@

.stamps/system-packages: scripts/install-system-packages
	scripts/install-system-packages
	mkdir -p .stamps && touch $@
