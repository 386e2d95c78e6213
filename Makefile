# `make` prints this list. Every target makes the environment first when it must; nothing here is longer than two lines.
.DEFAULT_GOAL := help
PY := .venv/bin/python
READY := python3 tools/environment.py
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help run demo run-one token test check fix trace bench contracts migration seed new-service docs lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: ## everything on http://127.0.0.1:8080 (PORT=…, BUS=rabbitmq); Ctrl-C stops it
	@$(READY) && exec $(PY) tools/run.py

demo: ## one life through the running suite, step by step
	@$(READY) && exec $(PY) tools/demo.py

run-one: ## one service alone: make run-one S=employment-registry
	@$(READY) && exec $(PY) tools/run.py --only $(S)

token: ## a token for run-one: make token ROLE=reviewer REGION=440106, or LEVEL=2
	@$(READY) && ROLE=$(ROLE) LEVEL=$(LEVEL) REGION=$(REGION) $(PY) tools/development_token.py

test: ## every test; brings its own PostgreSQL and RabbitMQ
	@$(READY) && $(PY) -m pytest -n 2 --dist loadgroup -q

check: ## style, types, import rules, generated files fresh
	@$(READY) && $(PY) tools/check.py

fix: ## let ruff mend what it can
	@$(READY) && .venv/bin/ruff check --fix -q . ; .venv/bin/ruff format -q .

trace: ## the clauses without a test
	@$(READY) && $(PY) tools/trace.py

bench: ## the figures: make bench B=events (benchmarks/README.md lists them)
	@$(READY) && $(PY) benchmarks/$(B).py

contracts: ## write contracts/ from the code
	@$(READY) && $(PY) tools/contracts.py

migration: ## a new migration: make migration S=identity M="passkeys"
	@$(READY) && $(PY) tools/migration.py "$(S)" "$(M)"

seed: ## demo rows again: make seed S=identity
	@$(READY) && $(PY) tools/run.py --seed $(S)

new-service: ## a seventh service: make new-service N=training-subsidy T=职业培训补贴
	@$(READY) && $(PY) tools/new_service.py $(N) $(T)

docs: ## write what is generated from settings and directives (docs/, ConfigMaps)
	@$(READY) && $(PY) tools/docs.py && $(PY) tools/config_maps.py

lock: ## compile the hashed locks from the rooms' declarations
	@$(READY) && $(PY) tools/lock.py

clean: ## forget the environment and the state of make run
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis
