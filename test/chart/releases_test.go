package chart

import (
	"strings"
	"testing"
)

// TestTwoReleasesShareTheCRDs: those that one release has brought serve another beside it, in a namespace of its own, which
// takes them over when the first one goes. It is not parallel, as others install the CRDs as well.
func TestTwoReleasesShareTheCRDs(t *testing.T) {
	api, helm := cluster(t), helmOf(t)
	first := "--values=" + valuesFile(t, `{watchNamespaces: [one]}`)
	second := []string{"second", chart(t), "--namespace=two", "--values=" + valuesFile(t, `{watchNamespaces: [two], crds: {enabled: false}}`)}
	helm("install", "first", chart(t), first)
	helm(append([]string{"install"}, second...)...)
	crds := getCRD(t, api)
	helm("uninstall", "first")

	helm(append([]string{"upgrade", "--take-ownership", "--set=crds.enabled=true,crds.keep=false"}, second...)...)

	now := getCRD(t, api)
	if now.UID != crds.UID || now.Annotations["meta.helm.sh/release-name"] != "second" {
		t.Errorf("the CRD is %s of release %s", now.UID, now.Annotations["meta.helm.sh/release-name"])
	}
	if names := helm("list", "--short", "--namespace=two"); strings.TrimSpace(names) != "second" {
		t.Errorf("Helm knows %q", names)
	}
	helm("uninstall", "second", "--namespace=two", "--wait")
}
