package linkedaccount

import (
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/inputs"
)

// unwritten keeps session tokens in memory that Kubernetes did not let be written, so
// that Cobalt is not asked for others each time it is tried again.
type unwritten struct {
	clock clock.PassiveClock

	mu     sync.Mutex
	tokens map[types.UID]unwrittenToken
}

// unwrittenToken is what would be in the Secret.
type unwrittenToken struct {
	data  map[string][]byte
	known tokenInfo
}

func newUnwritten(c clock.PassiveClock) *unwritten {
	return &unwritten{clock: c, tokens: map[types.UID]unwrittenToken{}}
}

// keep remembers what could not be written, and forgets what is of no use any more.
func (u *unwritten) keep(obj *v1alpha1.LinkedAccount, secret *corev1.Secret, known tokenInfo) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.clock.Now()
	maps.DeleteFunc(u.tokens, func(_ types.UID, token unwrittenToken) bool { return !token.known.Valid(now) })
	u.tokens[obj.UID] = unwrittenToken{maps.Clone(secret.Data), known}
}

func (u *unwritten) forget(uid types.UID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.tokens, uid)
}

// fill puts what could not be written into the Secret, unless the account or the time of
// its token is another by now.
func (u *unwritten) fill(obj *v1alpha1.LinkedAccount, reader *inputs.Reader, secret *corev1.Secret, known tokenInfo) tokenInfo {
	u.mu.Lock()
	defer u.mu.Unlock()
	kept, ok := u.tokens[obj.UID]
	due := !u.clock.Now().Before(kept.known.RenewAt(refreshBefore(obj)))
	if !ok || due || kept.known.Account != obj.Status.ID || kept.known.IssuedAt.Before(known.IssuedAt) {
		return known
	}
	secret.Data = maps.Clone(kept.data)
	reader.Hide(string(secret.Data[tokenKey]))
	reader.Hide(string(secret.Data[portalKey]))
	return kept.known
}
