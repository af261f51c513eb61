package v1alpha1_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// onAcme is the spec of a kind that belongs to an account, with more after the account.
func onAcme(more string) string { return "linkedAccountRef: {name: acme}\n" + more }

// accountCases are the rows that every kind which belongs to an account has; rest is what else its spec needs.
func accountCases(rest string) map[string]specCase {
	byRef, byID := "linkedAccountRef: {name: acme}\n"+rest, "linkedAccountID: acme-1\n"+rest
	const exactlyOne, kept = "exactly one of linkedAccountRef and linkedAccountID", "linkedAccountRef and linkedAccountID cannot be changed"
	return map[string]specCase{
		"AccountByRef":       {reason: "kept by a LinkedAccount", spec: byRef},
		"AccountByID":        {reason: "kept by somebody else", spec: byID},
		"AccountByMail":      {reason: "ids may be e-mail addresses", spec: "linkedAccountID: a b+c@example.com\n" + rest},
		"AccountTwice":       {reason: "which one counts?", spec: byRef + "\nlinkedAccountID: acme-1", wantErr: exactlyOne},
		"AccountMissing":     {reason: "whose is it?", spec: rest, wantErr: exactlyOne},
		"AccountRefEmpty":    {reason: "names nobody", spec: "linkedAccountRef: {}\n" + rest, wantErr: "name"},
		"AccountRefNoName":   {reason: "names nobody", spec: "linkedAccountRef: {name: \"\"}\n" + rest, wantErr: "name"},
		"AccountIDEmpty":     {reason: "not the same as unset", spec: "linkedAccountID: \"\"\n" + rest, wantErr: "linkedAccountID"},
		"AccountIDLong":      {reason: "bounded", spec: "linkedAccountID: " + strings.Repeat("a", 257) + "\n" + rest, wantErr: "256"},
		"AccountIDSlash":     {reason: "it becomes a path element", spec: "linkedAccountID: a/b\n" + rest, wantErr: "without / \\ % ? #"},
		"AccountIDDots":      {reason: "it would leave the path", spec: "linkedAccountID: \"..\"\n" + rest, wantErr: "none of: . .."},
		"AccountIDNewline":   {reason: "it becomes a header", spec: "linkedAccountID: \"a\\nb\"\n" + rest, wantErr: "printable ASCII"},
		"AccountIDUmlaut":    {reason: "it becomes a header", spec: "linkedAccountID: käse\n" + rest, wantErr: "printable ASCII"},
		"AccountIDRouteWord": {reason: "the API would take it for another operation", spec: "linkedAccountID: upsert\n" + rest, wantErr: "upsert"},
		"AccountRefChanged":  {reason: "another account", spec: byRef, change: `{linkedAccountRef: {name: globex}}`, wantErr: kept},
		"AccountIDChanged":   {reason: "another account", spec: byID, change: `{linkedAccountID: globex-1}`, wantErr: kept},
		"AccountRefToID":     {reason: "another account", spec: byRef, change: `{linkedAccountRef: null, linkedAccountID: acme-1}`, wantErr: kept},
		"AccountIDToRef":     {reason: "another account", spec: byID, change: `{linkedAccountID: null, linkedAccountRef: {name: acme}}`, wantErr: kept},
		"AccountIDAdded":     {reason: "another account", spec: byRef, change: `{linkedAccountID: acme-1}`, wantErr: kept},
		"AccountRefAdded":    {reason: "another account", spec: byID, change: `{linkedAccountRef: {name: acme}}`, wantErr: kept},
		"AccountRefRemoved":  {reason: "another account", spec: byRef, change: `{linkedAccountRef: null}`, wantErr: kept},
		"AccountIDRemoved":   {reason: "another account", spec: byID, change: `{linkedAccountID: null}`, wantErr: kept},

		"EnvironmentMoved":    {reason: "another environment", spec: byRef, change: `{environmentRef: {name: other}}`, wantErr: "environmentRef cannot be changed"},
		"EnvironmentOther":    {reason: "another environment", spec: byRef, change: `{environmentRef: {kind: ClusterEnvironment}}`, wantErr: "environmentRef cannot be changed"},
		"EnvironmentRemoved":  {reason: "the default is another one", spec: byRef + "\nenvironmentRef: {name: other}", change: `{environmentRef: null}`, wantErr: "environmentRef cannot be changed"},
		"EnvironmentSpelt":    {reason: "the default by its name", spec: byRef, change: `{environmentRef: {kind: Environment, name: default}}`},
		"EnvironmentNoName":   {reason: "names none", spec: byRef + "\nenvironmentRef: {name: \"\"}", wantErr: "name"},
		"PoliciesChanged":     {reason: "how it is kept may change", spec: byRef, change: `{deletionPolicy: Orphan, managementPolicy: ReadOnly, suspend: true, syncInterval: 1h}`},
		"DeletionUnknown":     {reason: "a typing error", spec: byRef + "\ndeletionPolicy: Retain", wantErr: "Orphan"},
		"ManagementUnknown":   {reason: "a typing error", spec: byRef + "\nmanagementPolicy: DryRun", wantErr: "ReadOnly"},
		"SyncIntervalTooHot":  {reason: "nobody may make the operator poll", spec: byRef + "\nsyncInterval: 29s", wantErr: "0s (never) or at least 30s"},
		"SyncIntervalIsNever": {reason: "0s means never", spec: byRef + "\nsyncInterval: 0s"},
	}
}

