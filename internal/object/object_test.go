package object_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// kinds are the columns of the table.
var kinds = []string{"LinkedAccount", "IntegrationConfig", "Webhook", "PublicWorkflow", "EventTrigger"}

// uses have a letter each; a dash is for what an object does not count for.
var uses = []struct {
	letter string
	use    object.Use
}{
	{"r", object.Rival}, {"d", object.Dependent}, {"k", object.Known}, {"l", object.Load}, {"s", object.Shown}, {"h", object.Holder},
}

// inCobalt is an object that the operator holds and has made there, if its kind can tell.
func inCobalt(obj object.Object) {
	held(obj)
	if keeps, ok := obj.(interface{ CommonStatus() *v1alpha1.CommonStatus }); ok {
		keeps.CommonStatus().ID, keeps.CommonStatus().Origin = "id", v1alpha1.OriginCreated
	}
	if flow, ok := obj.(*v1alpha1.PublicWorkflow); ok {
		flow.Status.ID = "id"
	}
}

func held(obj object.Object)      { obj.SetFinalizers([]string{v1alpha1.Finalizer}) }
func suspended(obj object.Object) { obj.MemberSpec().Suspend = true }
func deleted(obj object.Object)   { obj.SetDeletionTimestamp(new(metav1.Now())) }
func letGo(obj object.Object)     { obj.SetFinalizers([]string{"others/finalizer"}) }

// of gives an object another origin, if its kind has any.
func of(origin v1alpha1.Origin) func(object.Object) {
	return func(obj object.Object) {
		if keeps, ok := obj.(interface{ CommonStatus() *v1alpha1.CommonStatus }); ok {
			keeps.CommonStatus().Origin = origin
		}
	}
}

var adopted, unknown = of(v1alpha1.OriginAdopted), of("")

// common changes what the kinds have that keep a state; the others have none of it.
func common(change func(*v1alpha1.CommonSpec)) func(object.Object) {
	return func(obj object.Object) {
		if keeps, ok := obj.(interface{ CommonSpec() *v1alpha1.CommonSpec }); ok {
			change(keeps.CommonSpec())
		}
	}
}

