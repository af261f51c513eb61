#!/usr/bin/env bash
# A Kubernetes cluster of one node on this machine, for `make e2e`:
#   cluster.sh check           says whether this machine can run one, and why not
#   cluster.sh up              starts it and prints the path of its kubeconfig; again, that of the one that runs
#   cluster.sh load ARCHIVE…   puts images on the node
#   cluster.sh down            ends it and removes all it left
# Needs root and Debian's packages, which it unpacks below bin/cluster: nothing is installed, as installing containerd
# would start a service and could replace another one. The node lives in namespaces of its own (see node.go), so that
# no process, mount, interface or rule of it outlives it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
home=$root/bin/cluster

say() { echo "cluster: $*" >&2; }

check() {
	local tool
	[ "$(uname -s)" = Linux ] || { say "a node needs Linux"; return 1; }
	[ "$(id -u)" = 0 ] || { say "a node needs root, for namespaces and cgroups"; return 1; }
	for tool in apt-get dpkg-deb; do
		command -v "$tool" >/dev/null || { say "containerd comes from Debian's packages, and there is no $tool"; return 1; }
	done
	unshare --net --pid --mount --fork true || { say "the kernel, or the container this runs in, allows no namespaces"; return 1; }
}

# What containerd, the CNI plugins and iptables are and link to, except the C library, which must fit the machine anyway.
packages=(containerd runc libseccomp2 containernetworking-plugins
	iptables libip4tc2 libip6tc2 libxtables12 libmnl0 libnftnl11 libnetfilter-conntrack3 libnfnetlink0)

# unpack fills $home/debian.
unpack() {
	[ -d "$home/debian" ] && return
	local scratch name
	mkdir -p "$home"
	scratch=$(mktemp -d "$home/unpacking.XXXXXX")
	trap 'rm -rf "$scratch"' RETURN
	say "unpacking ${packages[*]} below bin/cluster, once"
	download() { (cd "$scratch" && apt-get -qq download "${packages[@]}" 2>"$scratch/apt.log"); }
	download || { apt-get -qq update >&2 && download; } || {
		cat "$scratch/apt.log" >&2
		return 1
	}
	for name in "$scratch"/*.deb; do
		dpkg-deb -x "$name" "$scratch/debian"
	done
	for name in iptables ip6tables; do # links that installing makes
		ln -s xtables-nft-multi "$scratch/debian/usr/sbin/$name"
		ln -s xtables-nft-multi "$scratch/debian/usr/sbin/$name-save"
		ln -s xtables-nft-multi "$scratch/debian/usr/sbin/$name-restore"
	done
	mv "$scratch/debian" "$home/debian"
}

build() {
	mkdir -p "$home/bin"
	(cd "$here" && CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o "$home/bin/" "$@")
}

case "${1:-}" in
check) check ;;
up)
	check
	assets=$("$root/hack/controlplane/assets.sh" node)
	unpack
	say "building the rest of the node, which takes about 3 minutes the first time"
	build . ./coredns ./pause
	exec "$home/bin/cluster" -home="$home" -assets="$assets" up
	;;
load)
	shift
	exec "$home/bin/cluster" -home="$home" load "$@"
	;;
down)
	[ -d "$home" ] || exit 0 # there was none
	build .
	exec "$home/bin/cluster" -home="$home" down
	;;
*)
	sed -n 's/^#   //p' "$0" >&2
	exit 2
	;;
esac
