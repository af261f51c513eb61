package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/cobalt"
)

// TestFew: whatever order and however often it is told in, the same is kept.
func TestFew(t *testing.T) {
	t.Parallel()
	for name, told := range map[string][]string{
		"InOrder":   {"a", "b", "c", "d", "e"},
		"Backwards": {"e", "d", "c", "b", "a"},
		"Twice":     {"c", "a", "c", "b", "a", "e", "b", "d"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := few[string]{most: 3, key: func(s string) string { return s }}
			for _, s := range told {
				list.add(s)
			}
			if !slices.Equal(list.kept, []string{"a", "b", "c"}) {
				t.Errorf("%v are kept", list.kept)
			}
		})
	}
}

func TestCutGoesBetweenCharacters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "ab": "ab", "abc": "abc", "abcd": "abc", "äöüß": "äöü"} {
		if got := cut(text, 3); got != want {
			t.Errorf("%q of %q, want %q", got, text, want)
		}
	}
}

// TestWhatStatusListsAlreadyFits: an older version knew no bound in bytes, and what it left must not be called invalid.
func TestWhatStatusListsAlreadyFits(t *testing.T) {
	t.Parallel()
	a := &account{LinkedAccount: cobalt.LinkedAccount{YourApp: map[string]any{}}, secret: map[string]bool{}}
	var listed, secret []string
	for i := range 900 {
		key := fmt.Sprintf("%0400d", i)
		a.YourApp[key], listed = i, append(listed, key)
		if i%3 == 0 {
			a.secret[key], secret = true, append(secret, key)
		}
	}
	if err := a.fits(listed, secret); err != nil {
		t.Errorf("what it was before: %v", err)
	}
	a.YourApp["another"] = true
	if a.fits(listed, secret) == nil {
		t.Error("one more does not fit")
	}
}

