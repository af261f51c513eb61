package environment

import (
	"testing"
	"time"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestRenewAt(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason         string
		lifetime, left time.Duration
		want           time.Duration
	}{
		"Day":     {"refreshBefore counts", 24 * time.Hour, 4 * time.Hour, 20 * time.Hour},
		"Week":    {"refreshBefore counts", 7 * 24 * time.Hour, 4 * time.Hour, 164 * time.Hour},
		"Hour":    {"shorter than refreshBefore: a third", time.Hour, 4 * time.Hour, 20 * time.Minute},
		"Minute":  {"a third is more than the floor", time.Minute, 4 * time.Hour, 20 * time.Second},
		"Second":  {"never hot", time.Second, 4 * time.Hour, 10 * time.Second},
		"Nothing": {"never hot", 0, 4 * time.Hour, 10 * time.Second},
		"Over":    {"never hot", -time.Hour, 4 * time.Hour, 10 * time.Second},
		"Late":    {"as late as spec says", 24 * time.Hour, time.Minute, 24*time.Hour - time.Minute},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := TokenInfo{IssuedAt: noon, ExpiresAt: noon.Add(tc.lifetime)}
			if got := i.RenewAt(tc.left).Sub(noon); got != tc.want {
				t.Errorf("%s: renewed after %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

func TestLater(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason        string
		remains, want time.Duration
	}{
		"Hours":   {"half", 4 * time.Hour, 2 * time.Hour},
		"Minutes": {"no more than once a minute", 100 * time.Second, time.Minute},
		"Seconds": {"the token must not be missing for longer than need be", 30 * time.Second, 30 * time.Second},
		"Moment":  {"never hot", time.Second, 10 * time.Second},
		"Over":    {"never hot", -time.Hour, 10 * time.Second},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := TokenInfo{IssuedAt: noon.Add(-time.Hour), ExpiresAt: noon.Add(tc.remains)}.Later(noon)
			if got := i.RenewAt(time.Hour).Sub(noon); got != tc.want {
				t.Errorf("%s: asked again after %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

func TestIssued(t *testing.T) {
	t.Parallel()
	const claims = "x.eyJleHAiOjE3NzIzNzM2MDB9.x" // exp: noon and two hours
	cases := map[string]struct {
		reason string
		token  cobalt.SessionToken
		want   time.Duration
	}{
		"Told":      {"Cobalt knows best", cobalt.SessionToken{Token: claims, ExpiresIn: time.Hour}, time.Hour},
		"Claimed":   {"the token says it", cobalt.SessionToken{Token: claims}, 2 * time.Hour},
		"Padded":    {"some encoders pad", cobalt.SessionToken{Token: "x.eyJleHAiOjE3NzIzNzM2MDB9==.x"}, 2 * time.Hour},
		"Fraction":  {"a number all the same", cobalt.SessionToken{Token: "x.eyJleHAiOjE3NzIzNzM2MDAuNX0.x"}, 2 * time.Hour},
		"Opaque":    {"nobody knows", cobalt.SessionToken{Token: "opaque"}, 24 * time.Hour},
		"NoClaims":  {"nobody knows", cobalt.SessionToken{Token: "x.e30.x"}, 24 * time.Hour},
		"NoBase64":  {"nobody knows", cobalt.SessionToken{Token: "x.*.x"}, 24 * time.Hour},
		"Text":      {"nobody knows", cobalt.SessionToken{Token: "x.eyJleHAiOiJzb29uIn0.x"}, 24 * time.Hour},
		"Year30000": {"no status could show it", cobalt.SessionToken{Token: "x.eyJleHAiOjk5OTk5OTk5OTk5OX0.x"}, 24 * time.Hour},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := ReadToken("id", &tc.token, noon).ExpiresAt.Sub(noon); got != tc.want {
				t.Errorf("%s: it lasts %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}
