package cobalt

import (
	"net/url"
	"path"
	"strings"
)

// Canonical returns the one spelling of all those that lead to the same endpoint:
// scheme and host in lower case, no default port, no empty, "." or ".." segments, no
// slash at the end, and nothing escaped that need not be. What is no URL of an endpoint
// stays as it is.
func Canonical(rawURL string) string {
	u, err := parseEndpoint(rawURL)
	if err != nil {
		return rawURL
	}
	segments := strings.Split(u.EscapedPath(), "/")
	for i, segment := range segments {
		if plain, err := url.PathUnescape(segment); err == nil {
			segments[i] = url.PathEscape(plain)
		}
	}
	return origin(u) + strings.TrimRight(path.Clean("/"+strings.Join(segments, "/")), "/")
}
