package cobalt_test

import (
	"testing"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

func TestCanonicalIsOneForAllSpellings(t *testing.T) {
	t.Parallel()
	const usual = "https://api.gocobalt.io/api/v2"
	cases := map[string]struct{ reason, url, want string }{
		"Usual":     {"it stays as it is", usual, usual},
		"Slash":     {"a slash at the end says nothing", usual + "/", usual},
		"Slashes":   {"nor do more of them", "https://api.gocobalt.io//api///v2//", usual},
		"Port":      {"the default port says nothing", "https://api.gocobalt.io:443/api/v2", usual},
		"Zeros":     {"a port is a number", "https://api.gocobalt.io:0443/api/v2", usual},
		"OtherPort": {"another port is another place", "https://api.gocobalt.io:8443/api/v2", "https://api.gocobalt.io:8443/api/v2"},
		"HTTP":      {"each scheme has its default port", "http://API.example:80/api", "http://api.example/api"},
		"Case":      {"scheme and host have no case", "HTTPS://API.GoCobalt.io/api/v2", usual},
		"PathCase":  {"the path has", "https://api.gocobalt.io/API/v2", "https://api.gocobalt.io/API/v2"},
		"Dots":      {"dots are resolved", "https://api.gocobalt.io/./x/../api/v2", usual},
		"Escaped":   {"what is escaped for nothing is not", "https://api.gocobalt.io/%61pi/v2", usual},
		"Needed":    {"what has to be escaped stays so", "https://api.gocobalt.io/a%2fb", "https://api.gocobalt.io/a%2Fb"},
		"Root":      {"a host alone", "https://api.gocobalt.io/", "https://api.gocobalt.io"},
		"IPv6":      {"brackets stay", "http://[::1]:80/api", "http://[::1]/api"},
		"None":      {"no URL stays as it is", "api.gocobalt.io", "api.gocobalt.io"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := cobalt.Canonical(tc.url); got != tc.want {
				t.Errorf("%s: %s is %s, want %s", tc.reason, tc.url, got, tc.want)
			}
			if again := cobalt.Canonical(tc.want); again != tc.want {
				t.Errorf("%s: the canonical form becomes %s", tc.reason, again)
			}
		})
	}
}
