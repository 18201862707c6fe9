# Blox. `make` lists what there is to make.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.DEFAULT_GOAL := help

# Packages tested at the same time: more than two starve each other's DynamoDB
# Local on the two cores that this has to work on.
TEST_PARALLEL ?= 2
SEEDS         ?= 200
FIRST         ?= 1
FUZZTIME      ?= 30s
ARGS          ?=

LAMBDAS := ingest reconcile api scheduler

# The product; its deployment and the proof of that have many dependencies which
# are none of the product's.
MODULES := . infra/cdk test/emulator

# What the functions are built for: arm64, or amd64, which Lambda calls x86_64. It
# has to be what the stack says; `make deploy` sees to that.
LAMBDA_GOARCH ?= arm64

# The same source gives the same bytes wherever it is built: neither paths nor
# the state of the checkout go in. A deploy then uploads only what changed.
LAMBDA_FLAGS := -tags lambda.norpc -trimpath -buildvcs=false -ldflags '-s -w'

# The race detector wants a C compiler, which Blox itself does not.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: bin/blox ## Run Blox and an ECS simulator on this machine (ARGS="--instances 50 ...")
	exec bin/blox local $(ARGS)

.PHONY: build
build: bin/blox $(LAMBDAS:%=dist/%/bootstrap) ## Build bin/blox and the Lambda functions, dist/*/bootstrap

# go build knows better than make what is out of date.
.PHONY: force
bin/blox: force
	go build -o $@ ./cmd/blox

dist/%/bootstrap: force
	CGO_ENABLED=0 GOOS=linux GOARCH=$(LAMBDA_GOARCH) go build $(LAMBDA_FLAGS) -o $@ ./functions/$*/bootstrap

.PHONY: test
test: ## Run the tests, on DynamoDB Local too (needs Go, Java and npm)
	@tools/preflight.sh
	@[[ -n "$(RACE)" ]] || echo "no C compiler found: testing without the race detector"
	go test $(RACE) -p $(TEST_PARALLEL) -timeout 8m ./...

.PHONY: lint
lint: bin/golangci-lint ## Run the linters and check the formatting
	for module in $(MODULES); do (cd $$module && $(CURDIR)/bin/golangci-lint run ./...); done

.PHONY: fmt
fmt: bin/gofumpt ## Format the Go code
	bin/gofumpt -l -w .

.PHONY: sim
sim: ## Simulate the whole system on virtual time (SEEDS=200 FIRST=1)
	go run ./internal/sim/cmd/sim -seeds $(SEEDS) -first $(FIRST)

.PHONY: sim-mutants
sim-mutants: ## Prove that the simulation finds known faults put into the code
	go run ./test/mutants -seeds $(SEEDS) -first $(FIRST)

.PHONY: test-simulator
test-simulator: ## Drive the ECS simulator with boto3 and the AWS CLI (needs both)
	test/ecssim-boto3/run.sh

.PHONY: bootstrap synth diff deploy rollback destroy
synth: ## Write the CloudFormation templates to infra/cdk/cdk.out (needs Node)
diff: ## Show what a deploy would change in your account
deploy: ## Deploy Blox to your account (ARGS="-c retentionDays=14"; docs/deploy.md)
rollback: ## Bring a deploy that failed half-way back to what was there before
destroy: ## Delete the stack; its tables stay unless it was deployed to let them go
bootstrap: ## Prepare an account and region for the CDK, once
bootstrap synth diff deploy rollback destroy:
	infra/cdk/stack.sh $@ $(ARGS)

.PHONY: test-cdk
# -count=1: go's cache of results does not see docs/ and api/, which lie outside
# of that module and which its tests read.
test-cdk: ## Test the stack's template (needs Node)
	cd infra/cdk && go test -count=1 -timeout 10m ./...
	infra/cdk/stack.sh synth
	infra/cdk/lint.sh

.PHONY: test-reproducible
test-reproducible: ## Build the functions twice and compare the bytes
	tools/reproducible.sh

.PHONY: test-emulator
test-emulator: ## Deploy to an emulated account and run what was deployed (needs Node, Python)
	test/emulator/run.sh

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME=30s
	FUZZTIME=$(FUZZTIME) tools/fuzz.sh

.PHONY: test-all
test-all: sim sim-mutants test-simulator test-reproducible test-cdk test-emulator fuzz ## Run all the slow proofs: the simulations, the deployment, fuzzing

.PHONY: bench
bench: ## Run the benchmarks
	go test -run '^$$' -bench . -benchmem -p 1 ./...

.PHONY: openapi
openapi: ## Write api/openapi.yaml, and its 3.0 form for API Gateway, from the code
	mkdir -p api
	go run ./functions/api/openapi > api/openapi.yaml.new
	mv api/openapi.yaml.new api/openapi.yaml
	go run ./functions/api/openapi -3.0 > api/openapi-3.0.yaml.new
	mv api/openapi-3.0.yaml.new api/openapi-3.0.yaml

.PHONY: clean
clean: ## Remove what was built (the tools in bin/ stay)
	rm -rf dist bin/blox api/*.new

# Pinned in tools/go.mod, a module of its own: the product's dependencies stay
# the product's. Built again only when a pin changes.
bin/golangci-lint: tools/go.sum
	go build -C tools -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

bin/gofumpt: tools/go.sum
	go build -C tools -o ../$@ mvdan.cc/gofumpt
