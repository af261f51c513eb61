package object_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/object"
)

// kinds are the columns of the table.
var kinds = []string{"LinkedAccount", "IntegrationConfig", "Webhook", "PublicWorkflow", "EventTrigger", "Environment", "ClusterEnvironment"}

// none is what the two kinds of environment count for, which end each row.
const none = " ------ ------"

// uses have a letter each; a dash is for what an object does not count for.
var uses = []struct {
	letter string
	use    object.Use
}{
	{"r", object.Rival}, {"d", object.Dependent}, {"k", object.Known}, {"l", object.Load}, {"s", object.Shown}, {"h", object.Holder},
}

// inCobalt is an object that the operator holds and has made there, if its kind can tell.
func inCobalt(obj client.Object) {
	held(obj)
	if keeps, ok := obj.(interface{ CommonStatus() *v1alpha1.CommonStatus }); ok {
		keeps.CommonStatus().ID, keeps.CommonStatus().Origin = "id", v1alpha1.OriginCreated
	}
	if flow, ok := obj.(*v1alpha1.PublicWorkflow); ok {
		flow.Status.ID = "id"
	}
}

func held(obj client.Object) { obj.SetFinalizers([]string{v1alpha1.Finalizer}) }
func suspended(obj client.Object) {
	if member, ok := obj.(object.Object); ok {
		member.MemberSpec().Suspend = true
	}
}

// spelled is in an environment whose address is written in another way.
func spelled(obj client.Object) {
	switch obj := obj.(type) {
	case interface {
		Settings() *v1alpha1.EnvironmentSettings
	}:
		obj.Settings().BaseURL = "https://API.example:443//"
	case object.Object:
		obj.MemberSpec().EnvironmentRef.Name = "spelled-otherwise"
	}
}

func deleted(obj client.Object) { obj.SetDeletionTimestamp(new(metav1.Now())) }
func letGo(obj client.Object)   { obj.SetFinalizers([]string{"others/finalizer"}) }

// of gives an object another origin, if its kind has any.
func of(origin v1alpha1.Origin) func(client.Object) {
	return func(obj client.Object) {
		if keeps, ok := obj.(interface{ CommonStatus() *v1alpha1.CommonStatus }); ok {
			keeps.CommonStatus().Origin = origin
		}
	}
}

var adopted, unknown = of(v1alpha1.OriginAdopted), of("")

