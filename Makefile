# Florin's commands. Each target is one line; what it does is in infra/local/.
.DEFAULT_GOAL := help
.PHONY: help run up demo down status logs mail reset test lint format pages bench chaos mutants fuzz sanitize
SHELL := /bin/bash

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## build, start the fleet, run the demo; stays up until Ctrl-C
	@exec infra/local/fleet.sh run

up: ## build and start the fleet in the background
	@exec infra/local/fleet.sh up

demo: ## the demo journey against the fleet that is up
	@exec infra/local/fleet.sh demo

down: ## stop the fleet; the data stays
	@exec infra/local/fleet.sh down

status: ## which servers are up
	@exec infra/local/fleet.sh status

logs: ## follow the servers' logs
	@exec infra/local/fleet.sh logs

mail: ## the mails that the fleet has sent
	@exec infra/local/fleet.sh mail

reset: ## stop the fleet and delete its data, keys and secrets
	@exec infra/local/fleet.sh reset

test: ## set the machine up, build, run every test
	@exec infra/local/test.sh

lint: ## formatter, scripts, marks
	@exec infra/local/lint.sh

format: ## format the Swift files in place
	@exec swift format format --in-place --recursive --parallel Package.swift Services Shared Tests

pages: ## a picture of every page that people see, in .local/pages
	@exec infra/local/pages.sh

bench: ## the benchmark tables, of transfers, events and identity (release build, about 35 minutes)
	@exec infra/load/bench.sh

chaos: ## the long form of the kill tests
	@FLORIN_CHAOS=long exec infra/local/test.sh --filter FleetTests

mutants: ## break each rule in a copy: the tests must notice (about 40 minutes at first)
	@exec infra/local/mutants.sh

fuzz: ## feed what reads bytes from outside, FUZZ_SECONDS=20 each (about 10 minutes, the first build 4 more)
	@exec infra/local/fuzz.sh

sanitize: ## drivers and races under the thread sanitizer (about 10 minutes at first, then one); infra/local/sanitize.sh address for the other
	@exec infra/local/sanitize.sh
