# Needs Python 3.11 (or later), its venv module, and make; everything else goes into .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
THREE := -n 3 --no-loadscope-reorder # who gets what: tests/conftest.py

.DEFAULT_GOAL := help
.PHONY: docs man help setup demo demo-animoto test test-image chaos check format bench bench-peers bench-animoto bench-animoto-run pictures lock clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 28

setup: $(READY) ## Prepare .venv (two to three minutes, once)
	@:

# The stamp is touched last: a setup that was interrupted is done again.
$(READY): pyproject.toml constraints.txt
	@PYTHON="$(PYTHON)" sh setup.sh
	@touch $@

demo: setup ## Show all of it at work: the embedded cloud, a deploy, 6,000 tasks, two workers
	@$(BIN)/cloudkon-cli demo

demo-animoto: setup ## Make three videos, and keep them in cloudkon-videos
	@$(BIN)/cloudkon-cli demo-animoto

test: setup ## Run the tests in three processes: about ten minutes
	@$(BIN)/python -m pytest $(THREE)

test-image: setup ## Make a worker's machine, boot it and let it work (needs root, debootstrap, systemd-container)
	@$(BIN)/python -m pytest -m image tests/image

chaos: setup ## Kill a hundred workers, and count what it cost: about a quarter of an hour
	@$(BIN)/python -m pytest -m long -s tests/chaos

check: setup ## Check format, lint and types, then run the tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy .
	@$(BIN)/python -m pytest $(THREE)

format: setup ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup ## Measure speed and cost
	@$(BIN)/python -m bench

bench-peers: setup ## Compare with other programs (half an hour; or ARGUMENTS='threads --rounds 1')
	@$(BIN)/python -m bench peers --install $(ARGUMENTS)

bench-animoto: setup ## Compare videos with other programs (an hour; or ARGUMENTS='--pictures 6')
	@$(BIN)/python -m bench.animoto $(ARGUMENTS)

bench-animoto-run: setup ## Make 160 videos of 60 pictures, and check each frame
	@$(BIN)/python -m bench.animoto_run

pictures: setup ## Make the pictures of the docs anew, from a real run (needs Chromium)
	@$(BIN)/python -m bench.pictures docs

docs: setup ## Build the site of the documentation, build/docs; a broken link is an error
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@$(BIN)/python -m sphinx -q -W --keep-going -b html docs build/docs
	@echo "Open build/docs/README.html"

man: setup ## Write the manual pages to build/man
	@$(BIN)/cloudkon-cli man --output build/man

lock: setup ## Resolve constraints.txt again, and the sums of what workers install
	@$(BIN)/python -m pip install --quiet uv
	@{ sed -n '/^#/p' constraints.txt; $(BIN)/uv pip compile --quiet --upgrade --python-version 3.11 --no-header \
		--no-annotate --no-emit-index-url --no-emit-find-links --extra animoto --extra cli --extra cloud --extra dev --extra docs --extra otel --extra xray pyproject.toml; \
		} > constraints.new && mv constraints.new constraints.txt
	@{ sed -n '/^#/p' ec2_worker/ami/requirements.txt; $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
		--constraint constraints.txt --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		--extra animoto --extra xray pyproject.toml; } > constraints.new && mv constraints.new ec2_worker/ami/requirements.txt

clean: ## Remove .venv, caches and packages
	@rm -rf .venv .cache build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .chalice/deployments
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