// common changes what the kinds have that keep a state; the others have none of it.
func common(change func(*v1alpha1.CommonSpec)) func(client.Object) {
	return func(obj client.Object) {
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
	is := func(all ...func(client.Object)) []func(client.Object) { return all }
	cases := map[string]struct {
		reason string
		access object.Access
		is     []func(client.Object)
		want   string // by kind
	}{
		"New":          {"what may be made counts", object.Granted, is(), "rd-ls- rd-ls- rd-ls- rd-ls- rd-ls-" + none},
		"Begun":        {"it may be there by now", object.Granted, is(held), "rd-lsh rd-lsh rd-lsh rd-ls- rd-ls-" + none},
		"InCobalt":     {"it counts for all", object.Granted, is(inCobalt), "rdklsh rdklsh rdklsh rdkls- rd-ls-" + none},
		"Suspended":    {"it claims what it has", object.Granted, is(inCobalt, suspended), "rd---h rd---h rd---h rd---- ------" + none},
		"SuspendedNew": {"it claims nothing", object.Granted, is(suspended), "------ ------ ------ ------ ------" + none},
		"ReadOnly":     {"it only looks", object.Granted, is(inCobalt, readOnly), "---ls- ---ls- ---ls- rdkls- rd-ls-" + none},
		"ReadOnlyNew":  {"it only looks", object.Granted, is(readOnly), "---ls- ---ls- ---ls- rd-ls- rd-ls-" + none},
		"Ghost":        {"not even that", object.Granted, is(inCobalt, readOnly, suspended), "------ ------ ------ rd---- ------" + none},
		"Deleted":      {"it needs the key, and gives up the rest", object.Granted, is(inCobalt, deleted), "---lsh ---lsh ---lsh ---ls- ---ls-" + none},
		"LetGo":        {"others hold it", object.Granted, is(inCobalt, deleted, letGo), "---ls- ---ls- ---ls- ---ls- ---ls-" + none},
		"Orphan":       {"its deletion needs no key", object.Granted, is(inCobalt, orphaned), "rdkls- rdkls- rdkls- rdkls- rd-ls-" + none},
		"Adopted":      {"its deletion leaves what was there before", object.Granted, is(inCobalt, adopted), "rdkls- rdkls- rdkls- rdkls- rd-ls-" + none},
		"AdoptedGoes":  {"unless spec says Delete", object.Granted, is(inCobalt, adopted, mustGoToo), "rdklsh rdklsh rdklsh rdkls- rd-ls-" + none},

		"Unknown":          {"only Cobalt can tell", object.Granted, is(inCobalt, unknown), "rdklsh rdklsh rdklsh rdkls- rd-ls-" + none},
		"RefusedUnknown":   {"it may only have looked", object.Refused, is(inCobalt, unknown), "------ ------ ------ ------ ------" + none},
		"RefusedAdopted":   {"it takes back only what it created", object.Refused, is(inCobalt, adopted, mustGoToo), "------ ------ ------ ------ ------" + none},
		"Refused":          {"it may only take back what it has", object.Refused, is(inCobalt), "-----h -----h -----h ------ ------" + none},
		"RefusedSuspended": {"also while suspended", object.Refused, is(inCobalt, suspended), "-----h -----h -----h ------ ------" + none},
		"RefusedReadOnly":  {"it takes nothing back", object.Refused, is(inCobalt, readOnly), "------ ------ ------ ------ ------" + none},
		"RefusedNew":       {"it has nothing", object.Refused, is(), "------ ------ ------ ------ ------" + none},
		"RefusedForged":    {"anybody can write a finalizer", object.Refused, is(held), "------ ------ ------ ------ ------" + none},

		"OtherSpelling":          {"it is the same place", object.Granted, is(inCobalt, spelled), "rdklsh rdklsh rdklsh rdkls- rd-ls-" + none},
		"OtherSpellingSuspended": {"as above", object.Granted, is(inCobalt, spelled, suspended), "rd---h rd---h rd---h rd---- ------" + none},
		"OtherSpellingReadOnly":  {"as above", object.Granted, is(inCobalt, spelled, readOnly), "---ls- ---ls- ---ls- rdkls- rd-ls-" + none},
		"OtherSpellingRefused":   {"as above", object.Refused, is(inCobalt, spelled), "-----h -----h -----h ------ ------" + none},

		"Missing":          {"nobody knows whether it may use it", object.Missing, is(inCobalt), "----s- ----s- ----s- ----s- ----s-" + none},
		"MissingNew":       {"somebody has to see it", object.Missing, is(), "----s- ----s- ----s- ----s- ----s-" + none},
		"MissingSuspended": {"nobody waits for it", object.Missing, is(inCobalt, suspended), "------ ------ ------ ------ ------" + none},
		"MissingReadOnly":  {"somebody has to see it", object.Missing, is(inCobalt, readOnly), "----s- ----s- ----s- ----s- ----s-" + none},
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

func letters(obj client.Object, access object.Access) string {
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

func made(t *testing.T, kind string) client.Object {
	t.Helper()
	obj, err := scheme(t).New(v1alpha1.GroupVersion.WithKind(kind))
	if err != nil {
		t.Fatal(err)
	}
	return obj.(client.Object)
}

func scheme(t *testing.T) *runtime.Scheme {
	t.Helper()
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	return s
}

// stranger is a kind that nobody has thought about.
type stranger struct{ v1alpha1.Webhook }

func (s *stranger) DeepCopyObject() runtime.Object { copied := *s; return &copied }

// TestAKindWithoutARowDoesNotStart: whoever adds a kind has to say what its objects count for.
func TestAKindWithoutARowDoesNotStart(t *testing.T) {
	t.Parallel()
	s := scheme(t)
	if err := object.Complete(s); err != nil {
		t.Error(err)
	}
	s.AddKnownTypeWithName(v1alpha1.GroupVersion.WithKind("Stranger"), &stranger{})
	if err := object.Complete(s); err == nil || !strings.Contains(err.Error(), "kind Stranger") {
		t.Errorf("an operator with a kind that has no row starts: %v", err)
	}
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
		if custom, ok := obj.(client.Object); ok && !meta.IsListType(custom) {
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
