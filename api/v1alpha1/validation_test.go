package v1alpha1_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/testenv"
)

// cluster is the API server that accepts or refuses the specs.
var cluster *testenv.Cluster

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.fuzz").Value.String() != "" { // no fuzz target needs it, and each worker would start one
		os.Exit(m.Run())
	}
	os.Exit(func() int {
		var err error
		if cluster, err = testenv.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = cluster.Stop() }()
		return m.Run()
	}())
}

// specCase is a spec that is created, then changed.
type specCase struct {
	reason string
	// spec and change are YAML; without change the spec is only created.
	spec, change string
	name         string
	// wantErr is a part of what the user reads; empty if the spec is accepted.
	wantErr string
}

func TestLinkedAccountSpec(t *testing.T) {
	t.Parallel()
	runSpecCases(t, "LinkedAccount", map[string]specCase{
		"Empty":             {reason: "the name is all that is needed", spec: `{}`},
		"Full":              {reason: "every field at once", spec: fullLinkedAccount},
		"MailAsID":          {reason: "ids may be e-mail addresses", spec: `{linkedAccountID: "a b+c@example.com"}`},
		"SlashInID":         {reason: "it becomes a path element", spec: `{linkedAccountID: a/b}`, wantErr: "without / \\ % ? #"},
		"BackslashInID":     {reason: "it becomes a path element", spec: `{linkedAccountID: 'a\b'}`, wantErr: "without / \\ % ? #"},
		"PercentInID":       {reason: "it becomes a path element", spec: `{linkedAccountID: "a%2fb"}`, wantErr: "without / \\ % ? #"},
		"DotsAsID":          {reason: "it would leave the path", spec: `{linkedAccountID: ".."}`, wantErr: "none of: . .."},
		"RouteWordAsID":     {reason: "the API would take it for another operation", spec: `{linkedAccountID: upsert}`, wantErr: "upsert"},
		"RouteWordAsName":   {reason: "the name is the id", name: "upsert", spec: `{}`, wantErr: "cannot be account ids"},
		"RouteWordAndID":    {reason: "the id counts", name: "integration", spec: `{linkedAccountID: fine}`},
		"NewlineInID":       {reason: "it becomes a header", spec: `{linkedAccountID: "a\nb"}`, wantErr: "printable ASCII"},
		"UmlautInID":        {reason: "it becomes a header", spec: `{linkedAccountID: "käse"}`, wantErr: "printable ASCII"},
		"OuterSpaceInID":    {reason: "somebody would trim it", spec: `{linkedAccountID: " a"}`, wantErr: "without outer spaces"},
		"LongID":            {reason: "bounded", spec: `{linkedAccountID: ` + strings.Repeat("a", 257) + `}`, wantErr: "256"},
		"EmptyID":           {reason: "not the same as unset", spec: `{linkedAccountID: ""}`, wantErr: "linkedAccountID"},
		"IDChanged":         {reason: "another account", spec: `{linkedAccountID: a}`, change: `{linkedAccountID: b}`, wantErr: "cannot be changed, set or removed later"},
		"IDSetLater":        {reason: "another account", spec: `{}`, change: `{linkedAccountID: b}`, wantErr: "cannot be changed, set or removed later"},
		"IDRemoved":         {reason: "another account", spec: `{linkedAccountID: a}`, change: `{linkedAccountID: null}`, wantErr: "cannot be changed, set or removed later"},
		"EnvironmentMoved":  {reason: "another account", spec: `{}`, change: `{environmentRef: {name: other}}`, wantErr: "environmentRef cannot be changed"},
		"EnvironmentKind":   {reason: "a typing error", spec: `{environmentRef: {kind: Secret, name: a}}`, wantErr: "Environment"},
		"NameChanged":       {reason: "all else may change", spec: `{name: a}`, change: `{name: b, suspend: true, syncInterval: 1h}`},
		"SyncNever":         {reason: "0s means never", spec: `{syncInterval: 0s}`},
		"SyncHot":           {reason: "nobody may make the operator poll", spec: `{syncInterval: 29s}`, wantErr: "0s (never) or at least 30s"},
		"SyncNotADuration":  {reason: "a typing error", spec: `{syncInterval: soon}`, wantErr: "syncInterval"},
		"SyncNegative":      {reason: "a typing error", spec: `{syncInterval: -10m}`, wantErr: "syncInterval"},
		"UnknownPolicy":     {reason: "a typing error", spec: `{deletionPolicy: Retain}`, wantErr: "Orphan"},
		"YourAppNotObject":  {reason: "it is merged key by key", spec: `{yourApp: [1]}`, wantErr: "yourApp"},
		"YourAppTooWide":    {reason: "bounded", spec: "yourApp: {" + manyKeys(101) + "}", wantErr: "100"},
		"BothSources":       {reason: "which one counts?", spec: `{yourAppFrom: [{secretKeyRef: {name: a, key: b}, configMapKeyRef: {name: a, key: b}}]}`, wantErr: "exactly one of secretKeyRef and configMapKeyRef"},
		"NoSource":          {reason: "nothing to read", spec: `{yourAppFrom: [{}]}`, wantErr: "exactly one of secretKeyRef and configMapKeyRef"},
		"SameApplication":   {reason: "one set of credentials each", spec: `{credentials: [{application: a, secretRef: {name: x}}, {application: a, secretRef: {name: z}}]}`, wantErr: "Duplicate"},
		"ApplicationPath":   {reason: "it becomes a path element", spec: `{credentials: [{application: a/b, secretRef: {name: x}}]}`, wantErr: "without / \\ % ? #"},
		"TokenRefreshZero":  {reason: "a hot loop", spec: `{sessionToken: {secretName: a, refreshBefore: 0s}}`, wantErr: "longer than 0s"},
		"TokenSecretName":   {reason: "no Secret can have that name", spec: `{sessionToken: {secretName: A_B}}`, wantErr: "secretName"},
		"UnknownObserve":    {reason: "a typing error", spec: `{observe: [Everything]}`, wantErr: "Applications"},
		"UnknownManagement": {reason: "a typing error", spec: `{managementPolicy: DryRun}`, wantErr: "ReadOnly"},
	})
}

