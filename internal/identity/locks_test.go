package identity

import "testing"

func TestLocks(t *testing.T) {
	t.Parallel()
	here := []string{"Environment team/shop", "an endpoint"}
	for name, tc := range map[string]struct {
		reason     string
		places     []string
		account    string
		identities []string
		want       bool
	}{
		"Same":      {"two work on one config", here, "acme", []string{"hubspot/1"}, false},
		"NoClient":  {"where the environment leads is not known", here[:1], "acme", []string{"hubspot/1"}, false},
		"OtherName": {"another environment leads there as well", []string{"Environment team/other", "an endpoint"}, "acme", []string{"hubspot/1"}, false},
		"OtherKey":  {"the environment has another key by now", []string{"Environment team/shop", "another"}, "acme", []string{"hubspot/1"}, false},
		"Elsewhere": {"the same account of another environment", []string{"Environment team/staging", "another"}, "acme", []string{"hubspot/1"}, true},
		"OfAnother": {"the account is another one", here, "other", []string{"hubspot/1"}, true},
		"Identity":  {"another config", here, "acme", []string{"hubspot/2"}, true},
		"NoAccount": {"what has no account yet is nobody's", here, "", []string{"hubspot/1"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			locks := NewLocks()
			release, ok := locks.Take(here, "acme", []string{"hubspot", "hubspot/1"})
			if !ok {
				t.Fatal("nobody has it")
			}
			if _, ok := locks.Take(tc.places, tc.account, tc.identities); ok != tc.want {
				t.Errorf("%s: taken is %t, want %t", tc.reason, ok, tc.want)
			}
			release()
			if _, ok := locks.Take(tc.places, tc.account, tc.identities); !ok && !tc.want {
				t.Errorf("%s: it was released", tc.reason)
			}
		})
	}
}
