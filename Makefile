# The front door: every job of the project, here and in .ci/run.
.PHONY: setup demo demo-check story test test-long lint types contracts bench reset setup-dev

PYTHON ?= python3
export UV_FROZEN = 1
BIN = .venv/bin

setup:
	@$(PYTHON) config/first_run.py setup

demo:  ## set up and start everything, seed content, say where to go
	@$(PYTHON) config/first_run.py setup --of 7
	@$(BIN)/python -m config demo $(ARGS)

demo-check:  ## start the demo unattended, ask for every page, stop
	@$(PYTHON) config/first_run.py setup --of 7
	@$(BIN)/python -m config demo --check

story: setup  ## from a picture to a paid royalty: make story PICTURE=file.jpg
	@$(BIN)/python -m config story $(if $(PICTURE),--picture "$(PICTURE)")

test: setup-dev  ## unit, contract, chain and browser tests
ifdef TESTS
	@$(BIN)/python -m pytest -m "not long" $(TESTS) $(ARGS)
else
	@$(BIN)/python -m pytest -q -m "not long" -n 2 --dist loadgroup --ignore=tests/flows $(ARGS)
	@$(BIN)/python -m pytest -q -m "not long" tests/flows $(ARGS)
endif

test-long: setup-dev
	@$(BIN)/python -m pytest $(ARGS)

setup-dev:
	@$(PYTHON) config/first_run.py setup --dev

lint: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@COLOPHON_DEBUG=1 $(BIN)/python manage.py makemigrations --check --dry-run

types: setup-dev
	@$(BIN)/mypy colophon outbox chain log accounts provenance marketplace royalties config

contracts: setup-dev  ## rebuild the contract artifacts and compare byte for byte
	@$(BIN)/python contracts/build.py --check

bench: setup-dev
	@$(BIN)/python bench/gas/run.py
	@$(BIN)/python bench/recorder.py

reset:  ## forget the local chain, database and files
	@$(PYTHON) config/first_run.py reset
