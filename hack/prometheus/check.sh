#!/usr/bin/env bash
# Checks and tests the alert rules, and checks the queries of the dashboard, with the promtool of this module.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=$(sed -n 's|^[[:space:]]*github.com/prometheus/prometheus \(v[0-9.]*\).*|\1|p' hack/prometheus/go.mod)
promtool=bin/promtool-$version
if ! [ -x "$promtool" ]; then
	echo "prometheus: building promtool $version, once; this takes some minutes" >&2
	# Without the discovery of scrape targets in two dozen clouds, which rules do not need.
	go -C hack/prometheus build -tags remove_all_sd \
		-o "$PWD/$promtool" github.com/prometheus/prometheus/cmd/promtool
fi

queries=$(mktemp)
trap 'rm -f "$queries"' EXIT
go run ./hack/metrics queries >"$queries"
"$promtool" check rules --lint=all --lint-fatal charts/cobalt-operator/files/alerts.yaml "$queries"
"$promtool" test rules hack/prometheus/alerts-test.yaml
