# Two commands for a fresh machine with Python 3.11+ and make: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help run test lint bench soak validation independent clean

help:
	@echo "make run   set up, run the default study, print the robustness table, write cube and report"
	@echo "make test  set up, then linters, type checker, import rules and tests"
	@echo "make bench  measure this engine beside others, some ten minutes; docs/performance.md tells more"
	@echo "make soak  kill runs at 100 random moments, harm clusters 50 times, compare every cube, an hour; SOAK='--kills 20 --seed 1' or '--cluster-faults 10' for others"
	@echo "make validation  solve the year that was and other checks of the model, write docs/validation.md, a quarter to half an hour"
	@echo "make independent  build days of the model in PyPSA once more, in an environment of its own"
	@echo "make lint  linters, type checker and import rules alone"

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,report]'
	@touch $@

run: $(READY)
	$(BIN)/wattbit run studies/japan2040.toml

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

bench: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[peers]'
	mkdir -p results
	$(BIN)/python -m benchmarks --workload default --full-year --json results/benchmark.json

soak: $(READY)
	$(BIN)/python -m tests.soak $(SOAK)
	$(if $(SOAK),,$(BIN)/python -m tests.soak.cluster)
	$(if $(SOAK),,$(BIN)/python -m pytest -m soak)
	$(if $(SOAK),,$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cluster]')
	$(if $(SOAK),,$(BIN)/python -m tests.soak.job)

validation: $(READY)
	$(BIN)/python -m benchmarks.validation

independent:
	$(PYTHON) -m venv $(VENV)-independent
	$(VENV)-independent/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt pypsa
	$(VENV)-independent/bin/python -m tests.independent.pypsa_network

clean:
	rm -rf $(VENV) $(VENV)-independent results