const fullLinkedAccount = `
environmentRef: {kind: ClusterEnvironment, name: prod}
linkedAccountID: acme-1
deletionPolicy: Delete
managementPolicy: ReadOnly
suspend: true
syncInterval: 1h30m
name: Acme Inc
yourApp: {tier: gold, seats: 25, nested: {a: [1, 2.5, null]}}
yourAppFrom: [{secretKeyRef: {name: a, key: b}}, {configMapKeyRef: {name: a, key: b}}]
credentials: [{application: hubspot, secretRef: {name: x}}, {application: slack, secretRef: {name: z, key: json}}]
sessionToken: {secretName: acme-session, refreshBefore: 2h, hostedPortal: true}
observe: [Applications]
`

func TestEnvironmentSpec(t *testing.T) {
	t.Parallel()
	with := func(more string) string { return "apiKeySecretRef: {name: a}\n" + more }
	runSpecCases(t, "Environment", map[string]specCase{
		"Least":           {reason: "a Secret is all that is needed", spec: with("")},
		"NoSecret":        {reason: "it cannot work", spec: `{}`, wantErr: "apiKeySecretRef"},
		"PlainHTTP":       {reason: "the operator's flag decides on origins", spec: with("baseURL: http://localhost:8080/api/v2")},
		"NoScheme":        {reason: "a typing error", spec: with("baseURL: api.gocobalt.io"), wantErr: "baseURL"},
		"OtherScheme":     {reason: "only HTTP is spoken", spec: with("baseURL: ftp://a/b"), wantErr: "baseURL"},
		"Credentials":     {reason: "they would show in every list", spec: with("baseURL: https://user:pass@host/"), wantErr: "baseURL"},
		"Query":           {reason: "paths follow it", spec: with("baseURL: https://host/?a=b"), wantErr: "baseURL"},
		"RateZero":        {reason: "nothing would ever be called", spec: with("rateLimit: {requestsPerSecond: 0}"), wantErr: "requestsPerSecond"},
		"BurstTooSmall":   {reason: "a pass needs several calls in a row", spec: with("rateLimit: {burst: 1}"), wantErr: "burst"},
		"TimeoutTooShort": {reason: "every call would fail", spec: with("requestTimeout: 10ms"), wantErr: "between 1s and 5m"},
		"TimeoutTooLong":  {reason: "a worker would hang", spec: with("requestTimeout: 1h"), wantErr: "between 1s and 5m"},
		"SyncHot":         {reason: "nobody may make the operator poll", spec: with("syncInterval: 1s"), wantErr: "0s (never) or at least 30s"},
		"PolicyDelete":    {reason: "it can only release", spec: with("deletionPolicy: Delete"), wantErr: "Orphan"},
		"CABundle":        {reason: "kind and key have defaults", spec: with("caBundleRef: {name: ca}")},
		"CABundleKind":    {reason: "a typing error", spec: with("caBundleRef: {kind: File, name: ca}"), wantErr: "ConfigMap"},
		"Everything":      {reason: "all may change", spec: with(""), change: "baseURL: https://other/\nsyncInterval: 0s\ndeletionPolicy: Orphan\nrequestTimeout: 5s\napiKeySecretRef: {name: b, key: k}"},
	})
}

