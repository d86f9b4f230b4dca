# SPDX-License-Identifier: AGPL-3.0-or-later
# Developers' targets; `make` alone lists them. Everything runs in the environment of ./luuthong.
.DEFAULT_GOAL := help
.PHONY: help demo test check fmt lock train eval eval-gate models-verify bench-consoles bench-edge bench-ingest bench-latency bench-ledger bench-peers bench-render bench-unseen chaos chaos-pressure audit sbom schemas client docs screenshots up down clean
LUUTHONG := ./luuthong
HOME_FOLDER := $(if $(LUUTHONG_HOME),$(LUUTHONG_HOME),.luuthong)
BIN := $(HOME_FOLDER)/venv/bin

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## set up and play the demonstration road through the whole system
	@$(LUUTHONG) demo

test: ## set up and run every test
	@$(LUUTHONG) test

check: ## ruff, mypy, import contracts, templates, SQL, locks, licences
	@$(LUUTHONG) check

up: ## start the local stack
	@$(LUUTHONG) up

down: ## stop the local stack
	@$(LUUTHONG) down

fmt: ## format Python and templates
	@$(LUUTHONG) setup --only python-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --exit-zero --quiet .

lock: ## resolve the hashed locks again (needs uv)
	uv pip compile -q pyproject.toml --extra edge --extra central --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate -o requirements.lock --custom-compile-command "make lock"
	uv pip compile -q pyproject.toml --extra edge --extra central --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate -o requirements-dev.lock --custom-compile-command "make lock"
	uv pip compile -q --group fuzz --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate -o requirements-fuzz.lock --custom-compile-command "make lock"
	uv pip compile -q requirements-train.lock --no-deps --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -o requirements-train.lock

train: ## train and release every model again from the data beside the project; goes on where it stopped
	@$(LUUTHONG) setup --only python
	$(BIN)/python -m models.training.environment
	for model in vehicle-detector plate-detector plate-corners plate-reader; do \
	  $(BIN)/luuthong-models train $$model && $(BIN)/luuthong-models export $$model || exit 1; \
	done

eval: ## measure the released models on unseen pictures; page and JSON go to runs/
	@mkdir -p runs
	$(BIN)/luuthong-models evaluate --html runs/evaluation.html --json-file runs/evaluation.json

eval-gate: ## hold the released models against the kept figures on the frozen pictures
	$(BIN)/luuthong-models evaluate --gate

bench-ingest: ## events per second of ingest, and the ratio to a raw COPY of the same rows
	$(BIN)/python -m tests.load.bench_ingest

bench-latency: ## milliseconds from a capture stamp to the visible row at 50, 200 and 1,000 events/s
	$(BIN)/python -m tests.load.bench_latency

bench-edge: ## frames per second of the edge on rendered gate cameras, and its memory
	$(BIN)/python -m tests.load.bench_edge

bench-render: ## plates per second that one core renders for training
	$(BIN)/python -m tests.load.bench_render

.PHONY: bench-search
bench-search: ## p50 and p99 of questions about 1 and 10 million made passages, and bytes per passage
	$(BIN)/python -m tests.load.bench_search

.PHONY: bench-scaling
bench-scaling: ## commits beside heavy reads with and without a standby, its lag, and sheets of provinces per second
	$(BIN)/python -m tests.load.bench_scaling

bench-consoles: ## what 200 open consoles cost the api, and how soon a commit reaches them
	$(BIN)/python -m tests.load.bench_consoles

bench-ledger: ## charges per second of the ledger, and the ratio to raw inserts of the same rows
	$(BIN)/python -m tests.load.bench_ledger

chaos: ## break everything in seeded runs and count what is stored (SEED=1 RUNS=20)
	$(BIN)/python -m tests.chaos.command --seed $(or $(SEED),1) --runs $(or $(RUNS),20)

.PHONY: fuzz
fuzz: ## throw changed messages at ingest's reader and keep what found a new way (MINUTES=15)
	@$(LUUTHONG) setup --only python-dev
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-fuzz.lock
	$(BIN)/python -m tests.fuzz.command --minutes $(or $(MINUTES),15)

chaos-pressure: ## take the database away under 200 events/s (MINUTES=60 TROUBLE=down or slow)
	$(BIN)/python -m tests.chaos.pressure --minutes $(or $(MINUTES),60) --trouble $(or $(TROUBLE),down)

.PHONY: rabbitmq cluster-test
rabbitmq: ## three RabbitMQ nodes on loopback until Ctrl-C
	@$(LUUTHONG) setup --only rabbitmq
	@$(BIN)/python -m deploy.rabbitmq

cluster-test: ## set up RabbitMQ, and break a cluster of it under load
	@$(LUUTHONG) setup --only python-dev --only servers --only rabbitmq
	LUUTHONG_CLUSTER_TESTS=1 $(BIN)/python -m pytest -p no:cacheprovider tests/cluster

.PHONY: bench-brokers
bench-brokers: ## confirmed and read events per second of mosquitto and of a RabbitMQ cluster
	@$(LUUTHONG) setup --only python-dev --only servers --only rabbitmq
	$(BIN)/python -m tests.load.bench_brokers

bench-unseen: ## train the vehicle detector without one source and measure it there; takes an hour
	$(BIN)/luuthong-models train vehicle-detector --without idhw

bench-peers: ## plate reading beside the peers on the same pictures; installs them apart
	$(BIN)/python -m tests.load.bench_peers

audit: ## ask whether a locked package is known to be vulnerable; says so when it can't ask
	@$(LUUTHONG) setup --only python-dev
	$(BIN)/python -m deploy.supply_chain audit

sbom: ## write CycloneDX documents of the Python and npm packages into runs/
	@$(LUUTHONG) setup --only python-dev
	$(BIN)/python -m deploy.supply_chain sbom

schemas: ## write the JSON Schemas of the messages
	$(BIN)/python -m central.contracts.schemas

screenshots: ## pictures of every page into deploy/docs/images/console
	$(LUUTHONG) test tests/system/console/screenshots.py

client: ## write the typed Python client of /v1 (api/client)
	$(BIN)/python -m deploy.client_code

docs: ## write the generated pages of deploy/docs
	$(BIN)/python -m deploy.settings_page
	$(BIN)/python -m deploy.permissions_page
	$(BIN)/python -m deploy.security_page
