package simulator_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cobalt-operator/cobalt-operator/internal/cobalt/simulator"
)

func TestConfigsKeepValuesOfAnyType(t *testing.T) {
	cases := map[string]struct {
		value string // JSON, as it is sent and answered in a config
		text  string // JSON of the text that the field alone answers; empty: it has no value
	}{
		"text":         {`"won"`, `"won"`},
		"empty text":   {`""`, `""`},
		"numeral":      {`"15"`, `"15"`},
		"integer":      {`15`, `"15"`},
		"zero":         {`0`, `"0"`},
		"fraction":     {`0.25`, `"0.25"`},
		"true":         {`true`, `"true"`},
		"false":        {`false`, `"false"`},
		"list":         {`["a",1,null,{"b":[]}]`, `"[\"a\",1,null,{\"b\":[]}]"`},
		"empty list":   {`[]`, `"[]"`},
		"object":       {`{"a":{"b":null}}`, `"{\"a\":{\"b\":null}}"`},
		"empty object": {`{}`, `"{}"`},
		"null":         {`null`, ``},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, w *world) {
				// A value that is there already is what a merge could go wrong with.
				for _, value := range []string{`{"before":1}`, tc.value} {
					w.must(call{method: "PUT", path: "/public/config/acme", account: "acme", body: `{"fields":{"field_mapping":` + value + `}}`})
				}
				want := map[string]any{}
				alone := `{"id":"field_mapping","name":"Field mapping"}`
				if tc.text != "" {
					want["field_mapping"] = parsed(t, tc.value)
					alone = `{"id":"field_mapping","name":"Field mapping","value":` + tc.text + `}`
				}
				got := w.must(call{method: "GET", path: "/public/config/acme", account: "acme"}).object(t)["fields"].(map[string]any)
				delete(got, "deal_stage")
				delete(got, "sync_interval_minutes")
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("in the config (-want +got):\n%s", diff)
				}
				field := w.must(call{method: "GET", path: "/public/config/acme/field/field_mapping", account: "acme"})
				if diff := cmp.Diff(parsed(t, alone), parsed(t, field.body)); diff != "" {
					t.Errorf("alone (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestConfigsArePartlyWritten(t *testing.T) {
	type written struct {
		Fields map[string]any
		Flows  []simulator.WorkflowSwitch
	}
	flows := func(deals, contacts bool) []simulator.WorkflowSwitch {
		return []simulator.WorkflowSwitch{{ID: "sync-deals", Enabled: deals}, {ID: "sync-contacts", Enabled: contacts}}
	}
	start := written{Fields: map[string]any{"deal_stage": "appointmentscheduled", "sync_interval_minutes": 15.0}, Flows: flows(false, false)}
	all := written{Fields: map[string]any{"deal_stage": "won", "sync_interval_minutes": 5.0}, Flows: flows(true, false)}
	cases := map[string]struct {
		reason, body   string
		merge, replace written
	}{
		"nothing": {
			reason: "what is not sent stays either way", body: `{}`,
			merge: start, replace: start,
		},
		"fields": {
			reason: "fields alone leave the switches", body: `{"fields":{"deal_stage":"won"}}`,
			merge:   written{Fields: map[string]any{"deal_stage": "won", "sync_interval_minutes": 15.0}, Flows: start.Flows},
			replace: written{Fields: map[string]any{"deal_stage": "won"}, Flows: start.Flows},
		},
		"no fields": {
			reason: "an empty map is a map", body: `{"fields":{}}`,
			merge: start, replace: written{Fields: map[string]any{}, Flows: start.Flows},
		},
		"switches": {
			reason: "switches alone leave the fields", body: `{"workflows":[{"id":"sync-contacts","enabled":true}]}`,
			merge: written{Fields: start.Fields, Flows: flows(false, true)}, replace: written{Fields: start.Fields, Flows: flows(false, true)[1:]},
		},
		"no switches": {
			reason: "an empty list is a list", body: `{"workflows":[]}`,
			merge: start, replace: written{Fields: start.Fields, Flows: []simulator.WorkflowSwitch{}},
		},
		"all of it": {
			reason: "the whole document is the same either way",
			body:   `{"fields":{"deal_stage":"won","sync_interval_minutes":5},"workflows":[{"id":"sync-deals","enabled":true},{"id":"sync-contacts"}]}`,
			merge:  all, replace: all,
		},
	}
	for name, tc := range cases {
		for mode, want := range map[string]written{"merge": tc.merge, "replace": tc.replace} {
			t.Run(name+"/"+mode, func(t *testing.T) {
				w := newWorld(t, simulator.Options{Replace: mode == "replace"})
				w.populate()
				w.must(call{method: "PUT", path: "/public/config/acme", account: "acme", body: tc.body})
				config := w.State("test").Configs[0]
				if diff := cmp.Diff(want, written{Fields: config.Fields, Flows: config.Workflows}); diff != "" {
					t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
				}
			})
		}
	}
}
