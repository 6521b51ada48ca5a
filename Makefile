# Ten verbs at most. `make demo` and `make test` do all their own set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= demo
.DEFAULT_GOAL := help
.PHONY: help install demo test check interop oracles lock nightly clean

help: ## say what each verb does
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.installed ## put everything into .venv from requirements.lock

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Countermark needs Python 3.11 or later. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: install ## run a whole joint exercise on a real model and serve the result (NO_SERVE=1 stops after writing)
	$(BIN)/countermark demo --out $(OUT) $(if $(NO_SERVE),--no-serve)

test: install ## run all tests
	@bash scripts/browser.sh && bash scripts/softhsm.sh
	$(BIN)/python -m pytest -m "not slow and not interop and not oracles" -n 2 --dist worksteal

check: install ## ruff, mypy --strict, import-linter, schemas up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/schemas.py --check

interop: install ## Go's reference code and ours check each other's logs; our task runs under the oldest Inspect
	@bash scripts/interop.sh && bash scripts/inspect_range.sh .oldest-inspect $(BIN)/uv
	COUNTERMARK_OLDEST_INSPECT=$(CURDIR)/.oldest-inspect/bin/python $(BIN)/python -m pytest -q -rs -m interop tests/interop

oracles: install ## compare our statistics with R and other packages, in their own environment
	@bash scripts/oracles.sh .oracles $(BIN)/uv
	COUNTERMARK_ORACLES=$(CURDIR)/.oracles/bin/python $(BIN)/python -m pytest -q -rs -m oracles tests/oracles

lock: install ## resolve requirements.lock anew: names, versions and hashes, no addresses
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --no-header --no-emit-index-url --no-emit-find-links --extra demo --group dev \
	  pyproject.toml --output-file requirements.lock

nightly: install ## long studies: coverage of intervals, fuzzing of every parser
	for study in coverage judges precision paired; do $(BIN)/python benchmarks/$$study.py || exit 1; done
	@bash scripts/browser.sh
	$(BIN)/python -m pytest -m slow
	bash scripts/fuzz.sh

clean: ## remove what was installed and what the demo wrote
	rm -rf $(VENV) .oracles .oldest-inspect $(OUT)
