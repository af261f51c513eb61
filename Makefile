# Everything a contributor or CI runs; `make` lists it. Needs Go, make, bash and git, and builds or fetches the rest.

SHELL := bash
.DEFAULT_GOAL := help

TOOL := go tool -modfile=hack/tools/go.mod
KUBECTL ?= kubectl

# Extra arguments of `go test`, e.g. TEST_FLAGS='-run TestLimiter -v'; TEST_PACKAGES narrows what is tested.
TEST_FLAGS ?=
TEST_PACKAGES ?= ./...
# The race detector needs cgo, which Go turns off where there is no C compiler.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

# ONCE=1 has the demo end as soon as every sample is Ready.
ONCE ?=

##@ General

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN { FS = ":.*## "; print "usage: make TARGET" } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z][a-z-]*:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: clean
clean: ## Remove what was built, except the control plane in bin/k8s, which is slow to build.
	find bin -mindepth 1 -maxdepth 1 ! -name k8s -exec rm -rf {} + 2>/dev/null || true

##@ Develop

.PHONY: generate
generate: ## Generate code, CRDs, roles and reference pages from what they are made of.
	$(TOOL) controller-gen object:headerFile=hack/boilerplate.go.txt paths=./api/...
	$(TOOL) controller-gen crd paths=./api/... output:crd:dir=config/crd/bases
	$(TOOL) controller-gen rbac:roleName=manager-role paths=./internal/controller/... output:rbac:dir=config/rbac
	gofmt -w api
	go run ./hack/reasons api/v1alpha1/conditions.go > docs/reasons.md
	go run ./hack/argocd config/argocd/resource_customizations/cobalt.gocobalt.io/_ > config/argocd/argocd-cm.yaml
	$(TOOL) crd-ref-docs --source-path=api/v1alpha1 --config=hack/apidocs/config.yaml --templates-dir=hack/apidocs --renderer=markdown --output-path=docs/api.md --log-level=ERROR
	go run ./hack/metrics docs > docs/metrics.md
	go run ./hack/metrics dashboard > charts/cobalt-operator/files/dashboard.json

.PHONY: lint
lint: ## Check the code: go vet, then golangci-lint with .golangci.yml.
	go vet ./...
	$(TOOL) golangci-lint run
	cd test/gitops && go vet ./... && go tool -modfile=../../hack/tools/go.mod golangci-lint run

.PHONY: lint-fix
lint-fix: ## Let golangci-lint repair what it can.
	$(TOOL) golangci-lint run --fix

.PHONY: test
test: ## Run all tests, with the race detector where there is a C compiler.
	assets=$$(hack/controlplane/assets.sh) && \
	KUBEBUILDER_ASSETS=$$assets go test $(RACE) -timeout 40m $(TEST_FLAGS) $(TEST_PACKAGES) \
	$(if $(filter ./...,$(TEST_PACKAGES)),&& cd test/gitops && KUBEBUILDER_ASSETS=$$assets go test $(TEST_FLAGS) ./...)

.PHONY: verify
verify: test-alerts ## Fail if generated files or go.mod files are not up to date, or an alert rule fails its tests.
	hack/verify.sh

.PHONY: test-alerts
test-alerts: ## Check and test the alert rules with promtool, which is built on first use.
	hack/prometheus/check.sh

##@ Run

.PHONY: demo
demo: build ## Run everything on this machine and apply config/samples; ONCE=1 ends when all are Ready.
	go build -o bin/ ./hack/demo
	@assets=$$(hack/controlplane/assets.sh) && \
	exec bin/demo --assets "$$assets" $(if $(filter-out 0 false,$(ONCE)),--once)

# Accounts in the larger set of the benchmark; BENCH=1000 is a short one. BENCH_PAGE is where its page goes, and
# BENCH_FLAGS are more flags of it, e.g. BENCH_FLAGS=-profiles=dist/profiles.
BENCH ?= 10000
BENCH_PAGE ?= dist/benchmark.md
BENCH_FLAGS ?=

.PHONY: bench
bench: build ## Measure the operator: one table, dist/bench.json and dist/benchmark.md; BENCH=1000 is a short one.
	go build -o bin/ ./hack/bench
	@assets=$$(hack/controlplane/assets.sh) && \
	exec bin/bench -assets "$$assets" -many $(BENCH) -markdown $(BENCH_PAGE) $(BENCH_FLAGS)

##@ Build

.PHONY: build
build: ## Build the operator and the simulator for this machine into bin/.
	go build -o bin/ ./cmd/...

.PHONY: build-all
build-all: ## Build static Linux binaries for the images into bin/linux-amd64 and bin/linux-arm64.
	for arch in amd64 arm64; do \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$arch go build -trimpath -ldflags='-s -w' -o bin/linux-$$arch/ ./cmd/... || exit; \
	done

##@ Install

.PHONY: install
install: ## Install the CRDs into the cluster of the current kubeconfig.
	$(KUBECTL) apply --server-side -k config/crd

.PHONY: uninstall
uninstall: ## Remove the CRDs, and with them every object of these kinds, from that cluster.
	$(KUBECTL) delete --ignore-not-found -k config/crd

# The image that deploy runs; it must be where the cluster can pull it from.
IMAGE ?= cobalt-operator:latest

.PHONY: deploy
deploy: ## Install the CRDs and the operator into that cluster; IMAGE=… says which image.
	$(KUBECTL) kustomize config/default | sed 's|image: cobalt-operator:latest|image: $(IMAGE)|' | $(KUBECTL) apply --server-side -f -

.PHONY: undeploy
undeploy: ## Remove the operator from that cluster; the CRDs and the objects stay.
	$(KUBECTL) delete --ignore-not-found -k config/operator
