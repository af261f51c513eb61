package linkedaccount

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/account"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/environment"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

func TestLinkedAccountMarks(t *testing.T) {
	t.Parallel()
	const created, adopted, rejected = v1alpha1.OriginCreated, v1alpha1.OriginAdopted, v1alpha1.ReasonRejected
	for name, tc := range map[string]struct {
		// id is what the status tells of, gone what is marked as vanished, remote what is in Cobalt.
		id, gone, remote string
		marked, told     v1alpha1.Origin
		reason           string
		want             v1alpha1.Origin
		wantGone         string // what is marked as vanished then
	}{
		"new":                           {want: created},
		"there before":                  {remote: "1", want: adopted},
		"as it was":                     {id: "1", remote: "1", marked: created, want: created},
		"vanished":                      {id: "1", marked: created, want: created, wantGone: "1"},
		"back again":                    {id: "1", gone: "1", remote: "1", marked: created, want: created},
		"made anew by others":           {id: "1", remote: "2", marked: created, want: adopted},
		"made anew by us, then a crash": {id: "1", gone: "1", remote: "2", marked: created, want: created, wantGone: "1"},
		"made anew by others, after Cobalt had refused us": {
			id: "1", gone: "1", remote: "2", marked: created, told: created, reason: rejected, want: adopted, wantGone: "1",
		},
		"made by others, after Cobalt had refused us": {remote: "1", marked: created, reason: rejected, want: adopted},
		"refused a change":                            {id: "1", remote: "1", marked: created, told: created, reason: rejected, want: created},
		"handed over after it was adopted":            {id: "1", remote: "1", marked: created, told: created, want: created},
		"adopted, whatever an annotation says":        {id: "1", remote: "1", marked: created, told: adopted, want: adopted},
		"of which an annotation is lost":              {id: "1", remote: "1", told: created, want: created},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			obj := &v1alpha1.LinkedAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "acme"}}
			obj.Status.ID, obj.Status.Origin = tc.id, tc.told
			obj.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Reason: tc.reason}}
			for name, value := range map[string]string{object.VanishedAnnotation: tc.gone, object.OriginAnnotation: string(tc.marked)} {
				if value != "" {
					object.SetAnnotation(obj, name, value)
				}
			}
			var remote *linkedAccount
			if tc.remote != "" {
				remote = &linkedAccount{LinkedAccount: cobalt.LinkedAccount{ID: tc.remote}}
			}
			if got := (resource{}).Origin(obj, remote); got != tc.want {
				t.Errorf("origin is %s, want %s", got, tc.want)
			}
			for name, value := range (resource{}).Annotations(obj, remote) {
				object.SetAnnotation(obj, name, value)
			}
			if got, ok := object.RecordedOrigin(obj); ok && tc.told == "" && got.Of(time.Time{}, created) != tc.want {
				t.Errorf("the annotation says %s, want %s", got, tc.want)
			}
			if got, _ := object.Annotation(obj, object.VanishedAnnotation); got != tc.wantGone {
				t.Errorf("vanished is %q, want %q", got, tc.wantGone)
			}
		})
	}
}

// TestUpdateTellsWhoHasMadeAnAccountAgain: one that has gone since it was looked at comes back by the update itself, unless
// others were faster.
func TestUpdateTellsWhoHasMadeAnAccountAgain(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		id, created string
		want        v1alpha1.Origin
	}{
		"as it was":               {id: "1", created: "2026-11-30T11:00:00Z", want: v1alpha1.OriginCreated},
		"by the call":             {id: "2", created: "2026-11-30T12:00:01Z", want: v1alpha1.OriginCreated},
		"by others":               {id: "2", created: "2026-11-30T11:59:50Z", want: v1alpha1.OriginAdopted},
		"nobody tells since when": {id: "2", want: v1alpha1.OriginAdopted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(rw).Encode(map[string]string{"_id": tc.id, "linked_account_id": "acme", "createdAt": tc.created})
			}))
			t.Cleanup(server.Close)
			api, err := cobalt.New(cobalt.Options{BaseURL: server.URL, APIKey: "key", Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			a, obj := resource{remade: account.NewRemade()}, &v1alpha1.LinkedAccount{}
			obj.Status.ID, obj.Status.Origin = "1", v1alpha1.OriginCreated
			view := &environment.Remote{Client: api, Snapshots: environment.NewSnapshots(object.EnvironmentKey{}, api, nil, clock.RealClock{})}
			wanted := &linkedAccount{LinkedAccount: cobalt.LinkedAccount{LinkedAccountID: "acme"}}
			got, _, err := a.Update(t.Context(), view, wanted, &linkedAccount{LinkedAccount: cobalt.LinkedAccount{ID: "1"}})
			if err != nil {
				t.Fatal(err)
			}
			if origin := a.Origin(obj, got); origin != tc.want {
				t.Errorf("origin is %s, want %s", origin, tc.want)
			}
			a.Publish(obj, wanted, got)
			if gone := a.remade.IsGone(client.ObjectKeyFromObject(obj), "1"); gone != (tc.id != "1") {
				t.Errorf("what is made for the account that was there before is held back: %t", gone)
			}
		})
	}
}
