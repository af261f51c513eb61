package testenv

import "testing"

func TestTheResourceOfAPath(t *testing.T) {
	for path, want := range map[string]string{
		"/api/v1/namespaces": "namespaces", "/api/v1/namespaces/shop": "namespaces", "/api/v1/namespaces/shop/status": "namespaces",
		"/api/v1/namespaces/shop/secrets": "secrets", "/api/v1/namespaces/shop/secrets/key": "secrets",
		"/apis/cobalt.gocobalt.io/v1alpha1/namespaces/shop/webhooks/acme/status": "webhooks.cobalt.gocobalt.io",
		"/apis/cobalt.gocobalt.io/v1alpha1/clusterenvironments/default":          "clusterenvironments.cobalt.gocobalt.io",
		"/apis/events.k8s.io/v1/namespaces/shop/events":                          "events.events.k8s.io",
		"/version": "", "/": "",
	} {
		if resource := resourceOf(path); resource.String() != want {
			t.Errorf("%s is about %q, want %q", path, resource, want)
		}
	}
}
