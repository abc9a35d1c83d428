# Scaled Prometheus: the commands are the same for people, CI and scripts. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

STACK ?= dev
ONLY ?=
Q ?= count({__name__=~".+"})
ARGS ?=

NODE := node --require tsx/cjs
LOCAL := $(NODE) local/cli.ts
TOOL := $(NODE) tools/cli.ts

export STACK ONLY Q

.PHONY: help up down status feed feed-check query preview cluster cluster-down doctor check test test-full e2e docs \
        chaos oracle policies fixtures format bench-program bench-query bench-ring bench-exporter

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'
	@echo "  variables: STACK=$(STACK) (dev, single, prod), ONLY=suite for e2e, Q='promql' for query, ARGS='more flags'"

node_modules/.installed: package.json package-lock.json model/package.json services/package.json
	@echo "==> npm packages (from the lockfile)" >&2
	@npm ci --ignore-scripts --no-fund --no-audit --loglevel=error >&2
	@touch $@

up: node_modules/.installed ## main job: tools, cluster, pulumi up, a Magma-sized feed, and the answer to a query
	@$(LOCAL) exec --stack $(STACK) -- $(TOOL) up $(STACK) $(ARGS)

down: node_modules/.installed ## take the stack away, and the local cluster with it (a protected stack: CONFIRM=<stack>)
	@$(LOCAL) exec --stack $(STACK) --if-running -- $(TOOL) down $(STACK) $(ARGS)
	@$(LOCAL) cluster-down --stack $(STACK)

status: node_modules/.installed ## what runs, where, how full, how to reach it
	@$(LOCAL) exec --stack $(STACK) -- $(TOOL) status $(STACK) $(ARGS)

feed: node_modules/.installed ## a Magma-sized feed with a ledger (ARGS='--rounds 5 --interval 60s')
	@$(LOCAL) exec --stack $(STACK) -- $(TOOL) feed $(STACK) $(ARGS)

feed-check: node_modules/.installed ## compare the root's answers with the newest feed's ledger
	@$(LOCAL) exec --stack $(STACK) -- $(TOOL) check $(STACK) $(ARGS)

query: node_modules/.installed ## ask the root: make query Q='count(up)'
	@$(LOCAL) exec --stack $(STACK) -- $(TOOL) query $(STACK) "$$Q" $(ARGS)

preview: node_modules/.installed ## readable preview, and the history that a step would make unqueryable
	@$(LOCAL) exec --stack $(STACK) -- $(TOOL) preview $(STACK) $(ARGS)

cluster: node_modules/.installed ## the local cluster alone
	@$(LOCAL) cluster

cluster-down: node_modules/.installed ## take the local cluster away with everything in it
	@$(LOCAL) cluster-down

doctor: node_modules/.installed ## what is missing on this machine and how to get it
	@$(LOCAL) doctor

check: node_modules/.installed ## fast tier: format, lint, types, imports, unused code, docs, unit tests
	@$(NODE) test/run.ts check

test: node_modules/.installed ## check + a short form of every suite on one cluster
	@$(NODE) test/run.ts test

test-full: node_modules/.installed ## benchmarks and long forms (resumable on the same sources)
	@$(NODE) test/run.ts full

e2e: node_modules/.installed ## suites on the local cluster or KUBECONFIG: make e2e ONLY=main
	@$(NODE) test/run.ts e2e $(ONLY)

chaos: node_modules/.installed ## faults under a feed on the local cluster: make chaos ONLY=hub-hung (SUITE_FORM=short: the quick ones)
	@$(NODE) test/run.ts chaos $(ONLY)

oracle: node_modules/.installed ## thousands of PromQL queries through root and frontend beside one Prometheus (ORACLE_SEED=n)
	@$(NODE) test/run.ts oracle

policies: node_modules/.installed ## the policy pack over every stack, in this process (through the CLI: make preview)
	@$(NODE) test/policies.ts

docs: node_modules/.installed ## regenerate the configuration reference and the pictures of docs/
	@$(NODE) tools/docs.ts

fixtures: node_modules/.installed ## regenerate the inventories and previews of the suite stacks (needs pulumi only)
	@$(LOCAL) exec --no-cluster -- $(NODE) test/echo/record.ts

format: node_modules/.installed ## format every file
	@npx prettier --write --log-level warn .

bench-program: node_modules/.installed ## program start to registered resources, beside an empty program
	@$(NODE) bench/program.ts

bench-query: node_modules/.installed ## the query path on N shards beside one Prometheus and plain Thanos (ARGS='--quick', '--help')
	@$(LOCAL) exec --no-cluster --servers -- $(NODE) bench/query.ts $(ARGS)

bench-ring: node_modules/.installed ## hashing schemes on Magma's fleet: balance, movement, failover, lookup time
	@$(NODE) bench/ring.ts

bench-exporter: node_modules/.installed ## samples a second and core of the exporter beside the edge hub (ARGS='--quick', '--help')
	@$(LOCAL) exec --no-cluster --servers -- $(NODE) bench/exporter.ts $(ARGS)
