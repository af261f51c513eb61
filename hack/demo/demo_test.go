package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func account(observedGeneration int64, conditions ...any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": group + "/v1alpha1",
		"kind":       "LinkedAccount",
		"metadata":   map[string]any{"namespace": "default", "name": "acme", "generation": int64(2)},
		"status":     map[string]any{"observedGeneration": observedGeneration, "conditions": conditions},
	}}
}

func condition(kind, status, reason string) any {
	return map[string]any{"type": kind, "status": status, "reason": reason, "message": "as " + reason + " says"}
}

func TestJudge(t *testing.T) {
	saying := func(ready, reason, message string, settled bool) row {
		return row{kind: "LinkedAccount", name: "default/acme", ready: ready, reason: reason, message: message, settled: settled}
	}
	cases := map[string]struct {
		obj        *unstructured.Unstructured
		wantReason string
		want       row
	}{
		"an object nobody looked at yet is not settled": {
			obj:  account(-1),
			want: saying("-", "-", "waiting for the operator", false),
		},
		"what is Ready is settled": {
			obj:  account(2, condition("Ready", "True", "Synced")),
			want: saying("True", "Synced", "as Synced says", true),
		},
		"what was Ready before its spec changed is not settled": {
			obj:  account(1, condition("Ready", "True", "Synced")),
			want: saying("True", "Synced", "as Synced says", false),
		},
		"a problem is not settled": {
			obj:  account(2, condition("Ready", "False", "Refused"), condition("Stalled", "True", "Refused")),
			want: saying("False", "Refused", "as Refused says", false),
		},
		"the problem a sample is there to show is settled": {
			obj:        account(2, condition("Ready", "False", "Refused"), condition("Stalled", "True", "Refused")),
			wantReason: "Refused",
			want:       saying("False", "Refused", "as Refused says", true),
		},
		"another problem is not settled": {
			obj:        account(2, condition("Ready", "False", "Failed"), condition("Reconciling", "True", "Failed")),
			wantReason: "Refused",
			want:       saying("False", "Failed", "as Failed says", false),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, judge(tc.obj, tc.wantReason), cmp.AllowUnexported(row{})); diff != "" {
				t.Errorf("judge (-want +got):\n%s", diff)
			}
		})
	}
}

// Off a terminal, a row is printed when it changes and not before.
func TestTablePrintsChanges(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	table := newTable(&console{File: file, closed: func() { t.Error("a write failed") }})
	waiting, ready := row{kind: "Environment", name: "a/b", ready: "-"}, row{kind: "Environment", name: "a/b", ready: "True"}
	other := row{kind: "LinkedAccount", name: "a/c", ready: "-"}
	table.show([]row{waiting, other})
	table.show([]row{waiting, other})
	table.show([]row{ready, other})
	got, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	want := `KIND           NAMESPACE/NAME  READY  REASON                  MESSAGE
Environment    a/b             -
LinkedAccount  a/c             -
Environment    a/b             True
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}

func TestEnvironmentsPointAtTheSimulator(t *testing.T) {
	samples, err := readSamples("../../config/samples")
	if err != nil {
		t.Fatal(err)
	}
	sink, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	redirect(&console{File: sink, closed: func() { t.Error("a write failed") }}, samples, "http://127.0.0.1:1")
	for _, s := range samples {
		baseURL, found, err := unstructured.NestedString(s.obj.Object, "spec", "baseURL")
		if isEnvironment := s.obj.GetKind() == "Environment" || s.obj.GetKind() == "ClusterEnvironment"; err != nil || found != isEnvironment {
			t.Errorf("%s %s: spec.baseURL %q, %v", s.obj.GetKind(), s.obj.GetName(), baseURL, err)
		}
	}
}
