# Two commands do everything: `make run` and `make test`. See README.md.

PYTHON ?= python3.10
VENV   ?= .venv
ROWS   ?= 200000
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# Byte code is compiled once at install; a shell that forbids it makes every process import slowly.
unexport PYTHONDONTWRITEBYTECODE
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: run test lint lock install clean
.DEFAULT_GOAL := run

install: $(STAMP)

run: install
	$(BIN)/mtlx simulate --rows $(ROWS) --out var/simulated
	$(BIN)/mtlx run configs/default.yaml

test: install
	$(BIN)/ruff check transform trainer components pipeline kubeflow tests benchmarks
	$(BIN)/ruff format --check transform trainer components pipeline kubeflow tests benchmarks
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: install
	$(BIN)/ruff check transform trainer components pipeline kubeflow tests benchmarks
	$(BIN)/ruff format --check transform trainer components pipeline kubeflow tests benchmarks
	$(BIN)/mypy

# uv installs in a tenth of pip's time; where it can't be had or fails, pip does the same.
$(STAMP): requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "mtlx needs Python 3.10: install it, or run make PYTHON=/path/to/python3.10"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked requirements (3 GB, minutes the first time) ..."
	$(BIN)/python -m pip install -q uv==0.6.3 \
	  && $(BIN)/uv pip install -q --python $(BIN)/python --no-deps --compile-bytecode -r requirements.txt \
	  || $(BIN)/python -m pip install -q --no-deps -r requirements.txt
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	touch $@

# The lock is resolved as of a date, so that it can be made again.
lock:
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q uv==0.6.3
	$(BIN)/uv pip compile --python-version 3.10 --override requirements-overrides.txt \
	  --exclude-newer 2025-03-01 --no-annotate --no-header --upgrade requirements.in -o requirements.txt

clean:
	rm -rf $(VENV) var *.egg-info