// TestYourAppFitsIntoStatus: or else it would be written to Cobalt and never be taken back.
func TestYourAppFitsIntoStatus(t *testing.T) {
	t.Parallel()
	keys := func(count, length int, secret bool) *account {
		a := &account{LinkedAccount: cobalt.LinkedAccount{YourApp: map[string]any{}}, secret: map[string]bool{}}
		for i := range count {
			key := fmt.Sprintf("%0*d", length, i)
			a.YourApp[key], a.secret[key] = i, secret
		}
		return a
	}
	for name, tc := range map[string]struct {
		account *account
		fits    bool
	}{
		"Usual":         {keys(20, 20, false), true},
		"AsMany":        {keys(1000, 100, true), true},
		"OneTooMany":    {keys(1001, 10, false), false},
		"AsLarge":       {keys(1000, 260, false), true},
		"SecretsTwice":  {keys(1000, 260, true), false},
		"TooLarge":      {keys(1000, 800, false), false},
		"OneHuge":       {keys(1, 300<<10, false), false},
		"EscapedIsMore": {&account{LinkedAccount: cobalt.LinkedAccount{YourApp: map[string]any{strings.Repeat("\x01", 100<<10): 1}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tc.account.fits(nil, nil)
			if (err == nil) != tc.fits {
				t.Errorf("%v, want fits %t", err, tc.fits)
			}
			if err != nil && classify(err).reason != v1alpha1.ReasonInvalidInput {
				t.Errorf("%s says who acts next", classify(err).reason)
			}
		})
	}
}

// TestNotesAreNeverTooLong: the API server counts bytes.
func TestNotesAreNeverTooLong(t *testing.T) {
	t.Parallel()
	recorder := events.NewFakeRecorder(3)
	recorded := notes{recorder}
	for _, note := range []string{"100% of it", strings.Repeat("ä", 512), strings.Repeat("ä", 513)} {
		recorded.Eventf(nil, nil, "Normal", "Tested", "Test", "%s", note)
		got := strings.TrimPrefix(<-recorder.Events, "Normal Tested ")
		if len(got) > 1024 || len(note) <= 1024 && got != note || len(note) > 1024 && !strings.HasSuffix(got, "ä…") {
			t.Errorf("%d bytes: %s", len(got), got)
		}
	}
}

// TestDriftShowsNoSecret: a customer may have put one where none is expected.
func TestDriftShowsNoSecret(t *testing.T) {
	t.Parallel()
	inputs := inputStore{}.open()
	inputs.Hide("hunter2")
	long := strings.Repeat("x", 195)
	got := drift([]difference{
		{path: "fields.token", want: "hunter2", have: "other", hidden: true},
		{path: "fields.note", want: "a note", have: "it is hunter2"},
		{path: "fields.long", want: nil, have: long + "hunter2"},
		{path: "fields.map", want: map[string]any{"hunter2": true}, have: []any{"hunter2"}},
	}, inputs)
	want := []v1alpha1.Drift{
		{Path: "fields.token", Desired: "[redacted]", Observed: "[redacted]"},
		{Path: "fields.note", Desired: `"a note"`, Observed: `"it is [redacted]"`},
		{Path: "fields.long", Observed: `"` + long + `[red…`},
		{Path: "fields.map", Desired: `{"[redacted]":true}`, Observed: `["[redacted]"]`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestMessagesFitIntoNotes: however many places and however long their paths are.
func TestMessagesFitIntoNotes(t *testing.T) {
	t.Parallel()
	var differences []difference
	for i := range 30 {
		differences = append(differences, difference{path: fmt.Sprint("yourApp.", i, strings.Repeat("ä", 500))})
	}
	message := (&run[*v1alpha1.LinkedAccount]{obj: &v1alpha1.LinkedAccount{}, inputs: inputStore{}.open()}).kept(differences).Error()
	if len(message) > longestNote {
		t.Errorf("%d bytes: %s", len(message), message)
	}
}

// TestRedactionLeavesWordsThatAreGoneBy: a value of a Secret may be an id or a word of Cobalt's.
func TestRedactionLeavesWordsThatAreGoneBy(t *testing.T) {
	t.Parallel()
	turn := &triggerRun{obj: &v1alpha1.EventTrigger{}, inputs: inputStore{}.open()}
	for _, word := range []string{"completed", "execution-7", "waiting", statusUnknown} {
		turn.inputs.Hide(word)
	}
	run := begun(turn, &v1alpha1.TriggerIntent{}, "execution-7", "waiting for it")
	if run.ExecutionID != "execution-7" || run.Status != "[redacted] for it" {
		t.Errorf("execution %s has status %s", run.ExecutionID, run.Status)
	}
	end(turn, run, ended{phase: v1alpha1.PhaseCompleted, status: "completed"})
	if phase := phaseOf(turn.obj); phase != v1alpha1.PhaseCompleted {
		t.Errorf("it is %s", phase)
	}
	end(turn, run, ended{phase: v1alpha1.PhaseUnknown, status: statusUnknown})
	if phase := phaseOf(turn.obj); phase != v1alpha1.PhaseUnknown {
		t.Errorf("it is %s", phase)
	}
	if got := shownStatus(turn.inputs, "completed"); got != "completed" {
		t.Errorf("a word that says how it ended is %s", got)
	}
}

// TestFieldsFitIntoStatus: or else those that could not be taken back yet would keep the status from being written.
func TestFieldsFitIntoStatus(t *testing.T) {
	t.Parallel()
	for _, listed := range []int{100, 101} {
		obj := &v1alpha1.IntegrationConfig{}
		for i := range listed {
			obj.Spec.Fields = append(obj.Spec.Fields, v1alpha1.ConfigField{ID: fmt.Sprint("new", i), Value: &runtime.RawExtension{Raw: []byte("1")}})
		}
		for i := range 100 {
			obj.Status.Fields = append(obj.Status.Fields, fmt.Sprint("old", i))
		}
		_, err := configs{}.Desired(t.Context(), inputStore{}.open(), obj)
		if refused := classify(err).reason == v1alpha1.ReasonInvalidInput; refused != (listed > 100) {
			t.Errorf("%d and 100 others: %v", listed, err)
		}
	}
}

// TestRequestIsCutBetweenCharacters: or the API server would store another, and what status says would be written anew
// in each run.
func TestRequestIsCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	obj := &v1alpha1.LinkedAccount{}
	metav1.SetMetaDataAnnotation(&obj.ObjectMeta, v1alpha1.ReconcileRequestAnnotation, "x"+strings.Repeat("ä", 200))
	if got := requested(obj); !utf8.ValidString(got) || len(got) != 255 {
		t.Errorf("%d bytes of it: %q", len(got), got)
	}
}

// TestWishIsMarkedIfItCanBe: what is no id is not copied into another annotation, for which there may be no room.
func TestWishIsMarkedIfItCanBe(t *testing.T) {
	t.Parallel()
	for wish, marked := range map[string]bool{"wf-1": true, "": false, strings.Repeat("x", 200<<10): false, "a/b": false} {
		obj := &v1alpha1.PublicWorkflow{}
		obj.Status.ID = "wf-0"
		metav1.SetMetaDataAnnotation(&obj.ObjectMeta, v1alpha1.AdoptWorkflowAnnotation, wish)
		if _, ok := (publicWorkflows{}).Annotations(obj)[adoptedAnnotation]; ok != marked {
			t.Errorf("%.20q is marked: %t, want %t", wish, ok, marked)
		}
	}
}
