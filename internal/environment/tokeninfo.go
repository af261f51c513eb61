package environment

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// TokenInfo is what is known of a session token beside the token. The Secret that
// holds the token carries it in an annotation, so that it outlives the status
// and can be seen in the cache.
type TokenInfo struct {
	// Account is Cobalt's id of the account: its tokens end with it.
	Account   string    `json:"account"`
	IssuedAt  time.Time `json:"issuedAt"`
	ExpiresAt time.Time `json:"expiresAt"`
	// RetryAt is when to ask again after Cobalt gave no later token; usually zero.
	RetryAt time.Time `json:"retryAt,omitzero"`
	// Portal tells that there is a portal URL beside the token.
	Portal bool `json:"portal,omitempty"`
}

const (
	// shortestRenewal is how soon another token is asked for at the earliest. A
	// token that lives for less is missing until then: the operator is no place
	// for tokens of seconds.
	shortestRenewal = 10 * time.Second
	// shortestRetry is the same while the present token is good and Cobalt has
	// no later one, unless the token ends before.
	shortestRetry = time.Minute
	// assumedLifetime is that of tokens that do not tell.
	assumedLifetime = 24 * time.Hour
	// UsualRefresh is refreshBefore if spec does not say.
	UsualRefresh = 4 * time.Hour
)

// ReadToken is what is known of a token that Cobalt answered with just now.
func ReadToken(account string, token *cobalt.SessionToken, now time.Time) TokenInfo {
	expires := now.Add(assumedLifetime)
	if token.ExpiresIn > 0 {
		expires = now.Add(token.ExpiresIn)
	} else if claimed := expiryClaim(token.Token); !claimed.IsZero() {
		expires = claimed
	}
	// Whole seconds, as annotations and status show them.
	return TokenInfo{Account: account, IssuedAt: now.UTC().Truncate(time.Second), ExpiresAt: expires.UTC().Truncate(time.Second)}
}

// Valid tells whether the token is good at a time.
func (i TokenInfo) Valid(now time.Time) bool { return now.Before(i.ExpiresAt) }

// RenewAt is when another token is to be asked for.
func (i TokenInfo) RenewAt(refreshBefore time.Duration) time.Time {
	if !i.RetryAt.IsZero() {
		return i.RetryAt
	}
	lifetime := i.ExpiresAt.Sub(i.IssuedAt)
	return i.IssuedAt.Add(max(lifetime/3, lifetime-refreshBefore, shortestRenewal))
}

// Later is i with the time of the next try, after Cobalt was asked for another
// token and gave none that lasts longer: half of what remains.
func (i TokenInfo) Later(now time.Time) TokenInfo {
	remains := i.ExpiresAt.Sub(now)
	pause := max(remains/2, min(shortestRetry, remains), shortestRenewal)
	i.RetryAt = now.Add(pause).UTC().Truncate(time.Second)
	return i
}

// expiryClaim is when a JSON Web Token says it ends; zero if token is none, or
// does not say. The signature is Cobalt's business.
func expiryClaim(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Exp float64 `json:"exp"`
	}
	if json.Unmarshal(text, &claims) != nil || claims.Exp <= 0 || claims.Exp > latestExpiry {
		return time.Time{}
	}
	return time.Unix(int64(claims.Exp), 0)
}

// latestExpiry is the end of the year 9999, the last that RFC 3339 can write.
const latestExpiry = 253402300799
