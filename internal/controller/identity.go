package controller

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// realm is an endpoint with a key: what a Cobalt environment is to a client. It
// can be recognised, and not be read.
type realm struct{ baseURL, key string }

// String keeps the key out of whatever prints a realm.
func (realm) String() string { return redacted }

// record returns a text by which the realm is recognised later.
func (r *realm) record() string {
	salt := rand.Text()
	return salt + ":" + r.digest(salt)
}

// is tells whether a record was made of this realm.
func (r *realm) is(record string) bool {
	salt, digest, ok := strings.Cut(record, ":")
	return ok && hmac.Equal([]byte(digest), []byte(r.digest(salt)))
}

func (r *realm) digest(salt string) string {
	mac := hmac.New(sha256.New, []byte(salt))
	_, _ = fmt.Fprintf(mac, "%s\x00%s", strings.TrimRight(r.baseURL, "/"), r.key)
	return hex.EncodeToString(mac.Sum(nil))
}

// rivals returns the other live objects that stand for the same thing in Cobalt
// as obj does: with the same identity, in the same realm, and managed.
func (r *Reconciler[T, R]) rivals(ctx context.Context, obj T) ([]Object, error) {
	if obj.CommonSpec().ManagementPolicy == v1alpha1.ManagementPolicyReadOnly {
		return nil, nil
	}
	list := r.list.DeepCopyObject().(client.ObjectList)
	identity := client.MatchingFields{identityIndex: r.Resource.Identity(obj)}
	if err := r.client.List(ctx, list, identity, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list objects of the same identity: %w", err)
	}
	var rivals []Object
	err := meta.EachListItem(list, func(item runtime.Object) error {
		other := item.(Object)
		if other.GetUID() == obj.GetUID() || !other.GetDeletionTimestamp().IsZero() ||
			other.CommonSpec().ManagementPolicy == v1alpha1.ManagementPolicyReadOnly {
			return nil
		}
		same, err := r.environments.sameRealm(ctx, environmentOf(obj), environmentOf(other))
		if id := obj.CommonStatus().ID; id != "" && id == other.CommonStatus().ID {
			same = true // by another key of the same environment
		}
		if same && err == nil && r.environments.mayUse(ctx, other) {
			rivals = append(rivals, other)
		}
		return err
	})
	return rivals, err
}

// older orders objects of one identity: the first of them is the one that counts.
func older(a, b Object) int {
	return cmp.Or(a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time), cmp.Compare(a.GetUID(), b.GetUID()))
}

// winner is the one of several live objects of one identity that counts.
func winner(obj Object, rivals []Object) Object {
	return slices.MinFunc(append([]Object{obj}, rivals...), older)
}

// namesakes finds the objects of the same identity as one that has changed.
func (r *Reconciler[T, R]) namesakes(ctx context.Context, changed client.Object) []reconcile.Request {
	list := r.list.DeepCopyObject().(client.ObjectList)
	identity := client.MatchingFields{identityIndex: r.Resource.Identity(changed.(T))}
	if err := r.client.List(ctx, list, identity, client.UnsafeDisableDeepCopy); err != nil {
		return nil // only a cache that is stopping fails
	}
	var requests []reconcile.Request
	_ = meta.EachListItem(list, func(item runtime.Object) error { // the function never fails
		if other := item.(client.Object); other.GetUID() != changed.GetUID() {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(other)})
		}
		return nil
	})
	return requests
}
