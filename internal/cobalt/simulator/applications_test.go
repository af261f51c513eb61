package simulator_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

// listed are the slugs of the applications that there are.
func (w *world) listed() []string {
	w.t.Helper()
	var list []struct {
		Slug string `json:"slug"`
	}
	if err := json.Unmarshal([]byte(w.must(call{method: "GET", path: "/public/application"}).body), &list); err != nil {
		w.t.Fatal(err)
	}
	slugs := []string{}
	for _, a := range list {
		slugs = append(slugs, a.Slug)
	}
	return slugs
}

func TestAnApplicationThatIsDisabledRefusesWrites(t *testing.T) {
	const (
		config = "/public/config"
		field  = config + "/acme/field/deal_stage"
	)
	cases := map[string]refusal{
		"get":           {reason: "it is as if it did not exist", call: call{method: "GET", path: "/public/application/hubspot"}, status: 404, code: "INVALID_APP_ID", message: `"hubspot"`},
		"get for":       {reason: "for an account as well", call: call{method: "GET", path: "/public/application/hubspot", account: "acme"}, status: 404, code: "INVALID_APP_ID", message: `"hubspot"`},
		"upsert":        {reason: "a config that exists is not handed out", call: call{method: "POST", path: config, account: "acme", body: `{"slug":"hubspot"}`}, status: 404, code: "INVALID_APP_ID", message: `"hubspot"`},
		"upsert new":    {reason: "and none is created", call: call{method: "POST", path: config, account: "acme", body: `{"slug":"hubspot","config_id":"new"}`}, status: 404, code: "INVALID_APP_ID", message: `"hubspot"`},
		"update":        {reason: "nothing is written", call: call{method: "PUT", path: config + "/acme", account: "acme", body: `{"fields":{"deal_stage":"won"}}`}, status: 404, code: "INVALID_APP_ID", message: `"hubspot"`},
		"update none":   {reason: "also where the config is missing, too", call: call{method: "PUT", path: config + "/x", account: "acme", body: `{}`}, status: 404, code: "RESOURCE_NOT_FOUND", message: `config "x"`},
		"update field":  {reason: "not even a single value", call: call{method: "PUT", path: field, account: "acme", body: `{"value":"won"}`}, status: 404, code: "INVALID_APP_ID", message: `"hubspot"`},
		"delete field":  {reason: "or none", call: call{method: "DELETE", path: field, account: "acme"}, status: 404, code: "INVALID_APP_ID", message: `"hubspot"`},
		"migrate token": {reason: "it cannot be connected", call: call{method: "POST", path: "/public/linked-account/acme/migrate-token", body: `{"slug":"hubspot","token":{}}`}, status: 400, code: "INVALID_APP_ID", message: `"hubspot"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w *world) {
				w.EnableApplication("hubspot", false)
				tc.check(t, w)
			})
		})
	}
}

func TestAnApplicationThatIsDisabledKeepsItsConfigs(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		w.EnableApplication("hubspot", false)
		for path, want := range map[string]string{
			"/acme":                     hubspotConfig,
			"/all":                      "[" + hubspotConfig + "]",
			"/acme/field/deal_stage":    `{"id":"deal_stage","name":"Deal stage","value":"appointmentscheduled"}`,
			"/acme/fields":              "",
			"/acme/rule-engine/options": "",
		} {
			got := w.must(call{method: "GET", path: "/public/config" + path, account: "acme"})
			if diff := cmp.Diff(parsed(t, want), parsed(t, got.body), volatile); want != "" && diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		}
		w.must(call{method: "DELETE", path: "/public/config/acme", account: "acme"})
		if configs := w.State("test").Configs; len(configs) > 0 {
			t.Errorf("got %+v, want it deleted", configs)
		}
	})
}

func TestApplicationsAreEnabledAgain(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.populate()
	for _, tc := range []struct {
		reason string
		do     func()
		want   []string
	}{
		{"all are at first", func() {}, []string{"hubspot", "slack", "salesforce"}},
		{"only the one named is disabled", func() { w.EnableApplication("hubspot", false) }, []string{"slack", "salesforce"}},
		{"doing so again changes nothing", func() { w.EnableApplication("hubspot", false) }, []string{"slack", "salesforce"}},
		{"and comes back to its place", func() { w.EnableApplication("hubspot", true) }, []string{"hubspot", "slack", "salesforce"}},
	} {
		tc.do()
		if diff := cmp.Diff(tc.want, w.listed()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
		}
	}
	got := w.must(call{method: "POST", path: "/public/config", account: "acme", body: `{"slug":"hubspot"}`})
	if diff := cmp.Diff(parsed(t, hubspotConfig), parsed(t, got.body), volatile); diff != "" {
		t.Errorf("the config it had (-want +got):\n%s", diff)
	}
	w.must(call{method: "PUT", path: "/public/config/acme", account: "acme", body: `{"fields":{"deal_stage":"won"}}`})
}

func TestUnknownApplicationsCannotBeEnabled(t *testing.T) {
	defer func() {
		if got, _ := recover().(string); !strings.Contains(got, `"fax"`) {
			t.Errorf("got %q, want a panic that names it", got)
		}
	}()
	simulator.New(simulator.Options{}).EnableApplication("fax", false)
}
