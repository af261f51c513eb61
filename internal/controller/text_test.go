package controller

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

func TestTextOf(t *testing.T) {
	t.Parallel()
	const spaced = " token "
	for content, want := range map[string]string{
		spaced: spaced, "token": "token", "token\n": "token", "token\r\n": "token", "\ufefftoken": "token", "\ufefftoken\r\n": "token",
		"token\n\n": "token\n", "two\nlines\n": "two\nlines", "token\r": "token\r", "": "", "\n": "",
	} {
		if got := textOf(content); got != want {
			t.Errorf("%q is sent as %q, want %q", content, got, want)
		}
	}
}

// TestCredentialsAreRememberedAsTheyStandInTheSecret: what is sent of them must not matter
// for whether they were sent, or else an upgrade would send all of them again.
func TestCredentialsAreRememberedAsTheyStandInTheSecret(t *testing.T) {
	t.Parallel()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "oauth"}, Data: map[string][]byte{
		"token": []byte("\ufeffhunter2\r\n"), "whole.json": []byte("{\"text\":\"a\\n\"}\n"),
	}}
	store := inputStore{contents: fake.NewClientBuilder().WithObjects(secret).Build()}
	for key, want := range map[string]struct{ sent, remembered string }{
		"":           {`{"token":"hunter2","whole.json":"{\"text\":\"a\\n\"}"}`, "{\"token\":\"\ufeffhunter2\\r\\n\",\"whole.json\":\"{\\\"text\\\":\\\"a\\\\n\\\"}\\n\"}"},
		"whole.json": {`{"text":"a\n"}`, "{\"text\":\"a\\n\"}\n"},
	} {
		token, remembered, err := readCredentials(t.Context(), store.open(), "default", v1alpha1.CredentialsReference{Name: "oauth", Key: key})
		if err != nil || string(token) != want.sent || string(remembered) != want.remembered {
			t.Errorf("%v: %s is sent, want %s; %s is remembered, want %s", err, token, want.sent, remembered, want.remembered)
		}
	}
}
