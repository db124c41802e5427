# Two commands do everything: `make run` and `make test`. See README.md, and docs/stack.md for
# what is installed where.

# tfx-1.21 or tfx-1.16; the newest that this machine can install if nothing is said.
STACK  ?=
# An interpreter to make the environment with; one is found, or brought by uv, if nothing is said.
PYTHON ?=
VENV   ?= .venv
ROWS   ?= 200000
BIN    := $(VENV)/bin
CODE   := mtlx transform trainer components pipeline kubeflow tests benchmarks install docs
# Where `make test-modern` makes a Debian 13, and which tests it runs there.
DEBIAN ?= var/debian13
TESTS  ?=

CHOICE := $(shell sh install/choose_stack.sh $(STACK))
CHOSEN := $(word 1,$(CHOICE))
LOCK   := $(word 2,$(CHOICE))
STAMP  := $(VENV)/.installed-$(CHOSEN)

# Byte code is compiled once at install; a shell that forbids it makes every process import slowly.
unexport PYTHONDONTWRITEBYTECODE
export TF_CPP_MIN_LOG_LEVEL ?= 3
# What mkdocs-material says of its successor, at every build.
export NO_MKDOCS_2_WARNING ?= 1

.PHONY: run test test-modern docs lint lock audit install stack uv clean
.DEFAULT_GOAL := run

run: install
	$(BIN)/mtlx simulate --rows $(ROWS) --out var/simulated
	$(BIN)/mtlx run configs/default.yaml

test: install
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/mkdocs build --strict
	$(BIN)/python -m pytest -n 3 --dist loadfile

lint: install
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy

# The documentation as a site, in var/site. A link that leads nowhere fails; with --quiet it would
# not, since --strict counts what is logged.
docs: install
	$(BIN)/mkdocs build --strict

stack:
	@test -n "$(CHOSEN)"
	@echo "mtlx: stack $(CHOSEN), $(wordlist 3,99,$(CHOICE))"

install: stack $(STAMP)

$(STAMP): $(LOCK) pyproject.toml | stack
	@sh install/install.sh "$(CHOSEN)" "$(LOCK)" "$(VENV)" "$(PYTHON)"
	@rm -f $(VENV)/.installed*
	@touch $@

# The whole suite on the newer stack where this machine has the older one: in a Debian 13 of its
# own. Needs root and debootstrap.
test-modern:
	sh install/debian13.sh "$(DEBIAN)" "$(TESTS)"

UV = $(shell command -v uv || echo .uv/uv)
.uv/uv:
	@python3 install/fetch_uv.py .uv
uv: $(if $(shell command -v uv),,.uv/uv)

# Certificates of the machine count for uv and for what it runs, and so does pip's index.
lock audit: export UV_SYSTEM_CERTS ?= true
ifneq ($(PIP_INDEX_URL),)
lock audit: export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
audit: export REQUESTS_CA_BUNDLE ?= $(firstword $(wildcard \
  /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt))

# Both locks, whichever stack is installed. They are resolved as of a date, so that they can be
# made again. On the older stack kfp's SDK, which goes with it, and the validator of manifests,
# which knows newer Kubernetes, are younger than the rest.
RESOLVE = $(UV) pip compile -q --no-annotate --no-header --upgrade
lock: uv
	$(RESOLVE) --universal --python-version 3.12 --exclude-newer 2026-11-20 \
	  --override requirements-overrides.txt --no-emit-package pywin32 \
	  --no-emit-package pywin32-ctypes requirements.in -o requirements.txt
	$(RESOLVE) --python-version 3.10 --exclude-newer 2025-03-01 \
	  --exclude-newer-package kfp=2025-07-01 --exclude-newer-package kfp-kubernetes=2025-07-01 \
	  --exclude-newer-package kubernetes-validate=2026-11-20 \
	  --override requirements-tfx-1.16-overrides.txt requirements-tfx-1.16.in \
	  -o requirements-tfx-1.16.txt

# Advisories come from the package index, or `make audit AUDIT="--vulnerability-service osv"`.
# A package of which it has no record fails the audit: nothing found must not mean nothing asked.
audit: uv
	$(UV) tool run pip-audit==2.10.1 --strict --disable-pip --no-deps --desc off $(AUDIT) \
	  -r $(LOCK)

clean:
	rm -rf $(VENV) .uv build var *.egg-info
