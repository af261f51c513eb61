#!/usr/bin/env bash
# Runs test/e2e on a real cluster. Which one, the first of these that there is:
#   KUBECONFIG      a cluster without our CRDs; OPERATOR_IMAGE and SIMULATOR_IMAGE are NAME:TAG that it can pull
#   docker          kind makes one, with images built from this folder
#   root on Debian  hack/cluster makes one, with images built from this folder
# The last two end with the tests. Without any of them it says why and fails; with --or-skip it skips.
# Arguments after that are those of `go test`.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "e2e: $*" >&2; }

skip=
if [ "${1:-}" = --or-skip ]; then
	skip=yes
	shift
fi

kind() { go tool -modfile=hack/kind/go.mod kind "$@"; }

images() {
	export OPERATOR_IMAGE=cobalt-operator:e2e SIMULATOR_IMAGE=cobalt-simulator:e2e
	make image TAG=e2e ARCHITECTURES="$(go env GOARCH)" >&2
}
archives=(dist/cobalt-operator.tar dist/cobalt-simulator.tar)

if [ -n "${KUBECONFIG:-}" ]; then
	say "on the cluster of KUBECONFIG=$KUBECONFIG"
	: "${OPERATOR_IMAGE:?must say which image the cluster is to run}" "${SIMULATOR_IMAGE:?must say which image the cluster is to run}"
elif command -v docker >/dev/null && docker info >/dev/null 2>&1; then
	say "on a cluster that kind makes with docker"
	name=cobalt-e2e-$$
	scratch=$(mktemp -d)
	trap 'kind delete cluster --name "$name" >&2; rm -rf "$scratch"' EXIT
	export KUBECONFIG=$scratch/kubeconfig
	images
	kind create cluster --name "$name" --kubeconfig "$KUBECONFIG" --wait 3m >&2
	for archive in "${archives[@]}"; do
		kind load image-archive "$archive" --name "$name" >&2
	done
elif hack/cluster/cluster.sh check; then
	say "on a cluster that hack/cluster makes on this machine"
	trap 'hack/cluster/cluster.sh down' EXIT
	images
	KUBECONFIG=$(hack/cluster/cluster.sh up)
	export KUBECONFIG
	hack/cluster/cluster.sh load "${archives[@]}"
else
	say "no KUBECONFIG is set, docker does not run, and this machine cannot be a node: no end-to-end tests here"
	[ -n "$skip" ]
	exit
fi

go build -modfile=hack/helm/go.mod -o bin/ helm.sh/helm/v4/cmd/helm
HELM=$PWD/bin/helm
KUBECTL=$(hack/controlplane/assets.sh)/kubectl
export HELM KUBECTL
KUBECACHEDIR=$PWD/bin/kubectl-cache # not in the home of whoever runs this, where an earlier cluster may have left one
export KUBECACHEDIR
rm -rf "$KUBECACHEDIR"
go test -tags e2e -count=1 -timeout 30m ./test/e2e "$@"