func TestIntegrationConfigAccount(t *testing.T) {
	t.Parallel()
	runSpecCases(t, "IntegrationConfig", accountCases("application: hubspot"))
}

func TestIntegrationConfigSpec(t *testing.T) {
	t.Parallel()
	of := func(more string) string { return onAcme("application: hubspot\n" + more) }
	runSpecCases(t, "IntegrationConfig", map[string]specCase{
		"Least":              {reason: "whose and of what is all that is needed", spec: of("")},
		"Full":               {reason: "every field at once", spec: fullIntegrationConfig},
		"AllElseChanged":     {reason: "all else may change", spec: fullIntegrationConfig, change: `{fields: [], workflows: [{id: w2, enabled: false}]}`},
		"NoApplication":      {reason: "of what?", spec: onAcme(""), wantErr: "application"},
		"EmptyApplication":   {reason: "of what?", spec: onAcme(`application: ""`), wantErr: "application"},
		"ApplicationPath":    {reason: "it becomes a path element", spec: onAcme("application: a/b"), wantErr: "without / \\ % ? #"},
		"ApplicationDots":    {reason: "it would leave the path", spec: onAcme(`application: ".."`), wantErr: "not . or .."},
		"ApplicationUmlaut":  {reason: "it becomes a header", spec: onAcme("application: käse"), wantErr: "printable ASCII"},
		"LongApplication":    {reason: "bounded", spec: onAcme("application: " + strings.Repeat("a", 257)), wantErr: "256"},
		"ApplicationChanged": {reason: "another config", spec: of(""), change: `{application: slack}`, wantErr: "application cannot be changed"},
		"ApplicationRemoved": {reason: "another config", spec: of(""), change: `{application: null}`, wantErr: "application"},
		"ConfigIDMail":       {reason: "the default id may be an e-mail address", spec: of("configID: a b+c@example.com")},
		"ConfigIDEmpty":      {reason: "not the same as unset", spec: of(`configID: ""`), wantErr: "configID"},
		"ConfigIDSlash":      {reason: "it becomes a path element", spec: of("configID: a/b"), wantErr: "without / \\ % ? #"},
		"ConfigIDBackslash":  {reason: "it becomes a path element", spec: of(`configID: 'a\b'`), wantErr: "without / \\ % ? #"},
		"ConfigIDPercent":    {reason: "it becomes a path element", spec: of("configID: a%2fb"), wantErr: "without / \\ % ? #"},
		"ConfigIDQuery":      {reason: "it becomes a path element", spec: of("configID: a?b"), wantErr: "without / \\ % ? #"},
		"ConfigIDFragment":   {reason: "it becomes a path element", spec: of("configID: 'a#b'"), wantErr: "without / \\ % ? #"},
		"ConfigIDDot":        {reason: "it would vanish from the path", spec: of(`configID: "."`), wantErr: "none of: . .. all"},
		"ConfigIDDots":       {reason: "it would leave the path", spec: of(`configID: ".."`), wantErr: "none of: . .. all"},
		"ConfigIDRouteWord":  {reason: "the API would list all configs", spec: of("configID: all"), wantErr: "none of: . .. all"},
		"ConfigIDLikeAll":    {reason: "only the whole word is taken", spec: of("configID: all-of-acme")},
		"ConfigIDNewline":    {reason: "it becomes a path element", spec: of(`configID: "a\nb"`), wantErr: "printable ASCII"},
		"ConfigIDUmlaut":     {reason: "ids are ASCII", spec: of("configID: käse"), wantErr: "printable ASCII"},
		"ConfigIDOuterSpace": {reason: "somebody would trim it", spec: of(`configID: "a "`), wantErr: "without outer spaces"},
		"ConfigIDLong":       {reason: "bounded", spec: of("configID: " + strings.Repeat("a", 257)), wantErr: "256"},
		"ConfigIDChanged":    {reason: "another config", spec: of("configID: a"), change: `{configID: b}`, wantErr: "cannot be changed, set or removed later"},
		"ConfigIDSetLater":   {reason: "another config", spec: of(""), change: `{configID: b}`, wantErr: "cannot be changed, set or removed later"},
		"ConfigIDRemoved":    {reason: "another config", spec: of("configID: a"), change: `{configID: null}`, wantErr: "cannot be changed, set or removed later"},
		"WorkflowNoEnabled":  {reason: "on or off?", spec: of("workflows: [{id: w}]"), wantErr: "enabled"},
		"WorkflowNoID":       {reason: "which one?", spec: of("workflows: [{enabled: true}]"), wantErr: "id"},
		"WorkflowEmptyID":    {reason: "which one?", spec: of(`workflows: [{id: "", enabled: true}]`), wantErr: "id"},
		"WorkflowOuterSpace": {reason: "somebody would trim it", spec: of(`workflows: [{id: " w", enabled: true}]`), wantErr: "without outer spaces"},
		"WorkflowUmlaut":     {reason: "ids are ASCII", spec: of("workflows: [{id: käse, enabled: true}]"), wantErr: "printable ASCII"},
		"WorkflowLongID":     {reason: "bounded", spec: of("workflows: [{id: " + strings.Repeat("a", 257) + ", enabled: true}]"), wantErr: "256"},
		"SameWorkflow":       {reason: "on or off?", spec: of("workflows: [{id: w, enabled: true}, {id: w, enabled: false}]"), wantErr: "Duplicate"},
		"MostWorkflows":      {reason: "the bound itself is fine", spec: of("workflows: [" + many(100, "{id: w%d, enabled: true}") + "]")},
		"TooManyWorkflows":   {reason: "bounded", spec: of("workflows: [" + many(101, "{id: w%d, enabled: true}") + "]"), wantErr: "100"},
	})
}

