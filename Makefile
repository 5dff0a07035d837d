# The commands for developers. Most targets print the plain commands that they run.
# A machine needs Python 3.11, 3.12 or 3.13 and make; all else goes into .venv.

.PHONY: demo demo-reset test test-quick lint lint-style lint-types lint-imports lint-templates lint-migrations \
	lint-deployment lint-front lint-front-with-npm format format-front lock bench mutants vendor assets messages clean-venv

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
# Marker files, named after the locks: packages are installed again when a lock changes, and only then.
BASE := .venv/installed-$(shell cat requirements.txt | cksum | tr ' ' '-')
FULL := .venv/installed-with-tests-$(shell cat requirements.txt requirements-prod.txt requirements-test.txt | cksum | tr ' ' '-')
# esbuild, Sass and biome. Only those who change or check static/css and static/js need them, and npm.
FRONT := tools/front/node_modules/.installed-$(shell cksum < tools/front/package-lock.json | tr ' ' '-')
PORT ?= 8000
N ?= 10000

demo: $(BASE)
	@$(BIN)/python -m demo --port $(PORT)

demo-reset: $(BASE)
	@$(BIN)/python -m demo --reset

test: $(FULL)
	@$(BIN)/python -m tools.test

test-quick: $(FULL)
	@$(BIN)/python -m tools.test quick

# make -k lint goes on after the first complaint.
lint: lint-style lint-types lint-imports lint-templates lint-migrations lint-deployment lint-front

lint-style: $(FULL)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-types: $(FULL)
	$(BIN)/mypy

lint-imports: $(FULL)
	$(BIN)/lint-imports

lint-templates: $(FULL)
	find templates -name '*.html' -exec $(BIN)/djade --target-version 5.2 --check {} +

lint-migrations: $(FULL)
	$(BIN)/python -W error manage.py makemigrations --check --dry-run

lint-deployment: $(FULL)
	$(BIN)/python -m tools.production check --deploy --fail-level WARNING

# Check format and rules of style sheets and scripts, and that a new build gives the committed bytes.
lint-front: $(FULL)
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory lint-front-with-npm; \
	elif [ "$$REQUIRE_ALL" = 1 ]; then echo "lint-front: npm is missing"; exit 1; \
	else echo "lint-front: not run, for it needs npm (apt install npm)"; fi

lint-front-with-npm: $(FRONT)
	tools/front/node_modules/.bin/biome ci
	$(BIN)/python -m tools.assets --rebuild

format: $(FULL)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	find templates -name '*.html' -exec $(BIN)/djade --target-version 5.2 {} +
	if command -v npm >/dev/null; then $(MAKE) --no-print-directory format-front; fi

format-front: $(FRONT)
	tools/front/node_modules/.bin/biome check --fix

# N="10000 100000" for several sizes; ARGS="--help" shows the options.
bench: $(FULL)
	$(BIN)/python -m bench $(N) $(ARGS)

# ARGS="--only S2 --kind guards", for instance: python -m tools.mutants --help.
mutants: $(FULL)
	$(BIN)/python -m tools.mutants $(ARGS)

# Run it after changing requirements*.in; needs uv. Each lock keeps the versions of those before it.
lock:
	for name in requirements requirements-prod requirements-test; do \
		uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url \
			$$name.in -o $$name.txt || exit 1; done

# Run them after changing front-end files (both need npm): vendor fetches third-party files, assets builds static/dist.
vendor: $(FULL)
	$(BIN)/python -m tools.vendor

assets: $(FULL) $(FRONT)
	$(BIN)/python -m tools.assets

# Run it after changing a text: collects texts into locale/en (needs gettext), compiles locale/en and locale/es.
messages: $(FULL)
	$(BIN)/python -m tools.messages

$(BASE): | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(FULL): | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements.txt -r requirements-prod.txt -r requirements-test.txt
	@touch $(BASE) $@

$(FRONT):
	@command -v npm >/dev/null || { echo "Needs Node.js 18 or newer with npm. On Debian and Ubuntu: apt install npm"; exit 1; }
	cd tools/front && npm ci --loglevel=error
	@touch $@

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Needs Python 3.11, 3.12 or 3.13 (make PYTHON=/path/to/python)."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv

clean-venv:
	rm -rf .venv
