package v1alpha1_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

func TestEventTriggerSpec(t *testing.T) {
	t.Parallel()
	event := func(more string) string {
		return "linkedAccountID: acme\nevent: {slug: deal-created, name: Deal Created}\n" + more
	}
	slug := func(s string) string {
		return "linkedAccountID: acme\nevent: {name: Deal Created, slug: " + s + "}"
	}
	workflow := func(w string) string { return "linkedAccountID: acme\nworkflow: " + w }
	runSpecCases(t, "EventTrigger", map[string]specCase{
		"Least":            {reason: "an account and an event are all that is needed", spec: event("")},
		"Full":             {reason: "every field at once", spec: fullEventTrigger},
		"FullSchedule":     {reason: "every field of a schedule", spec: fullSchedule},
		"NoAccount":        {reason: "for whom?", spec: "event: {slug: a, name: A}", wantErr: "exactly one of linkedAccountRef and linkedAccountID"},
		"AccountMoved":     {reason: "what ran belongs to the first", spec: event(""), change: "linkedAccountID: other", wantErr: "cannot be changed"},
		"EnvironmentMoved": {reason: "what ran belongs to the first", spec: event(""), change: "environmentRef: {name: other}", wantErr: "environmentRef cannot be changed"},

		"NoTarget":         {reason: "what to start?", spec: "linkedAccountID: acme", wantErr: "exactly one of event and workflow"},
		"BothTargets":      {reason: "which one?", spec: event("workflow: {id: w1}"), wantErr: "exactly one of event and workflow"},
		"TargetChanged":    {reason: "another one may be started", spec: event(""), change: "{event: null, workflow: {id: w1}}"},
		"EventWithoutName": {reason: "the API asks for both", spec: "{linkedAccountID: acme, event: {slug: a}}", wantErr: "name"},
		"EventWithoutSlug": {reason: "the API asks for both", spec: "{linkedAccountID: acme, event: {name: A}}", wantErr: "slug"},
		"SlashInSlug":      {reason: "it becomes a path element", spec: slug("a/b"), wantErr: `without / \ % ? #`},
		"BackslashInSlug":  {reason: "it becomes a path element", spec: slug(`'a\b'`), wantErr: `without / \ % ? #`},
		"RouteWordAsSlug":  {reason: "the API may take it for another operation", spec: slug("trigger"), wantErr: "none of: . .. trigger"},
		"WorkflowByID":     {reason: "one that no PublicWorkflow stands for", spec: workflow("{id: w1}")},
		"WorkflowByRef":    {reason: "one that a PublicWorkflow stands for", spec: workflow("{ref: {name: sync}}")},
		"WorkflowByBoth":   {reason: "which one?", spec: workflow("{id: w1, ref: {name: sync}}"), wantErr: "exactly one of ref and id"},
		"WorkflowByNone":   {reason: "which one?", spec: workflow("{}"), wantErr: "exactly one of ref and id"},
		"PathAsWorkflow":   {reason: "it becomes a path element", spec: workflow("{id: 'a?b'}"), wantErr: `without / \ % ? #`},
		"RouteAsWorkflow":  {reason: "the API may take it for another operation", spec: workflow("{id: enabled}"), wantErr: "enabled versions"},
		"ConfigByID":       {reason: "one that no IntegrationConfig stands for", spec: event("configID: c1")},
		"ConfigByBoth":     {reason: "which one?", spec: event("configID: c1\nconfigRef: {name: c}"), wantErr: "at most one of configRef and configID"},
		"ConfigOfWorkflow": {reason: "the API takes none there", spec: workflow("{id: w1}\nconfigID: c1"), wantErr: "configRef and configID go with event"},
		"NewlineInConfig":  {reason: "it may become a header", spec: event(`configID: "a\nb"`), wantErr: "printable ASCII"},
		"PayloadNotObject": {reason: "the API takes objects", spec: event("payload: [1]"), wantErr: "payload"},
		"PayloadTooWide":   {reason: "bounded", spec: event("payload: {" + manyKeys(101) + "}"), wantErr: "100"},
		"PayloadFromNone":  {reason: "nothing to read", spec: event("payloadFrom: [{}]"), wantErr: "exactly one of secretKeyRef and configMapKeyRef"},

		"UnknownDelivery":   {reason: "nobody can promise that", spec: event("delivery: ExactlyOnce"), wantErr: "AtMostOnce"},
		"UnknownReadyWhen":  {reason: "a typing error", spec: event("readyWhen: Done"), wantErr: "Completed"},
		"UnknownLogs":       {reason: "a typing error", spec: event("logs: All"), wantErr: "Tail"},
		"TimeoutZero":       {reason: "everything would fail", spec: event("executionTimeout: 0s"), wantErr: "between 1s and 720h"},
		"TimeoutForever":    {reason: "executions are forgotten", spec: event("executionTimeout: 721h"), wantErr: "between 1s and 720h"},
		"TimeoutNegative":   {reason: "a typing error", spec: event("executionTimeout: -1h"), wantErr: "executionTimeout"},
		"RetryForever":      {reason: "bounded", spec: event("retry: {limit: 11}"), wantErr: "limit"},
		"RetryNegative":     {reason: "a typing error", spec: event("retry: {limit: -1}"), wantErr: "limit"},
		"RetryHot":          {reason: "nobody may make the operator fire in a loop", spec: event("retry: {limit: 1, backoff: 0s}"), wantErr: "between 1s and 1h"},
		"HistoryTooLong":    {reason: "the status is bounded", spec: event("historyLimit: 21"), wantErr: "historyLimit"},
		"HistoryNone":       {reason: "nobody has to keep one", spec: event("historyLimit: 0")},
		"TTLZero":           {reason: "gone as soon as it ends", spec: event("ttlAfterFinished: 0s")},
		"EverythingChanged": {reason: "all may change", spec: event("trigger: a"), change: "{trigger: b, payload: {a: 1}, delivery: AtLeastOnce, readyWhen: Accepted, schedule: '0 9 * * 1', timeZone: UTC, suspend: true}"},

		"ScheduleWords":     {reason: "months and days have names", spec: event("schedule: '*/15 8-18,20 1 JAN-MAR MON'")},
		"ScheduleSpaces":    {reason: "people line fields up", spec: event("schedule: '0  9   * * 1'")},
		"ScheduleEvery":     {reason: "it has no fixed times to be missed", spec: event("schedule: '@every 1h'"), wantErr: "five fields of cron"},
		"ScheduleDaily":     {reason: "five fields say the same", spec: event("schedule: '@midnight'"), wantErr: "five fields of cron"},
		"ScheduleTZ":        {reason: "there is a field for it", spec: event("schedule: 'TZ=Europe/Berlin 0 9 * * 1'"), wantErr: "use timeZone"},
		"ScheduleCronTZ":    {reason: "there is a field for it", spec: event("schedule: 'CRON_TZ=UTC 9 * * 1'"), wantErr: "use timeZone"},
		"ScheduleSeconds":   {reason: "the finest is a minute", spec: event("schedule: '0 0 9 * * 1'"), wantErr: "five fields of cron"},
		"ScheduleEmpty":     {reason: "not the same as unset", spec: event("schedule: ''"), wantErr: "schedule"},
		"TimeZoneLocal":     {reason: "it would be the operator's", spec: event("schedule: '0 9 * * 1'\ntimeZone: Local"), wantErr: "IANA"},
		"TimeZonePath":      {reason: "zones are files", spec: event("schedule: '0 9 * * 1'\ntimeZone: ../etc/passwd"), wantErr: "IANA"},
		"TimeZoneAlone":     {reason: "without schedule it says nothing", spec: event("timeZone: UTC"), wantErr: "go with schedule"},
		"ConcurrencyAlone":  {reason: "without schedule it says nothing", spec: event("concurrencyPolicy: Allow"), wantErr: "go with schedule"},
		"DeadlineAlone":     {reason: "without schedule it says nothing", spec: event("startingDeadline: 1m"), wantErr: "go with schedule"},
		"ConcurrencyOther":  {reason: "an execution cannot be stopped", spec: event("schedule: '0 9 * * 1'\nconcurrencyPolicy: Replace"), wantErr: "Forbid"},
		"DeadlineTooSoon":   {reason: "no run would ever start", spec: event("schedule: '0 9 * * 1'\nstartingDeadline: 1s"), wantErr: "at least 10s"},
		"ScheduleAndTTL":    {reason: "it never finishes", spec: event("schedule: '0 9 * * 1'\nttlAfterFinished: 1h"), wantErr: "leave out ttlAfterFinished"},
		"ScheduleTakenAway": {reason: "then it fires once", spec: event("schedule: '0 9 * * 1'"), change: "schedule: null"},
	})
}

