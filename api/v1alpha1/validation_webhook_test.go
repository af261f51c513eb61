package v1alpha1_test

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

func TestWebhookAccount(t *testing.T) {
	t.Parallel()
	runSpecCases(t, "Webhook", accountCases("url: https://hooks.example.com/cobalt\nevents: [Workflow Completed]"))
}

func TestWebhookSpec(t *testing.T) {
	t.Parallel()
	at := func(url string) string { return onAcme("events: [a]\nurl: '" + url + "'") }
	of := func(events string) string { return onAcme("url: https://example.com\nevents: " + events) }
	const badURL = "url must be an http or https URL"
	runSpecCases(t, "Webhook", map[string]specCase{
		"Full":           {reason: "every field at once", spec: fullWebhook},
		"AllElseChanged": {reason: "all else may change", spec: fullWebhook, change: `{url: "https://example.com/new", events: [c]}`},

		"HostAlone":      {reason: "as short as can be", spec: at("https://example.com")},
		"PortAndPath":    {reason: "any port, any path", spec: at("https://example.com:8443/a/b%20c/")},
		"Query":          {reason: "receivers may tell customers apart by it", spec: at("https://example.com?tenant=acme&mail=a@b")},
		"Literal":        {reason: "a host without a name", spec: at("https://[2001:db8::1]:8443/")},
		"PlainHTTP":      {reason: "the operator's flag decides on that", spec: at("http://localhost:8080/hook")},
		"LongestURL":     {reason: "the bound itself is fine", spec: at("https://example.com/" + strings.Repeat("a", 2028))},
		"LongURL":        {reason: "bounded", spec: at("https://example.com/" + strings.Repeat("a", 2029)), wantErr: "2048"},
		"NoURL":          {reason: "whom to call?", spec: onAcme("events: [a]"), wantErr: "url"},
		"EmptyURL":       {reason: "whom to call?", spec: at(""), wantErr: badURL},
		"UserInfo":       {reason: "it would show in every list", spec: at("https://user:secret@example.com/"), wantErr: badURL},
		"User":           {reason: "it would show in every list", spec: at("https://user@example.com/"), wantErr: badURL},
		"Fragment":       {reason: "no server ever sees it", spec: at("https://example.com/#a"), wantErr: badURL},
		"FTP":            {reason: "Cobalt speaks HTTP", spec: at("ftp://example.com/"), wantErr: badURL},
		"NoScheme":       {reason: "a typing error", spec: at("example.com/hook"), wantErr: badURL},
		"NoHost":         {reason: "whom to call?", spec: at("https:///hook"), wantErr: badURL},
		"PortAlone":      {reason: "whom to call?", spec: at("https://:8443/hook"), wantErr: badURL},
		"SchemeAlone":    {reason: "whom to call?", spec: at("https://"), wantErr: badURL},
		"BadPort":        {reason: "a typing error", spec: at("https://example.com:port/"), wantErr: badURL},
		"BadEscape":      {reason: "a typing error", spec: at("https://example.com/%zz"), wantErr: badURL},
		"SpaceInURL":     {reason: "a typing error", spec: at("https://example.com/a b"), wantErr: badURL},
		"SecondLineOfIt": {reason: "a typing error", spec: onAcme("events: [a]\nurl: \"https://example.com/\\nftp://a\""), wantErr: badURL},

		"NoEvents":       {reason: "of what?", spec: onAcme("url: https://example.com"), wantErr: "events"},
		"EmptyEvents":    {reason: "of what?", spec: of("[]"), wantErr: "at least 1"},
		"EventsEmptied":  {reason: "delete the object for that", spec: of("[a]"), change: `{events: []}`, wantErr: "at least 1"},
		"EmptyEvent":     {reason: "of what?", spec: of(`[a, ""]`), wantErr: "at least 1 char"},
		"SameEvent":      {reason: "a set", spec: of("[a, b, a]"), wantErr: "Duplicate"},
		"EventLikeOther": {reason: "names are exact", spec: of("[Workflow Completed, workflow completed]")},
		"LongestEvent":   {reason: "the bound itself is fine", spec: of("[" + strings.Repeat("a", 128) + "]")},
		"LongEvent":      {reason: "bounded", spec: of("[" + strings.Repeat("a", 129) + "]"), wantErr: "128"},
		"MostEvents":     {reason: "the bound itself is fine", spec: of("[" + many(50, "e%d") + "]")},
		"TooManyEvents":  {reason: "bounded", spec: of("[" + many(51, "e%d") + "]"), wantErr: "50"},
		"EventNotAText":  {reason: "a typing error", spec: of("[1]"), wantErr: "events"},
	})
}

const fullWebhook = `
environmentRef: {kind: ClusterEnvironment, name: prod}
linkedAccountID: acme-1
deletionPolicy: Orphan
managementPolicy: ReadOnly
suspend: true
syncInterval: 1h30m
url: https://hooks.example.com/cobalt?account=acme
events: [Workflow Completed, Workflow Errored]
`

// TestDefaultsOfWhatBelongsToAnAccount: what the API server fills in is what the field comments say.
func TestDefaultsOfWhatBelongsToAnAccount(t *testing.T) {
	t.Parallel()
	meta := metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "defaults"}
	config, hook := &v1alpha1.IntegrationConfig{ObjectMeta: meta}, &v1alpha1.Webhook{ObjectMeta: meta}
	config.Spec.LinkedAccountID, config.Spec.Application = "acme-1", "hubspot"
	hook.Spec.LinkedAccountID, hook.Spec.URL, hook.Spec.Events = "acme-1", "https://example.com", []string{"a"}
	want := v1alpha1.CommonSpec{ManagementPolicy: "Manage"}
	want.EnvironmentRef = v1alpha1.EnvironmentReference{Kind: "Environment", Name: "default"}
	for kind, obj := range map[string]interface {
		client.Object
		CommonSpec() *v1alpha1.CommonSpec
		CommonStatus() *v1alpha1.CommonStatus
	}{"IntegrationConfig": config, "Webhook": hook} {
		if err := cluster.Client.Create(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cluster.Client.Delete(context.WithoutCancel(t.Context()), obj) })
		if got := *obj.CommonSpec(); got != want {
			t.Errorf("%s: got %+v, want %+v", kind, got, want)
		}
		if obj.CommonStatus().ObservedGeneration != -1 {
			t.Errorf("%s: without observedGeneration -1, tools take a new object for a finished one", kind)
		}
	}
}
