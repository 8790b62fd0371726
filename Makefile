# Prerequisites: make, python3 (3.11 or newer), python3-venv; for the browser tests also chromium.
# PORT, SIM_PORT and DATA_DIR reach the portal from the environment or from the command line: make demo PORT=9000

PYTHON := .venv/bin/python
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo run test faults isolation fuzz bench lint check

help: ## this list
	@echo "make <command>:"
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile | expand -t 12

setup: ## install everything into .venv (done by the others when needed)
	@scripts/setup.sh

# exec: a signal reaches the portal itself, with no shell between; it stops its database, web and worker.
demo: setup ## a portal with two demo labs and a stand-in for Align's cloud; prints the address and log-ins
	@DATA_DIR="$${DATA_DIR:-.data/demo}" exec $(PYTHON) manage.py demo

run: setup ## the portal of this machine: database, web and worker
	@exec $(PYTHON) manage.py serve

# The whole suite runs in two processes, each with a PostgreSQL of its own; what is chosen by ARGS in one.
test: setup ## the test suite; ARGS="tests/orders -k inbox" chooses
	@exec $(PYTHON) -m pytest $(or $(ARGS),--numprocesses 2 --dist loadfile)

# Kills, cuts and fills up on purpose, and compares what is left with the truth; the whole run writes docs/reliability.md.
# On a slow machine ARGS=--no-time-limit; see tests/faults/floors.py.
faults: setup ## the fault cases (15 minutes at most); ARGS=--cut is the short run, ARGS='--family "kill -9"' chooses
	@exec $(PYTHON) -m tests.faults $(ARGS)

# Every address × method × person × kind of id, with both walls, each alone, and neither; writes docs/isolation.md.
isolation: setup ## nobody sees another lab's case (about 10 minutes); ARGS=--cut is the short run
	@exec $(PYTHON) -m tests.matrix $(ARGS)

# 100,000 mutated zips and 50,000 mutated answers of Align; writes docs/hostile-files.md. `make test` runs a short cut of it.
fuzz: setup ## hostile files and answers (about 15 minutes on 2 cores); ARGS="--seed 7" for others, ARGS="--only 4711" for one again
	@exec $(PYTHON) -m tests.fuzz $(ARGS)

# A throw-away portal under load, each figure against a floor of the same run; writes docs/figures.md.
bench: setup ## measured figures (about 3 minutes; on a machine that does nothing else)
	@exec $(PYTHON) -m benchmarks $(ARGS)

# The quick ones first. The deploy check runs with the settings of a production machine and throw-away secrets.
lint: setup ## format, lint, import rules, types, migrations, deploy settings, secrets, advisories; no tests
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/lint-imports
	@$(PYTHON) scripts/scan_secrets.py
	@$(PYTHON) scripts/scan_dependencies.py
	$(PYTHON) manage.py makemigrations --check --dry-run
	@set -e; secret() { $(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(48))'; }; \
	fernet() { $(PYTHON) -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'; }; \
	echo "$(PYTHON) manage.py check --deploy --fail-level WARNING"; \
	BASE_URL=https://portal.example.org SECRET_KEY="$$(secret)" TOKEN_KEYS="k1:$$(fernet)" \
	NOTIFICATION_SECRET="$$(secret)" DATABASE_URL=postgresql://portal_app:unused@database.example.org/labportal?sslmode=verify-full \
	$(PYTHON) manage.py check --deploy --fail-level WARNING
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; STATIC_ROOT="$$folder" scripts/build-static.sh
	.venv/bin/mypy .

check: lint test ## lint, then test