const fullEventTrigger = `
environmentRef: {kind: ClusterEnvironment, name: prod}
linkedAccountRef: {name: acme}
suspend: true
event: {slug: deal-created, name: "Deal Created"}
configRef: {name: acme-hubspot}
payload: {deal: 42, nested: {a: [1, 2.5, null]}}
payloadFrom: [{secretKeyRef: {name: a, key: b}}, {configMapKeyRef: {name: a, key: b}}]
delivery: AtLeastOnce
readyWhen: Accepted
executionTimeout: 10m
retry: {limit: 3, backoff: 1m}
trigger: "2026-11-23"
logs: Tail
historyLimit: 20
ttlAfterFinished: 24h
`

const fullSchedule = `
linkedAccountRef: {name: acme}
workflow: {ref: {name: sync-deals}}
schedule: "0 9 * * 1"
timeZone: America/Argentina/Buenos_Aires
concurrencyPolicy: Allow
startingDeadline: 5m
`

// TestEventTriggerDefaults: what the API server fills in is what the field comments say.
func TestEventTriggerDefaults(t *testing.T) {
	t.Parallel()
	got := newEventTrigger(t, "defaults")
	want := v1alpha1.EventTriggerSpec{
		Delivery: v1alpha1.DeliveryAtMostOnce, ReadyWhen: v1alpha1.ReadyWhenCompleted, ExecutionTimeout: "1h", Logs: v1alpha1.LogsNone,
	}
	want.Retry = &v1alpha1.RetryPolicy{Backoff: "30s"}
	if got.Spec.Delivery != want.Delivery || got.Spec.ReadyWhen != want.ReadyWhen || got.Spec.ExecutionTimeout != want.ExecutionTimeout ||
		got.Spec.Logs != want.Logs || *got.Spec.Retry != *want.Retry || got.Spec.ConcurrencyPolicy != "" {
		t.Errorf("got %+v", got.Spec)
	}
	if limit := got.Spec.HistoryLimit; limit == nil || *limit != 10 {
		t.Errorf("historyLimit: got %v, want 10", limit)
	}
	if got.Status.ObservedGeneration != -1 {
		t.Error("without observedGeneration -1, tools take a new object for a finished one")
	}
}

