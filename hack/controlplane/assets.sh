#!/usr/bin/env bash
# Prints the folder that holds kube-apiserver, etcd and kubectl for tests and the demo.
# The first of these that works: $KUBEBUILDER_ASSETS; what an earlier run left in bin/k8s;
# the prebuilt envtest archive; a build from the Go modules of this folder.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

say() { echo "controlplane: $*" >&2; }

complete() {
	local binary
	for binary in kube-apiserver etcd kubectl; do
		[ -x "$1/$binary" ] || return 1
	done
}

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
	complete "$KUBEBUILDER_ASSETS" || {
		say "KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS lacks kube-apiserver, etcd or kubectl; correct it or unset it"
		exit 1
	}
	echo "$KUBEBUILDER_ASSETS"
	exit
fi

version=$(sed -n "s|^[[:space:]]*k8s.io/kubernetes \(v[0-9.]*\).*|\1|p" "$here/go.mod")
assets=$root/bin/k8s/$version
if complete "$assets"; then
	echo "$assets"
	exit
fi
mkdir -p "$assets"
building=$(mktemp -d "$assets/building.XXXXXX") # so that what is interrupted leaves nothing that looks complete
trap 'rm -rf "$building"' EXIT

say "looking for prebuilt binaries (at most 60 s)"
minor=${version#v}
minor=${minor%.*}
limit=(env)
if command -v timeout >/dev/null; then # macOS has none, and waits for the network to give up
	limit=(timeout 60)
fi
if setup=$(cd "$root" && go tool -modfile=hack/tools/go.mod -n setup-envtest) &&
	found=$("${limit[@]}" "$setup" use "$minor.x" --bin-dir "$root/bin" -p path 2>/dev/null) && complete "$found"; then
	cp "$found"/{kube-apiserver,etcd,kubectl} "$building"
	mv "$building"/* "$assets"
	echo "$assets"
	exit
fi

say "none to be had: building kube-apiserver, kubectl and etcd $version from source, once; about 8 minutes on 2 cores"
IFS=. read -r major minor _ <<<"${version#v}"
export CGO_ENABLED=0
ldflags="-s -w"
for variable in gitVersion=$version gitMajor=$major gitMinor=$minor; do
	ldflags+=" -X k8s.io/component-base/version.$variable"
done
cd "$here"
go build -trimpath -ldflags "$ldflags" -o "$building/etcd" go.etcd.io/etcd/server/v3 >&2
go build -trimpath -ldflags "$ldflags" -o "$building/" k8s.io/kubernetes/cmd/kubectl k8s.io/kubernetes/cmd/kube-apiserver >&2
mv "$building"/* "$assets"
say "built in $assets"
echo "$assets"
