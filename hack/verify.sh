#!/usr/bin/env bash
# Fails if what is generated differs from what `make generate` makes of the code as it stands, or if a go.mod
# or go.sum is not tidy. Changes that are merely not committed yet do not matter.
set -euo pipefail
cd "$(dirname "$0")/.."

before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
cp -R api charts config docs "$before"

make generate
failed=
for folder in api charts config docs; do
	diff -ru "$before/$folder" "$folder" || failed=yes
done
if [ -n "$failed" ]; then
	echo 'verify: generated files were out of date; run `make generate` and commit what it changes' >&2
fi

for crd in config/crd/bases/*.yaml; do
	grep -q "bases/${crd##*/}$" config/crd/kustomization.yaml || {
		echo "verify: config/crd/kustomization.yaml does not list ${crd##*/}" >&2
		failed=yes
	}
	# kubectl apply keeps the whole object in an annotation, and all annotations may have 262144 bytes.
	[ "$(wc -c <"$crd")" -lt 200000 ] || {
		echo "verify: $crd has more than 200 kB, too much for kubectl apply" >&2
		failed=yes
	}
done

for module in . hack/{tools,controlplane,cluster,helm,image,kind,monitoring,prometheus} test/gitops; do
	(cd "$module" && go mod tidy -diff) || {
		echo "verify: run \`go mod tidy\` in $module and commit what it changes" >&2
		failed=yes
	}
done

# A package that has grown into a hall is divided into rooms. These three are good as they are.
while read -r folder; do
	sources=$(find "$folder" -maxdepth 1 -name '*.go' ! -name '*_test.go')
	case $folder in internal/cobalt | internal/cobalt/simulator | internal/testenv) continue ;; esac
	[ -n "$sources" ] || continue
	files=$(wc -l <<<"$sources") lines=$(xargs cat <<<"$sources" | wc -l)
	if [ "$files" -gt 12 ] || [ "$lines" -gt 1700 ]; then
		echo "verify: $folder has $files files and $lines lines, which is too much to find one's way in: 12 and 1700 are the most" >&2
		failed=yes
	fi
done < <(find internal -type d)

# Its database is on the network: 3 is a finding, anything else that it could not look.
go tool -modfile=hack/tools/go.mod govulncheck ./... || case $? in
3) failed=yes ;;
*) echo 'verify: govulncheck did not run, so nothing is known of vulnerabilities; see above' >&2 ;;
esac
[ -z "$failed" ]