// TestEventTriggerStatusIsBounded: as full as its schema allows, a status is
// accepted and stays small; the logs are bounded by their sum, not by the schema.
func TestEventTriggerStatusIsBounded(t *testing.T) {
	t.Parallel()
	obj := newEventTrigger(t, "bounded")
	at := metav1.NewTime(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	text := func(n int) string { return strings.Repeat("x", n) }
	s := &obj.Status
	for _, conditionType := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionStalled} {
		s.Conditions = append(s.Conditions, metav1.Condition{
			Type: conditionType, Status: metav1.ConditionFalse, Reason: text(64), Message: text(1024), LastTransitionTime: at,
		})
	}
	s.InputsHash = text(128)
	s.Environment, s.LinkedAccountID, s.LastHandledReconcileAt, s.InputsVersion = text(300), text(256), text(256), text(64)
	s.Phase, s.ExecutionID, s.ExecutionStatus, s.Attempt, s.Message = v1alpha1.PhaseFailed, text(256), text(64), 11, text(512)
	s.FiredAt, s.StartedAt, s.CompletedAt, s.NextScheduleTime, s.LastScheduleTime = &at, &at, &at, &at, &at
	s.Schedule = text(256)
	s.Succeeded, s.Failed, s.FiredHash = 1e15, 1e15, text(64)
	s.Logs = []string{text(1024), text(1024), text(1024), text(1024)}
	s.Intent = &v1alpha1.TriggerIntent{Intent: v1alpha1.Intent{Hash: text(64), AttemptID: text(64), Time: at}, Attempt: 11, ScheduledTime: &at}
	for range 30 {
		s.History = append(s.History, v1alpha1.TriggerRun{
			ExecutionID: text(256), Status: text(64), FiredAt: at, CompletedAt: &at, Attempt: 11, Message: text(128),
		})
	}
	if err := cluster.Client.Status().Update(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(obj.Status)
	if err != nil {
		t.Fatal(err)
	}
	if len(obj.Status.History) != 30 || len(data) > 32<<10 {
		t.Errorf("%d runs and %d bytes, want 30 runs in at most 32 KiB", len(obj.Status.History), len(data))
	}
	s.History = append(s.History, v1alpha1.TriggerRun{FiredAt: at})
	if err := cluster.Client.Status().Update(t.Context(), obj); err == nil {
		t.Error("one run more is accepted")
	}
}

func newEventTrigger(t *testing.T, name string) *v1alpha1.EventTrigger {
	t.Helper()
	obj := &v1alpha1.EventTrigger{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: name}}
	obj.Spec.LinkedAccountID = "acme"
	obj.Spec.Event = &v1alpha1.EventReference{Slug: "deal-created", Name: "Deal Created"}
	obj.Spec.Retry = &v1alpha1.RetryPolicy{}
	if err := cluster.Client.Create(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Client.Delete(context.WithoutCancel(t.Context()), obj) })
	return obj
}
