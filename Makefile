# Everything a contributor or CI runs; `make` lists it. Needs Go, make, bash and git, and builds or fetches the rest.

SHELL := bash
.DEFAULT_GOAL := help

TOOL := go tool -modfile=hack/tools/go.mod
HELM := go tool -modfile=hack/helm/go.mod helm
KUBECTL ?= $(or $(shell command -v kubectl),$(shell hack/controlplane/assets.sh)/kubectl)

# The version of the binaries and the tag of the images: the chart asks for its appVersion.
TAG ?= $(shell sed -n 's/^appVersion: //p' charts/cobalt-operator/Chart.yaml)
# The date of the images is that of the commit, so that the same sources make the same images.
CREATED ?= $(or $(shell TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null),1970-01-01T00:00:00Z)

# What the images run on.
ARCHITECTURES ?= amd64 arm64

# Extra arguments of `go test`, e.g. TEST_FLAGS='-run TestLimiter -v'; TEST_PACKAGES narrows what is tested.
TEST_FLAGS ?=
TEST_PACKAGES ?= ./...
# Extra arguments of `go test` for e2e, e.g. E2E_FLAGS=-ginkgo.focus=Helm.
E2E_FLAGS ?= -v
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
clean: ## Remove what was built, except Kubernetes and the cluster of e2e, which are slow to build.
	find bin -mindepth 1 -maxdepth 1 ! -name k8s ! -name cluster -exec rm -rf {} + 2>/dev/null || true

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
	go run ./hack/chart
	go tool -modfile=hack/helm/go.mod helm-docs --chart-search-root=charts --sort-values-order=file

.PHONY: lint
lint: ## Check the code with golangci-lint, go vet included.
	$(TOOL) golangci-lint run --allow-serial-runners
	cd test/gitops && go tool -modfile=../../hack/tools/go.mod golangci-lint run --allow-serial-runners

.PHONY: lint-fix
lint-fix: ## Let golangci-lint repair what it can.
	$(TOOL) golangci-lint run --allow-serial-runners --fix

# Without TEST_FLAGS, which are of `go test`, ginkgo runs the stories in several processes on one API server. They wait
# for it most of the time, and some packages for what they start, so four of them fill a processor.
WHOLE = $(if $(TEST_FLAGS),,$(filter ./...,$(TEST_PACKAGES)))
PACKAGES = $(if $(WHOLE),$$(go list ./... | grep -v -e /test/stories -e /test/chart),$(TEST_PACKAGES))
PROCESSES = $$((4 * $$(getconf _NPROCESSORS_ONLN)))
STORIES = go tool ginkgo run --procs=$(PROCESSES) --no-color --timeout=60m
# A race fails a process all of whose stories have passed, and ginkgo would not show why.
RACES = $(CURDIR)/bin/races
# Beside the walks that are taken each time, each commit takes some that nobody has taken yet.
NEW_WALKS = 50
COMMIT_SEED = $(shell printf %d 0x$$(git rev-parse --short=8 HEAD 2>/dev/null || echo 0))

# Tests leave much garbage behind and need little memory: to collect it more seldom saves them a quarter of their time.
test test-walks test-mutants: export GOGC ?= 400

.PHONY: test
test: ## Run the tests of the code and all stories; the race detector watches all but those of many cases.
	export KUBEBUILDER_ASSETS=$$(hack/controlplane/assets.sh) && \
	go test $(RACE) -timeout 60m -p=$(PROCESSES) $(TEST_FLAGS) $(PACKAGES) \
	$(if $(WHOLE),&& echo 'New walks: make test-walks SEED=$(COMMIT_SEED) WALKS=$(NEW_WALKS) takes them again.' && rm -f $(RACES).* && \
		{ GORACE=log_path=$(RACES) WALKS=$(NEW_WALKS) SEED=$(COMMIT_SEED) $(STORIES) $(RACE) --label-filter='!enumeration' ./test/stories || \
			{ cat $(RACES).* 2>/dev/null; false; }; } && \
		$(STORIES) --label-filter=enumeration ./test/stories)

.PHONY: test-delivery
test-delivery: ## Test what delivers the operator: the chart and config, images, and what Argo CD, Helm and kstatus make of each state.
	export KUBEBUILDER_ASSETS=$$(hack/controlplane/assets.sh) && \
	go test -timeout 30m ./test/chart && go -C test/gitops test ./... && go -C hack/image test ./...

# How many walks at random test-walks takes, and the seed of the first, which is that of the commit if it is not said;
# SEED=… alone takes one again.
SEED ?=
WALKS ?= $(if $(SEED),1,1000)