const fullIntegrationConfig = `
environmentRef: {kind: ClusterEnvironment, name: prod}
linkedAccountID: acme-1
deletionPolicy: Delete
managementPolicy: ReadOnly
suspend: true
syncInterval: 1h30m
application: hubspot
configID: acme-hubspot
fields:
- {id: f1, value: won}
- {id: f2, valueFrom: {secretKeyRef: {name: a, key: b}}}
- {id: f3, valueFrom: {configMapKeyRef: {name: a, key: b}}}
workflows: [{id: w1, enabled: true}, {id: w2, enabled: false}]
`

// TestConfigField: a field has an id of its own and one value.
func TestConfigField(t *testing.T) {
	t.Parallel()
	of := func(fields string) string { return onAcme("application: hubspot\nfields: [" + fields + "]") }
	const secret, configMap = "secretKeyRef: {name: a, key: b}", "configMapKeyRef: {name: a, key: b}"
	const tooFew, tooMany = "at least 2 properties", "at most 2 items" // in the words of the API server
	runSpecCases(t, "IntegrationConfig", map[string]specCase{
		"FieldNoID":         {reason: "which one?", spec: of("{value: v}"), wantErr: "id"},
		"FieldEmptyID":      {reason: "which one?", spec: of(`{id: "", value: v}`), wantErr: "id"},
		"FieldSlash":        {reason: "it becomes a path element", spec: of("{id: a/b, value: v}"), wantErr: "without / \\ % ? #"},
		"FieldDots":         {reason: "it would leave the path", spec: of(`{id: "..", value: v}`), wantErr: "not . or .."},
		"FieldUmlaut":       {reason: "ids are ASCII", spec: of("{id: käse, value: v}"), wantErr: "printable ASCII"},
		"FieldLongID":       {reason: "bounded", spec: of("{id: " + strings.Repeat("a", 257) + ", value: v}"), wantErr: "256"},
		"FieldNamedAll":     {reason: "no route word stands there", spec: of("{id: all, value: v}")},
		"SameField":         {reason: "which value?", spec: of("{id: f, value: a}, {id: f, value: b}"), wantErr: "Duplicate"},
		"MostFields":        {reason: "the bound itself is fine", spec: of(many(100, "{id: f%d, value: v}"))},
		"TooManyFields":     {reason: "bounded", spec: of(many(101, "{id: f%d, value: v}")), wantErr: "100"},
		"FromSecret":        {reason: "as meant", spec: of("{id: f, valueFrom: {" + secret + "}}")},
		"FromConfigMap":     {reason: "as meant", spec: of("{id: f, valueFrom: {" + configMap + "}}")},
		"FromBoth":          {reason: "which one counts?", spec: of("{id: f, valueFrom: {" + secret + ", " + configMap + "}}"), wantErr: "exactly one of secretKeyRef and configMapKeyRef"},
		"FromNowhere":       {reason: "nothing to read", spec: of("{id: f, valueFrom: {}}"), wantErr: "exactly one of secretKeyRef and configMapKeyRef"},
		"FromNoKey":         {reason: "a Secret may hold several", spec: of("{id: f, valueFrom: {secretKeyRef: {name: a}}}"), wantErr: "key"},
		"ValueAndSource":    {reason: "which one counts?", spec: of("{id: f, value: v, valueFrom: {" + secret + "}}"), wantErr: tooMany},
		"FalseAndSource":    {reason: "false is a value", spec: of("{id: f, value: false, valueFrom: {" + secret + "}}"), wantErr: tooMany},
		"NoValue":           {reason: "nothing to write", spec: of("{id: f}"), wantErr: tooFew},
		"ValueMisspelt":     {reason: "nothing to write", spec: of("{id: f, valu: v}"), wantErr: tooFew},
		"NullValue":         {reason: "the API takes it for no value", spec: of("{id: f, value: null}"), wantErr: tooFew},
		"NullAndSource":     {reason: "null is no value", spec: of("{id: f, value: null, valueFrom: {" + secret + "}}")},
		"ValueToSource":     {reason: "values may move into a Secret", spec: of("{id: f, value: v}"), change: "fields: [{id: f, valueFrom: {" + secret + "}}]"},
		"SourceAdded":       {reason: "which one counts?", spec: of("{id: f, value: v}"), change: "fields: [{id: f, value: v, valueFrom: {" + secret + "}}]", wantErr: tooMany},
		"ValueRemoved":      {reason: "nothing to write", spec: of("{id: f, value: v}"), change: "fields: [{id: f}]", wantErr: tooFew},
		"ValueNulled":       {reason: "the API takes it for no value", spec: of("{id: f, value: v}"), change: "fields: [{id: f, value: null}]", wantErr: tooFew},
		"ValueOfOtherType":  {reason: "types are the business of the API", spec: of("{id: f, value: v}"), change: "fields: [{id: f, value: {a: [1]}}]"},
		"FieldsNotAList":    {reason: "in the API it is an object", spec: onAcme("application: hubspot\nfields: {f: v}"), wantErr: "fields"},
		"FieldsAllRemoved":  {reason: "they are unset", spec: of("{id: f, value: v}"), change: "fields: null"},
		"FieldsInOtherRank": {reason: "a map", spec: of("{id: f, value: 1}, {id: g, value: 2}"), change: "fields: [{id: g, value: 2}, {id: f, value: 1}]"},
	})
}

