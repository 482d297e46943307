# One word for each thing a person does here; the checks of a change (.ci/run) use the same words.
# Needs make and Python 3.11 to 3.13. Where there is no uv, a private one is installed in .uv/.

ifeq ($(shell uv --version 2>/dev/null),)
uv := .uv/bin/uv
own_uv := .uv/bin/uv
else
uv := uv
endif

sync = UV_PROJECT_ENVIRONMENT="$(1)" UV_PYTHON_DOWNLOADS=never $(uv) sync --quiet --frozen --inexact $(2) || \
	{ echo "The packages could not be installed; behind a mirror, see CONTRIBUTING.md." >&2; exit 1; }
python := .venv/bin/python
ready := .venv/.ready
ready_dev := .venv/.ready-dev

parallel := -n auto --maxprocesses 4 --dist worksteal

node_packages := tests/node/node_modules/.ready

.PHONY: help setup demo serve test check lint format types imports bench fmt test-chattts test-node node clean moved
.DEFAULT_GOAL := help

help:  ## Say what there is.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: $(ready_dev)  ## Install everything into .venv/; EXTRAS="mic chattts" adds to it.
	$(if $(EXTRAS),@$(call sync,.venv,--extra dev $(addprefix --extra ,$(EXTRAS))))
	@echo "Ready: make demo"

demo: $(ready)  ## Ask a spoken question and hear the answer: no server, weights, GPU or network needed.
	@.venv/bin/tingshuo demo $(ARGS)

serve: $(ready)  ## Serve the HTTP API.
	@.venv/bin/tingshuo serve $(ARGS)

test: $(ready_dev)  ## Run every test that needs only Python; ARGS="-k word" chooses.
	@$(python) -m pytest -m "not chattts and not node" $(parallel) $(ARGS)

check: lint format types imports  ## Check style, types and the direction of imports.

lint: $(ready_dev)
	@$(python) -m ruff check --quiet .

format: $(ready_dev)
	@$(python) -m ruff format --quiet --check .

types: $(ready_dev)
	@$(python) -m mypy

imports: $(ready_dev)
	@.venv/bin/lint-imports --no-logo

bench: $(ready)  ## Measure what the product claims.
	@$(python) -m benchmarks $(ARGS)

fmt: $(ready_dev)  ## Mend style and format.
	@$(python) -m ruff check --quiet --fix .
	@$(python) -m ruff format --quiet .

test-chattts: $(own_uv)  ## Run the tests of the ChatTTS engine in .venv-chattts/ (installs torch: gigabytes).
	@$(call sync,.venv-chattts,--extra dev --extra chattts)
	@.venv-chattts/bin/python -m pytest -m chattts $(ARGS)

test-long: $(ready_dev)  ## Try the API with ten thousand made-up requests (many minutes).
	@CI=1 TINGSHUO_TEST_CASES=10000 $(python) -m pytest tests/api/test_openapi.py $(ARGS)

test-node: node $(ready_dev) $(node_packages)  ## Run the tests by JavaScript clients (needs Node.js 20 or newer, and npm).
	@$(python) -m pytest -v -rA -m node tests/node $(ARGS)

clean:  ## Remove the environments and caches; what the assistant keeps for you stays.
	@rm -rf .venv .venv-chattts .uv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage dist \
		tests/node/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(ready): pyproject.toml uv.lock | $(own_uv)
	@$(call sync,.venv)
	@echo "$(CURDIR)" > $@

$(ready_dev): pyproject.toml uv.lock | $(own_uv)
	@$(call sync,.venv,--extra dev)
	@echo "$(CURDIR)" > $(ready)
	@touch $@

node:
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && npm --version >/dev/null 2>&1 || \
		{ echo "There is no Node.js 20 or newer with npm on the PATH: install it, as from https://nodejs.org." >&2; exit 1; }

$(node_packages): tests/node/package.json tests/node/package-lock.json | node
	@npm ci --prefix tests/node --ignore-scripts --no-audit --no-fund --loglevel=error || \
		{ echo "The npm packages could not be installed; behind a mirror, name it with: npm config set registry." >&2; exit 1; }
	@touch $@

# An environment holds absolute paths: in a copied or moved folder it would run the code of the old one.
ifneq ($(wildcard $(ready)),)
ifneq ($(shell cat $(ready)),$(CURDIR))
$(ready) $(ready_dev): moved
endif
endif

moved:
	@rm -rf .venv .venv-chattts

.uv/bin/uv:
	@for python in python3 python3.13 python3.12 python3.11 none; do \
		$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && break; \
	done; \
	if [ $$python = none ]; then \
		echo "There is no Python 3.11, 3.12 or 3.13 on the PATH: install one, or uv." >&2; exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$python cannot make environments: install its venv package (Debian: python3-venv), or uv." >&2; exit 1; \
	fi; \
	$$python -m venv --clear .uv && .uv/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.9" || \
		{ rm -rf .uv; echo "uv could not be installed into .uv/; what pip says above is why." >&2; exit 1; }