var (
	readOnly  = common(func(spec *v1alpha1.CommonSpec) { spec.ManagementPolicy = v1alpha1.ManagementPolicyReadOnly })
	orphaned  = common(func(spec *v1alpha1.CommonSpec) { spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
	mustGoToo = common(func(spec *v1alpha1.CommonSpec) { spec.DeletionPolicy = v1alpha1.DeletionPolicyDelete })
)

// TestWhatObjectsCountFor is the table, with a row for each state of an object.
func TestWhatObjectsCountFor(t *testing.T) {
	t.Parallel()
	is := func(all ...func(object.Object)) []func(object.Object) { return all }
	cases := map[string]struct {
		reason string
		access object.Access
		is     []func(object.Object)
		want   string // by kind
	}{
		"New":          {"what may be made counts", object.Granted, is(), "rd-ls- rd-ls- rd-ls- rd-ls- rd-ls-"},
		"Begun":        {"it may be there by now", object.Granted, is(held), "rd-lsh rd-lsh rd-lsh rd-ls- rd-ls-"},
		"InCobalt":     {"it counts for all", object.Granted, is(inCobalt), "rdklsh rdklsh rdklsh rdkls- rd-ls-"},
		"Suspended":    {"it claims what it has", object.Granted, is(inCobalt, suspended), "rd---h rd---h rd---h rd---- ------"},
		"SuspendedNew": {"it claims nothing", object.Granted, is(suspended), "------ ------ ------ ------ ------"},
		"ReadOnly":     {"it only looks", object.Granted, is(inCobalt, readOnly), "---ls- ---ls- ---ls- rdkls- rd-ls-"},
		"ReadOnlyNew":  {"it only looks", object.Granted, is(readOnly), "---ls- ---ls- ---ls- rd-ls- rd-ls-"},
		"Ghost":        {"not even that", object.Granted, is(inCobalt, readOnly, suspended), "------ ------ ------ rd---- ------"},
		"Deleted":      {"it needs the key, and gives up the rest", object.Granted, is(inCobalt, deleted), "---lsh ---lsh ---lsh ---ls- ---ls-"},
		"LetGo":        {"others hold it", object.Granted, is(inCobalt, deleted, letGo), "---ls- ---ls- ---ls- ---ls- ---ls-"},
		"Orphan":       {"its deletion needs no key", object.Granted, is(inCobalt, orphaned), "rdkls- rdkls- rdkls- rdkls- rd-ls-"},
		"Adopted":      {"its deletion leaves what was there before", object.Granted, is(inCobalt, adopted), "rdkls- rdkls- rdkls- rdkls- rd-ls-"},
		"AdoptedGoes":  {"unless spec says Delete", object.Granted, is(inCobalt, adopted, mustGoToo), "rdklsh rdklsh rdklsh rdkls- rd-ls-"},

		"Unknown":          {"only Cobalt can tell", object.Granted, is(inCobalt, unknown), "rdklsh rdklsh rdklsh rdkls- rd-ls-"},
		"RefusedUnknown":   {"it may only have looked", object.Refused, is(inCobalt, unknown), "------ ------ ------ ------ ------"},
		"RefusedAdopted":   {"it takes back only what it created", object.Refused, is(inCobalt, adopted, mustGoToo), "------ ------ ------ ------ ------"},
		"Refused":          {"it may only take back what it has", object.Refused, is(inCobalt), "-----h -----h -----h ------ ------"},
		"RefusedSuspended": {"also while suspended", object.Refused, is(inCobalt, suspended), "-----h -----h -----h ------ ------"},
		"RefusedReadOnly":  {"it takes nothing back", object.Refused, is(inCobalt, readOnly), "------ ------ ------ ------ ------"},
		"RefusedNew":       {"it has nothing", object.Refused, is(), "------ ------ ------ ------ ------"},
		"RefusedForged":    {"anybody can write a finalizer", object.Refused, is(held), "------ ------ ------ ------ ------"},

		"Missing":          {"nobody knows whether it may use it", object.Missing, is(inCobalt), "----s- ----s- ----s- ----s- ----s-"},
		"MissingNew":       {"somebody has to see it", object.Missing, is(), "----s- ----s- ----s- ----s- ----s-"},
		"MissingSuspended": {"nobody waits for it", object.Missing, is(inCobalt, suspended), "------ ------ ------ ------ ------"},
		"MissingReadOnly":  {"somebody has to see it", object.Missing, is(inCobalt, readOnly), "----s- ----s- ----s- ----s- ----s-"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, kind := range kinds {
				obj := made(t, kind)
				for _, change := range tc.is {
					change(obj)
				}
				got = append(got, letters(obj, tc.access))
			}
			if diff := cmp.Diff(strings.Fields(tc.want), got); diff != "" {
				t.Errorf("%s, by kind (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func letters(obj object.Object, access object.Access) string {
	var text strings.Builder
	for _, use := range uses {
		letter := "-"
		if object.Counts(obj, use.use, access) {
			letter = use.letter
		}
		text.WriteString(letter)
	}
	return text.String()
}

func made(t *testing.T, kind string) object.Object {
	t.Helper()
	obj, err := scheme(t).New(v1alpha1.GroupVersion.WithKind(kind))
	if err != nil {
		t.Fatal(err)
	}
	return obj.(object.Object)
}

func scheme(t *testing.T) *runtime.Scheme {
	t.Helper()
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAllKindsAreInTheTable: a new kind gets a column, and somebody thinks about it.
func TestAllKindsAreInTheTable(t *testing.T) {
	t.Parallel()
	s := scheme(t)
	var all []string
	for kind := range s.KnownTypes(v1alpha1.GroupVersion) {
		obj, err := s.New(v1alpha1.GroupVersion.WithKind(kind))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := obj.(object.Object); ok {
			all = append(all, kind)
		}
	}
	slices.Sort(all)
	if diff := cmp.Diff(slices.Sorted(slices.Values(kinds)), all); diff != "" {
		t.Errorf("kinds in the table and in the API (-table +API):\n%s", diff)
	}
	for use := object.Use(0); object.Rival <= use && use <= object.Holder; use++ {
		if int(use) >= len(uses) || uses[use].use != use {
			t.Errorf("use %d has no letter in the table", use)
		}
	}
}