// TestConfigFieldValue: any JSON but null is a value, and stays what was typed.
func TestConfigFieldValue(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"text": `"won"`, "empty-text": `""`, "numeral": `"15"`, "null-as-text": `"null"`,
		"integer": `15`, "zero": `0`, "negative": `-1`, "fraction": `0.25`, "many-digits": `9007199254740993`,
		"true": `true`, "false": `false`,
		"list": `["a",1,null,{"b":[]}]`, "empty-list": `[]`,
		"object": `{"a":{"b":null},"c":[0,false,""]}`, "empty-object": `{}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := &v1alpha1.IntegrationConfig{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "value-" + name}}
			config.Spec.LinkedAccountID, config.Spec.Application = "acme-1", "hubspot"
			config.Spec.Fields = []v1alpha1.ConfigField{{ID: "f", Value: &runtime.RawExtension{Raw: []byte(want)}}}
			if err := cluster.Client.Create(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cluster.Client.Delete(context.WithoutCancel(t.Context()), config) })
			stored := &v1alpha1.IntegrationConfig{}
			if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(config), stored); err != nil {
				t.Fatal(err)
			}
			if got := stored.Spec.Fields[0].Value; got == nil || string(got.Raw) != want {
				t.Errorf("%s became %v", want, got)
			}
		})
	}
}

// many joins n copies of format, numbered.
func many(n int, format string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(parts, ", ")
}
