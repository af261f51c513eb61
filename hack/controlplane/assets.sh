#!/usr/bin/env bash
# Prints the folder that holds kube-apiserver, etcd and kubectl for tests and the demo.
# The first of these that works: $KUBEBUILDER_ASSETS; what an earlier run left in bin/k8s;
# the prebuilt envtest archive; a build from the Go modules of this folder.
# With the argument `node`, what else a node needs is there too; it is always built, as no archive has it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

say() { echo "controlplane: $*" >&2; }

controlplane=(kube-apiserver etcd kubectl)
node=(kubelet kube-proxy kube-scheduler kube-controller-manager)

# holds FOLDER BINARY… says whether all of them are there.
holds() {
	local folder=$1 binary
	shift
	for binary; do
		[ -x "$folder/$binary" ] || return 1
	done
}

# told passes on what `go build -v` says of its way to so many packages: a line for every hundred.
told() {
	awk -v total="$1" '
		function say(what) { print "controlplane: " what; fflush() }
		/^go: downloading / { if (++modules % 50 == 0) say(modules " modules downloaded"); next }
		/^[^ :]+$/ { if (++packages % 100 == 0) say(packages " of at most " total " packages compiled"); next }
		{ print; fflush() }'
}

# compile OUTPUT PACKAGE… compiles and links them into $building.
compile() {
	local total output=$1
	shift
	total=$(go list -deps "$@" | wc -l)
	say "compiling at most $total packages of $*; linking takes half a minute more"
	go build -v -trimpath -ldflags "$version_flags" -o "$building/$output" "$@" 2>&1 | told "$total"
}

# build BINARY… makes them in $building and moves them to $assets, so that what is interrupted looks like nothing.
build() {
	local version_flags="-s -w" major minor variable binary packages=()
	IFS=. read -r major minor _ <<<"${version#v}"
	for variable in gitVersion=$version gitMajor=$major gitMinor=$minor; do
		version_flags+=" -X k8s.io/component-base/version.$variable"
	done
	for binary; do
		[ "$binary" = etcd ] || packages+=("k8s.io/kubernetes/cmd/$binary")
	done
	(
		cd "$here"
		export CGO_ENABLED=0
		[ "${#packages[@]}" = $# ] || compile etcd go.etcd.io/etcd/server/v3
		compile "" "${packages[@]}"
	) >&2
	mv "$building"/* "$assets"
	say "built in $assets"
}

if [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ "${1:-}" != node ]; then
	holds "$KUBEBUILDER_ASSETS" "${controlplane[@]}" || {
		say "KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS lacks kube-apiserver, etcd or kubectl; correct it or unset it"
		exit 1
	}
	echo "$KUBEBUILDER_ASSETS"
	exit
fi

version=$(sed -n "s|^[[:space:]]*k8s.io/kubernetes \(v[0-9.]*\).*|\1|p" "$here/go.mod")
assets=$root/bin/k8s/$version
mkdir -p "$assets"
building=$(mktemp -d "$assets/building.XXXXXX")
trap 'rm -rf "$building"' EXIT

# prebuilt fetches the envtest archive, if it can be had.
prebuilt() {
	local minor=${version#v} limit=(env) setup found
	if command -v timeout >/dev/null; then # macOS has none, and waits for the network to give up
		limit=(timeout 60)
	fi
	say "looking for prebuilt binaries (at most 60 s)"
	setup=$(cd "$root" && go tool -modfile=hack/tools/go.mod -n setup-envtest) &&
		found=$("${limit[@]}" "$setup" use "${minor%.*}.x" --bin-dir "$root/bin" -p path 2>/dev/null) &&
		holds "$found" "${controlplane[@]}" &&
		cp "${controlplane[@]/#/$found/}" "$building" &&
		mv "$building"/* "$assets"
}

if ! holds "$assets" "${controlplane[@]}" && ! prebuilt; then
	say "none to be had: building kube-apiserver, kubectl and etcd $version from source, once; about 8 minutes on 2 cores"
	build "${controlplane[@]}"
fi
if [ "${1:-}" = node ] && ! holds "$assets" "${node[@]}"; then
	say "building kubelet, kube-proxy, kube-scheduler and kube-controller-manager $version, once; about 8 minutes on 2 cores"
	build "${node[@]}"
fi
echo "$assets"