.PHONY: test-walks
test-walks: ## Walk at random through specs, faults and drift, without the race detector.
	export KUBEBUILDER_ASSETS=$$(hack/controlplane/assets.sh) && \
	KNOWN=0 WALKS=$(WALKS) SEED=$(or $(SEED),$(COMMIT_SEED)) $(STORIES) --focus='A walk at random' ./test/stories

.PHONY: test-mutants
test-mutants: ## Break the operator on purpose, one rule after the other, and fail unless stories turn red.
	export KUBEBUILDER_ASSETS=$$(hack/controlplane/assets.sh) && go run ./hack/mutants

# How long each target of make fuzz is fuzzed.
FUZZTIME ?= 30s

.PHONY: fuzz
fuzz: ## Fuzz whatever reads what others have written, each target for FUZZTIME.
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z]+' api internal | sed 's/:func / /' | while read -r file target; do \
		go test "./$$(dirname "$$file")" -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) || exit; \
	done

.PHONY: e2e
e2e: ## Run test/e2e on a real cluster: that of KUBECONFIG, else one of kind, else one of hack/cluster (root on Debian).
	hack/e2e.sh $(E2E_FLAGS)

.PHONY: verify
verify: lint test-alerts ## Lint, and fail if generated files or go.mod files are not up to date, or an alert rule fails its tests.
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

# Accounts in the larger set of the benchmark; BENCH=1000 is a short one. BENCH_FLAGS are more flags of it, e.g.
# BENCH_FLAGS=-profiles=dist/profiles.
BENCH ?= 10000
BENCH_FLAGS ?=

.PHONY: bench
bench: build ## Measure the operator: one table, dist/bench.json and dist/benchmark.md; BENCH=1000 is a short one.
	go build -o bin/ ./hack/bench
	@assets=$$(hack/controlplane/assets.sh) && \
	exec bin/bench -assets "$$assets" -many $(BENCH) $(BENCH_FLAGS)

.PHONY: bench-docs
bench-docs: BENCH_FLAGS += -markdown docs/benchmark.md -readme README.md
bench-docs: bench ## Measure, and show the figures in docs/benchmark.md and README.md.

##@ Build

.PHONY: build
build: ## Build the operator and the simulator for this machine into bin/.
	go build -o bin/ ./cmd/...

.PHONY: build-all
build-all: ## Build static Linux binaries for the images into bin/linux-amd64 and bin/linux-arm64.
	for arch in $(ARCHITECTURES); do \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$arch go build -trimpath -ldflags='-s -w -X main.release=$(TAG)' \
			-o bin/linux-$$arch/ ./cmd/... || exit; \
	done

.PHONY: image
image: build-all ## Make dist/cobalt-operator.tar and dist/cobalt-simulator.tar, OCI archives for amd64 and arm64.
	go -C hack/image run . -architectures='$(ARCHITECTURES)' -binaries=$(CURDIR)/bin -out=$(CURDIR)/dist -version=$(TAG) \
		-revision=$(shell git rev-parse HEAD 2>/dev/null) -created=$(CREATED)

.PHONY: chart
chart: ## Package the Helm chart into dist/.
	$(HELM) package charts/cobalt-operator --destination dist

.PHONY: build-installer
build-installer: ## Write dist/install.yaml, with CRDs, roles and the operator, and dist/crds.yaml; IMAGE=… as for deploy.
	mkdir -p dist
	$(KUBECTL) kustomize config/crd > dist/crds.yaml
	$(WITH_IMAGE) > dist/install.yaml

##@ Install

.PHONY: install
install: ## Install the CRDs into the cluster of the current kubeconfig.
	$(KUBECTL) apply --server-side -k config/crd

.PHONY: uninstall
uninstall: ## Remove the CRDs, and with them every object of these kinds, from that cluster.
	$(KUBECTL) delete --ignore-not-found -k config/crd

# The image that deploy runs; it must be where the cluster can pull it from.
IMAGE ?= cobalt-operator:$(TAG)
WITH_IMAGE = $(KUBECTL) kustomize config/default | sed 's|image: cobalt-operator:.*|image: $(IMAGE)|'

# A namespace that is there already stays as it is: applied by the server, it would lose what somebody has applied by the client.
.PHONY: deploy
deploy: ## Install the CRDs and the operator into that cluster; IMAGE=… says which image.
	$(WITH_IMAGE) | awk 'BEGIN { RS = "---\n" } /(^|\n)kind: Namespace\n/' | $(KUBECTL) create -f - || $(KUBECTL) get namespace cobalt-operator-system
	$(WITH_IMAGE) | awk 'BEGIN { RS = ORS = "---\n" } !/(^|\n)kind: Namespace\n/' | $(KUBECTL) apply --server-side -f -

.PHONY: undeploy
undeploy: ## Remove the operator from that cluster; the CRDs and the objects stay.
	$(KUBECTL) delete --ignore-not-found -k config/operator
