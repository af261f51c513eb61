package memory

import (
	"context"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// liveAt is an API server that has version of an account, and counts who asks; an empty
// version is none.
func liveAt(t *testing.T, version string) (live client.Client, asked *int) {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	asked = new(int)
	builder := fake.NewClientBuilder().WithScheme(scheme)
	if version != "" {
		builder = builder.WithObjects(accountAt(version))
	}
	return builder.WithInterceptorFuncs(interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, options ...client.GetOption) error {
			*asked++
			return c.Get(ctx, key, obj, options...)
		},
	}).Build(), asked
}

func accountAt(version string) *v1alpha1.LinkedAccount {
	return &v1alpha1.LinkedAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "acme", UID: "uid", ResourceVersion: version}}
}

// TestLagsEnd: a cache that is behind is waited for, but not for versions that are gone
// because the API server was restored from a backup.
func TestLagsEnd(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		live   string
		lags   bool
		asked  int
	}{
		"Restored":      {"the version that was seen will never come", "700", false, 1},
		"Behind":        {"it will come; each pause is as long as all before", "1000", true, 4},
		"FurtherBehind": {"others have written since", "1001", true, 4},
		"Gone":          {"the cache will hear of it", "", true, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			live, asked := liveAt(t, tc.live)
			times, cached, now := NewStore(nil, 0, LongestPause), accountAt("700"), time.Now()
			key := client.ObjectKeyFromObject(cached)
			times.Set(key, Memory{Usual: Usual{UID: "uid", Seen: "1000", Ready: true}})
			lags := true
			for range 250 { // fifty seconds
				var err error
				if lags, err = times.Lags(t.Context(), live, cached, now); err != nil {
					t.Fatal(err)
				}
				if !lags && *asked == 0 {
					t.Fatal("it was not waited for")
				}
				now = now.Add(200 * time.Millisecond)
			}
			if lags != tc.lags || *asked != tc.asked {
				t.Errorf("%s: lags %t, want %t; asked %d times, want %d", tc.reason, lags, tc.lags, *asked, tc.asked)
			}
			if !times.Get(key, "uid").Ready {
				t.Error("what else is known of the object is forgotten")
			}
		})
	}
}

// TestLagsAreOver: the next one is waited for like the first.
func TestLagsAreOver(t *testing.T) {
	t.Parallel()
	live, asked := liveAt(t, "1000")
	times, now := NewStore(nil, 0, LongestPause), time.Now()
	times.Set(client.ObjectKeyFromObject(accountAt("")), Memory{Usual: Usual{UID: "uid", Seen: "1000"}})
	for range 3 {
		for _, version := range []string{"700", "1000"} {
			if lags, err := times.Lags(t.Context(), live, accountAt(version), now); err != nil || lags != (version == "700") {
				t.Errorf("%v: version %s lags %t", err, version, lags)
			}
			now = now.Add(object.LongestLag - time.Second)
		}
	}
	if *asked > 0 {
		t.Errorf("the API server was asked %d times", *asked)
	}
}
