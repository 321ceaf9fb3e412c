# Anju: what a person types. The work is done by requirements/install.py and by the command line, .venv/bin/anju.
# Needs Python 3.11 to 3.14 and make (GNU make 3.81 is enough). Name another Python with `make PYTHON=python3.12 …`.

PYTHON := $(shell for each in python3 python3.13 python3.14 python3.12 python3.11 python; do \
	$$each -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null && echo $$each && break; \
	done)
BIN := .venv/bin
# Passed on to `anju demo up` or to pytest: make demo ARGS="--port-base 9000", make test ARGS="tests/unit -x"
ARGS :=
# `make test BROWSER=no` leaves the browser tests out, where no Chromium can be had.
BROWSER := yes

.PHONY: help setup demo test coverage compose-test check format lock chaos bench fuzz

help:
	@echo "make demo    sets everything up and runs the city; Ctrl-C stops all of it"
	@echo "make setup   only the setting up"
	@echo "make test    every test"
	@echo "make coverage what no test reaches, branches too: ARGS='tests/unit tests/service' for some"
	@echo "make chaos   breaks a city under load and checks what is left: ARGS='--faults 300 --minutes 34' for all of it"
	@echo "make fuzz    hostile requests, forms and records, all 150,000 of them: ARGS='-k housing' for a part"
	@echo "make bench   speed beside peers of the same run: ARGS='matcher relay --rounds 3'"
	@echo "make compose-test  the city in containers: its main job while a broker is killed"
	@echo "make check   format, lint, types, import rules, contract rules, generated files"
	@echo "make format  mends format and lint"
	@echo "make lock    locks packages, jars and assets anew"

setup:
	@test -n "$(PYTHON)" || { echo "anju: Python 3.11 to 3.14 is needed and none was found: install one, or name it: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) requirements/install.py

demo: setup
	@$(BIN)/anju demo up $(ARGS)

test: setup
ifeq ($(BROWSER),no)
	$(BIN)/python -m pytest -m "not browser" $(ARGS)
else
	@$(BIN)/python requirements/chromium.py
	$(BIN)/python -m pytest $(ARGS)
endif

# The goal is 90 % of services, chassis and contracts; a test in the browser reaches what others do, and takes minutes.
coverage: setup
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -m "not browser" $(ARGS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

# As root on Linux also full disks, and with a C compiler clocks that jump; what was left out is said at the end.
chaos: setup
	$(BIN)/python -m tests.chaos $(ARGS)

# Half an hour; `make test` has a fiftieth of it. `-s` shows what was answered how often.
fuzz: setup
	ANJU_SHOWS=full $(BIN)/python -m pytest -s tests/fuzz tests/kafka/test_hostile_records.py $(ARGS)

# Wants a quiet machine; the Java peer is built where Maven is.
bench: setup
	$(BIN)/python -m benchmarks $(ARGS)

# Not among `make test`: it needs a container engine (root on Debian gets one) and takes minutes; without one it says so.
compose-test: setup
	@$(BIN)/python -m tests.compose $(ARGS)

check: setup
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m contracts.check
	$(BIN)/python -m chassis.web.i18n check
	$(BIN)/python -m anju.data_protection
	$(BIN)/python requirements/lock.py --check
	$(BIN)/anju docs --check

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: setup
	$(BIN)/python requirements/lock.py $(ARGS)
