package environment

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
	"github.com/cobalt-operator/cobalt-operator/internal/object/objecttest"
	"github.com/cobalt-operator/cobalt-operator/internal/snapshot"
)

// running is a trigger of account acme that follows an execution.
func running(environment, execution string) *v1alpha1.EventTrigger {
	obj := &v1alpha1.EventTrigger{}
	obj.Name, obj.Namespace, obj.Spec.EnvironmentRef.Name = execution, "team", environment
	obj.Status.LinkedAccountID, obj.Status.History = "acme", []v1alpha1.TriggerRun{{ExecutionID: execution}}
	return obj
}

// TestExecutionsAreReadAsFarAsTheyAreFollowed: an account may have any number of pages of them.
func TestExecutionsAreReadAsFarAsTheyAreFollowed(t *testing.T) {
	t.Parallel()
	pages := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages++
		docs := map[string]string{"": `{"_id":"e1"},{"_id":"x"}`, "2": `{"_id":"e2"}`, "3": `{"_id":"e3"}`}[r.URL.Query().Get("page")]
		_, _ = io.WriteString(w, `{"docs":[`+docs+`],"totalPages":3,"page":`+map[string]string{"": "1", "2": "2", "3": "3"}[r.URL.Query().Get("page")]+`}`)
	}))
	t.Cleanup(server.Close)
	cache := objecttest.CacheOf(t, running("shop", "e1"), running("shop", "e2"), running("other", "e3"))
	api, err := cobalt.New(cobalt.Options{BaseURL: server.URL, APIKey: "k"})
	if err != nil {
		t.Fatal(err)
	}
	shop := object.EnvironmentKey{Kind: v1alpha1.KindEnvironment, NamespacedName: types.NamespacedName{Namespace: "team", Name: "shop"}}
	executions := NewSnapshots(shop, api, cache, clock.RealClock{}).ExecutionsOf("acme")
	for id, want := range map[string]snapshot.Presence{"e1": snapshot.Present, "e2": snapshot.Present, "e3": snapshot.Unknown} {
		if _, presence, err := executions.Find(t.Context(), id, time.Hour); presence != want || err != nil {
			t.Errorf("%s: presence %d, error %v, want %d", id, presence, err, want)
		}
	}
	if pages != 2 {
		t.Errorf("%d pages were read, want the two on which the environment's runs are", pages)
	}
}