func TestClusterEnvironmentSpec(t *testing.T) {
	t.Parallel()
	with := func(more string) string { return "apiKeySecretRef: {namespace: ns, name: a}\n" + more }
	runSpecCases(t, "ClusterEnvironment", map[string]specCase{
		"All":          {reason: "an empty selector is all", spec: with("allowedNamespaces: {selector: {}}")},
		"Nobody":       {reason: "whom to serve must be said", spec: with(""), wantErr: "allowedNamespaces"},
		"NoSelector":   {reason: "whom to serve must be said", spec: with("allowedNamespaces: {accountIDPrefixes: [a]}"), wantErr: "selector"},
		"NoNamespace":  {reason: "it has none of its own", spec: "apiKeySecretRef: {name: a}\nallowedNamespaces: {selector: {}}", wantErr: "namespace"},
		"CABundle":     {reason: "it has none of its own", spec: with("allowedNamespaces: {selector: {}}\ncaBundleRef: {name: a}"), wantErr: "namespace"},
		"EmptyPrefix":  {reason: "it would allow all", spec: with(`allowedNamespaces: {selector: {}, accountIDPrefixes: [""]}`), wantErr: "accountIDPrefixes"},
		"NoPrefixes":   {reason: "a template that rendered nothing", spec: with(`allowedNamespaces: {selector: {}, accountIDPrefixes: []}`), wantErr: "accountIDPrefixes"},
		"OwnNamespace": {reason: "each has its own", spec: with(`allowedNamespaces: {selector: {}, accountIDPrefixes: ["{namespace}."]}`)},
		"TwicePrefix":  {reason: "a set", spec: with(`allowedNamespaces: {selector: {}, accountIDPrefixes: [a, a]}`), wantErr: "Duplicate"},
		"WithPrefixes": {reason: "as meant", spec: with(`allowedNamespaces: {selector: {matchLabels: {a: b}}, accountIDPrefixes: [a, b]}`)},
	})
}

func runSpecCases(t *testing.T, kind string, cases map[string]specCase) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			obj := object(t, kind, strings.ToLower(name), tc)
			err := cluster.Client.Create(t.Context(), obj)
			if err == nil {
				t.Cleanup(func() { _ = cluster.Client.Delete(context.WithoutCancel(t.Context()), obj) })
			}
			if tc.change != "" {
				if err != nil {
					t.Fatalf("create: %v", err)
				}
				err = cluster.Client.Patch(t.Context(), obj, client.RawPatch("application/merge-patch+json", specPatch(t, tc.change)))
			}
			switch {
			case tc.wantErr == "" && err != nil:
				t.Errorf("refused although %s: %v", tc.reason, err)
			case tc.wantErr != "" && err == nil:
				t.Errorf("accepted although %s", tc.reason)
			case tc.wantErr != "" && !strings.Contains(err.Error(), tc.wantErr):
				t.Errorf("the error does not say %q: %v", tc.wantErr, err)
			}
		})
	}
}

func object(t *testing.T, kind, name string, tc specCase) *unstructured.Unstructured {
	t.Helper()
	var spec map[string]any
	if err := yaml.Unmarshal([]byte(tc.spec), &spec); err != nil {
		t.Fatal(err)
	}
	obj := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	obj.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	obj.SetName(name)
	if tc.name != "" {
		obj.SetName(tc.name)
	}
	if kind != "ClusterEnvironment" {
		obj.SetNamespace(metav1.NamespaceDefault)
	}
	return obj
}

func specPatch(t *testing.T, change string) []byte {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(change))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(fmt.Sprintf(`{"spec":%s}`, data))
}

func manyKeys(n int) string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("k%d: 1", i)
	}
	return strings.Join(keys, ", ")
}

// TestDefaults: what the API server fills in is what the field comments say.
func TestDefaults(t *testing.T) {
	t.Parallel()
	env := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "defaults"}}
	env.Spec.APIKeySecretRef.Name = "a"
	acme := &v1alpha1.LinkedAccount{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "defaults"}}
	for _, obj := range []client.Object{env, acme} {
		if err := cluster.Client.Create(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cluster.Client.Delete(context.WithoutCancel(t.Context()), obj) })
	}
	if got := env.Spec; got.BaseURL != "https://api.gocobalt.io/api/v2" || got.RateLimit != (v1alpha1.RateLimit{RequestsPerSecond: 10, Burst: 4}) ||
		got.RequestTimeout != "30s" || got.APIKeySecretRef.Key != "api-key" {
		t.Errorf("Environment: %+v", got)
	}
	if got := acme.Spec; got.EnvironmentRef != (v1alpha1.EnvironmentReference{Kind: "Environment", Name: "default"}) || got.ManagementPolicy != "Manage" {
		t.Errorf("LinkedAccount: %+v", got)
	}
	if env.Status.ObservedGeneration != -1 || acme.Status.ObservedGeneration != -1 {
		t.Error("without observedGeneration -1, tools take a new object for a finished one")
	}
}
