# Two commands on a fresh machine (python3 and make, nothing else): make demo, make test.
PYTHON ?= python3
CORE := .venv-core
DEV := .venv
DATA ?= data
PIP_FLAGS := --disable-pip-version-check --quiet

.PHONY: demo test check chaos compat real bench bench-dedup fuzz audit format assets screenshots clean

demo: $(CORE)/.installed  ## The whole job on bundled material, without network, credentials or GPU.
	$(CORE)/bin/curator demo demo

test: $(DEV)/.installed  ## The whole suite.
	$(DEV)/bin/python -m pytest -n 2 --dist loadfile

check: $(DEV)/.installed  ## Exactly what CI checks besides the tests.
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/ruff check .
	$(DEV)/bin/mypy
	$(DEV)/bin/lint-imports

real: $(DEV)/.installed  ## Real material (not in the repository) through every stage: make real DATA=folder
	$(DEV)/bin/python bench/real.py --data "$(DATA)"

chaos: $(DEV)/.installed  ## Every command killed, starved of disk, shut out; then a crowd for five minutes (30 to 60 minutes in all).
	$(DEV)/bin/python bench/chaos/run.py

compat: $(DEV)/.installed  ## Exports against the readers of LLaMA-Factory, axolotl, TRL and datasets, an environment each (5 GB).
	$(DEV)/bin/python bench/compat/run.py

bench: $(DEV)/.installed  ## Side-by-side measurements, never part of the tests: make bench DATA=folder (with reddit/dumps) [SCALE="10000 100000 1000000"]
	$(DEV)/bin/python bench/synthetic.py
	$(DEV)/bin/python bench/events.py
	$(DEV)/bin/python bench/dump_stream.py --data "$(DATA)"
	$(if $(SCALE),$(DEV)/bin/python bench/scale.py "$(DATA)/reddit/top2013" --rows $(SCALE))

MINUTES ?= 30
fuzz: $(DEV)/.installed  ## Coverage-guided fuzzing of every parser and writer of text: make fuzz MINUTES=30
	$(PYTHON) -m venv build/fuzz
	build/fuzz/bin/pip install $(PIP_FLAGS) atheris
	PYTHONPATH="$$($(DEV)/bin/python -c 'import site; print(site.getsitepackages()[0])')" build/fuzz/bin/python fuzz/run.py --minutes $(MINUTES)

audit: $(DEV)/.installed  ## Known vulnerabilities of what is pinned (asks the package index), and the licences into docs/licences.md.
	$(PYTHON) -m venv build/audit
	build/audit/bin/pip install $(PIP_FLAGS) pip-audit pip-licenses
	build/audit/bin/pip-licenses --python=$(DEV)/bin/python --order=license --format=markdown --output-file=docs/licences.md
	build/audit/bin/pip-audit --no-deps --disable-pip -r constraints.txt

bench-dedup: $(DEV)/.installed  ## Dedup against its peers, in an environment of their own: make bench-dedup DATA=folder of CSV posts
	$(DEV)/bin/python bench/dedup/run.py "$(DATA)"
	$(DEV)/bin/python bench/dedup/incremental.py "$(DATA)"

format: $(DEV)/.installed
	$(DEV)/bin/ruff format .
	$(DEV)/bin/ruff check --fix .

assets:  ## What the pages of the service load, built with npm and committed.
	cd curator/service/assets && npm ci --no-audit --no-fund && npm run build

screenshots: $(DEV)/.installed  ## Pictures of the pages: make screenshots PROJECT=demo (a folder made by `curator demo`)
	$(DEV)/bin/python bench/screenshots.py "$(PROJECT)"

$(CORE)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(CORE)
	$(CORE)/bin/pip install $(PIP_FLAGS) -c constraints.txt -e .
	touch $@

$(DEV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(DEV)
	$(DEV)/bin/pip install $(PIP_FLAGS) -c constraints.txt torch
	$(DEV)/bin/pip install $(PIP_FLAGS) -c constraints.txt -e ".[dev]"
	touch $@

clean:
	rm -rf $(CORE) $(DEV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
