package cobalt

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const maxRedirects = 3

// Origin returns the scheme, host and port of rawURL as scheme://host[:port],
// in lower case and without the scheme's default port. Its errors are for the
// person who typed the URL, and do not repeat it.
func Origin(rawURL string) (string, error) {
	u, err := parseEndpoint(rawURL)
	if err != nil {
		return "", err
	}
	return origin(u), nil
}

func parseEndpoint(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case !strings.EqualFold(u.Scheme, "http") && !strings.EqualFold(u.Scheme, "https"), u.Hostname() == "":
		return nil, errors.New("must be absolute and start with https:// or http://")
	case u.User != nil:
		return nil, errors.New("must not contain a user name or password")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return nil, errors.New("has a port outside 1 to 65535")
		}
	}
	return u, nil
}

func origin(u *url.URL) string {
	scheme, host, port := strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()
	if n, err := strconv.Atoi(port); err == nil {
		port = strconv.Itoa(n) // "0443" is 443
	}
	switch {
	case scheme == "https" && port == "443", scheme == "http" && port == "80":
		port = ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return scheme + "://" + host
}

// stayHome follows redirects of reads within their origin. All others it
// hands back as the answer: a write could be repeated, the API key sent to a
// stranger.
func stayHome(next *http.Request, via []*http.Request) error {
	first := via[0]
	if first.Method != http.MethodGet || len(via) > maxRedirects || origin(next.URL) != origin(first.URL) {
		return http.ErrUseLastResponse
	}
	return nil
}

const connectTimeout = 10 * time.Second // and as long again for TLS

var errHandshake = errors.New("the TLS handshake timed out")

// dial is the dialing function of a net.Dialer.
type dial func(ctx context.Context, network, address string) (net.Conn, error)

// newTransports returns one that keeps connections and one that makes a new one
// for each call. Both speak HTTP/1.1 only: what HTTP/2 would gain at some calls a
// second is not worth it that net/http by itself repeats what a server resets, and
// that all calls hang on one connection that may be dead without anybody noticing.
func newTransports(o Options) (kept, fresh http.RoundTripper, err error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(o.CABundle) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(o.CABundle) {
			return nil, nil, errors.New("CA bundle: contains no PEM certificate")
		}
	}
	connect := o.dial
	if connect == nil {
		connect = (&net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	keeping := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            counting(connect),
		DialTLSContext:         counting(connect.secured(config)),
		TLSClientConfig:        config, // of connections through a proxy
		TLSHandshakeTimeout:    connectTimeout,
		Protocols:              new(http.Protocols),
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    32, // as many as workers may call at once
		IdleConnTimeout:        cmp.Or(o.IdleTimeout, defaultIdleTimeout),
		MaxResponseHeaderBytes: 64 << 10,
	}
	keeping.Protocols.SetHTTP1(true)
	closing := keeping.Clone()
	closing.DisableKeepAlives = true
	return keeping, closing, nil
}

// secured dials and speaks TLS.
func (d dial) secured(config *tls.Config) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		plain, err := d(ctx, network, address)
		if err != nil {
			return nil, err
		}
		own := config.Clone()
		if own.ServerName, _, err = net.SplitHostPort(address); err != nil {
			return nil, errors.Join(err, plain.Close())
		}
		ctx, cancel := context.WithTimeoutCause(ctx, connectTimeout, errHandshake)
		defer cancel()
		conn := tls.Client(plain, own)
		if err := conn.HandshakeContext(ctx); err != nil {
			_ = plain.Close()
			if errors.Is(context.Cause(ctx), errHandshake) {
				return nil, errHandshake
			}
			return nil, err
		}
		return conn, nil
	}
}

// counting dials connections that count what is written on them.
func counting(d dial) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &countedConn{Conn: conn}, nil
	}
}

// countedConn counts the bytes that were written on it.
type countedConn struct {
	net.Conn
	written atomic.Int64
	// may is asked before something is written for the present request.
	may atomic.Pointer[func() error]
}

func (c *countedConn) Write(p []byte) (int, error) {
	if may := c.may.Load(); may != nil && *may != nil {
		if err := (*may)(); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

// countOf returns what counts the bytes of requests on conn, nil if nothing does.
func countOf(conn net.Conn) *countedConn {
	if secure, ok := conn.(*tls.Conn); ok { // through a proxy
		conn = secure.NetConn()
	}
	counted, _ := conn.(*countedConn)
	return counted
}
