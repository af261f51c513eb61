package gitops

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
	"github.com/cobalt-operator/cobalt-operator/internal/testenv"
)

// What the tools make of an object. kubectl never gives up early: it knows but the one condition it waits for.
var (
	done     = verdicts{status.CurrentStatus, "Healthy", returns, returns}
	underWay = verdicts{status.InProgressStatus, "Progressing", waits, waits}
	failed   = verdicts{status.FailedStatus, "Degraded", fails, waits}
	leaving  = verdicts{status.TerminatingStatus, "Progressing", waits, waits}
	// Nobody reports on the change that suspends an object, so only Argo CD, which looks at the spec, tells the difference.
	paused = verdicts{status.InProgressStatus, "Suspended", waits, waits}
	// kubectl looks at the Ready condition, which speaks of the generation before.
	endedHook  = verdicts{status.TerminatingStatus, "Healthy", waits, waits}
	failedHook = verdicts{status.TerminatingStatus, "Degraded", waits, waits}
)

// report is which conditions an object has.
type report string

const (
	none        report = ""
	ready       report = "Ready=True"
	reconciling report = "Reconciling=True"
	stalled     report = "Stalled=True"
	bare        report = "Ready=False"
	unsure      report = "Ready=Unknown"
)

// event is what happened to an object after its report.
type event string

const (
	nothing event = ""
	changed event = "changed"
	// suspended changes the spec, too.
	suspended event = "suspended"
	deleted   event = "deleted"
	// deletedHook is deleted while it has the finalizer that Argo CD puts on hooks.
	deletedHook event = "deleted hook"
	// statusLost is a status that somebody took away; the API server puts the default in its place.
	statusLost event = "status lost"
)

// state is one that an object can be in.
type state struct {
	kind   string
	report report
	reason string
	// phase and readyWhen of an EventTrigger.
	phase, readyWhen string
	then             event
	want             verdicts
}

func (s state) name() string {
	var parts []string
	for _, part := range []string{s.kind, string(s.report), s.reason, s.phase, s.readyWhen, string(s.then)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " ")
}

const (
	environment = "Environment"
	cluster     = "ClusterEnvironment"
	account     = "LinkedAccount"
	config      = "IntegrationConfig"
	webhook     = "Webhook"
	workflow    = "PublicWorkflow"
	trigger     = "EventTrigger"
)

var states = []state{
	// Before and beside any report.
	{account, none, "", "", "", nothing, underWay},
	{environment, none, "", "", "", nothing, underWay},
	{cluster, none, "", "", "", nothing, underWay},
	{config, none, "", "", "", nothing, underWay},
	{webhook, none, "", "", "", nothing, underWay},
	{workflow, none, "", "", "", nothing, underWay},
	{trigger, none, "", "", "", nothing, underWay},
	{account, ready, "Synced", "", "", statusLost, underWay},
	{account, none, "", "", "", suspended, paused},
	{account, ready, "Synced", "", "", suspended, paused},
	{account, stalled, "Rejected", "", "", suspended, paused},
	{account, ready, "Synced", "", "", changed, underWay},
	{account, stalled, "Rejected", "", "", changed, underWay},
	{account, bare, "Failed", "", "", nothing, underWay}, // the operator never leaves it at that
	{account, unsure, "Failed", "", "", nothing, underWay},
	{account, ready, "Synced", "", "", deleted, leaving},
	{account, stalled, "Rejected", "", "", deleted, leaving},
	{trigger, ready, "Completed", "Completed", "Completed", deletedHook, endedHook},
	{trigger, stalled, "ExecutionFailed", "Failed", "Completed", deletedHook, failedHook},
	{trigger, reconciling, "ExecutionRunning", "Running", "Completed", deletedHook, failedHook},

	// Nobody acts.
	{account, ready, "Synced", "", "", nothing, done},
	{config, ready, "Synced", "", "", nothing, done},
	{webhook, ready, "Synced", "", "", nothing, done},
	{workflow, ready, "Synced", "", "", nothing, done},
	{account, ready, "ReadOnly", "", "", nothing, done},
	{environment, ready, "Connected", "", "", nothing, done},
	{cluster, ready, "Connected", "", "", nothing, done},

	// The operator, or somebody else first.
	{account, reconciling, "EnvironmentNotReady", "", "", nothing, underWay},
	{config, reconciling, "LinkedAccountNotReady", "", "", nothing, underWay},
	{environment, reconciling, "SecretNotFound", "", "", nothing, underWay},
	{config, reconciling, "ConfigMapNotFound", "", "", nothing, underWay},
	{trigger, reconciling, "WorkflowNotReady", "", "", nothing, underWay},
	{trigger, reconciling, "ConfigNotReady", "", "", nothing, underWay},
	{account, reconciling, "RemoteNotFound", "", "", nothing, underWay},
	{account, reconciling, "Throttled", "", "", nothing, underWay},
	{account, reconciling, "Failed", "", "", nothing, underWay},
	{environment, reconciling, "AuthenticationFailed", "", "", nothing, underWay}, // shortly after a working key was replaced
	{environment, reconciling, "DeletionPending", "", "", deleted, leaving},
	{account, reconciling, "DependentsExist", "", "", deleted, leaving},

	// The user.
	{account, stalled, "Rejected", "", "", nothing, failed},
	{config, stalled, "InvalidInput", "", "", nothing, failed},
	{account, stalled, "SecretNotOwned", "", "", nothing, failed},
	{environment, stalled, "AuthenticationFailed", "", "", nothing, failed},
	{account, stalled, "NotAllowed", "", "", nothing, failed},
	{cluster, stalled, "InvalidCABundle", "", "", nothing, failed},
	{account, stalled, "ClusterEnvironmentsDisabled", "", "", nothing, failed},
	{config, stalled, "ApplicationNotFound", "", "", nothing, failed},
	{webhook, stalled, "InsecureURL", "", "", nothing, failed},
	{trigger, stalled, "DifferentAccount", "", "", nothing, failed},
	{webhook, stalled, "NotConverging", "", "", nothing, failed},
	{workflow, stalled, "CreateOutcomeUnknown", "", "", nothing, failed},
	{trigger, stalled, "InvalidSchedule", "", "", nothing, failed},
	{trigger, stalled, "EventNotFound", "", "", nothing, failed},
	{trigger, stalled, "WorkflowNotFound", "", "", nothing, failed},
	{account, stalled, "Conflict", "", "", nothing, failed},
	{environment, stalled, "DifferentEnvironment", "", "", nothing, failed},
	{account, stalled, "ProgressDeadlineExceeded", "", "", nothing, failed},

	// Triggers: how a run stands, and whether it is Ready once accepted or once completed.
	{trigger, none, "", "Firing", "Completed", nothing, underWay},
	{trigger, none, "", "Firing", "Accepted", nothing, underWay},
	{trigger, reconciling, "DeliveryUnknown", "Firing", "Completed", nothing, underWay}, // with delivery AtLeastOnce
	{trigger, reconciling, "ExecutionRunning", "Running", "Completed", nothing, underWay},
	{trigger, ready, "Accepted", "Running", "Accepted", nothing, done},
	{trigger, reconciling, "Retrying", "Retrying", "Completed", nothing, underWay},
	{trigger, ready, "Accepted", "Retrying", "Accepted", nothing, done},
	{trigger, ready, "AcceptedUntracked", "Accepted", "Completed", nothing, done},
	{trigger, ready, "AcceptedUntracked", "Accepted", "Accepted", nothing, done},
	{trigger, ready, "Completed", "Completed", "Completed", nothing, done},
	{trigger, ready, "Accepted", "Completed", "Accepted", nothing, done},
	{trigger, stalled, "ExecutionFailed", "Failed", "Completed", nothing, failed},
	{trigger, ready, "Accepted", "Failed", "Accepted", nothing, done},
	{trigger, stalled, "ExecutionFailed", "TimedOut", "Completed", nothing, failed},
	{trigger, ready, "Accepted", "TimedOut", "Accepted", nothing, done},
	{trigger, stalled, "DeliveryUnknown", "Unknown", "Completed", nothing, failed},
	{trigger, stalled, "DeliveryUnknown", "Unknown", "Accepted", nothing, failed},
	{trigger, ready, "Armed", "", "", nothing, done},
	{trigger, ready, "Armed", "Failed", "", nothing, done}, // the next run is another chance
}

// One API server serves all tests that need one.
func TestOnAnAPIServer(t *testing.T) {
	plane := startPlane(t)
	tools := newTools(t, plane.Config)
	t.Run("states", func(t *testing.T) { testEveryStateIsJudgedAlike(t, plane, tools) })
	t.Run("sync", func(t *testing.T) { testNothingButSpecIsOutOfSync(t, plane, tools) })
	t.Run("argocd-cm", func(t *testing.T) { testScriptsLeaveTheRestOfTheConfigMapAlone(t, plane, tools) })
	t.Run("example", func(t *testing.T) { testExampleIsAccepted(t, plane) })
}

func testEveryStateIsJudgedAlike(t *testing.T, plane *testenv.Cluster, tools tools) {
	specs := sampleSpecs(t)
	for i, s := range states {
		t.Run(s.name(), func(t *testing.T) {
			t.Parallel()
			obj := s.put(t, plane.Client, fmt.Sprintf("state-%d", i), specs)
			got, err := tools.judge(t.Context(), obj)
			must(t, err)
			if diff := cmp.Diff(s.want, got, cmp.AllowUnexported(verdicts{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// sampleSpecs has a spec of each kind from config/samples.
func sampleSpecs(t *testing.T) map[string]map[string]any {
	t.Helper()
	specs := map[string]map[string]any{}
	for _, obj := range readObjects(t, filepath.Join("..", "..", "config", "samples")) {
		if spec, ok := obj.Object["spec"].(map[string]any); ok && specs[obj.GetKind()] == nil {
			specs[obj.GetKind()] = spec
		}
	}
	return specs
}

// put brings an object into a state and returns it as the API server has it then.
func (s state) put(t *testing.T, c client.Client, name string, specs map[string]map[string]any) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{Object: map[string]any{"spec": s.spec(specs[s.kind])}}
	obj.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(s.kind))
	obj.SetName(name)
	if s.kind != cluster {
		obj.SetNamespace("default")
	}
	switch s.then {
	case deleted:
		obj.SetFinalizers([]string{v1alpha1.Finalizer})
	case deletedHook:
		obj.SetFinalizers([]string{"argocd.argoproj.io/hook-finalizer"})
	}
	must(t, c.Create(t.Context(), obj))
	if s.report != none || s.phase != "" {
		patchStatus(t, c, obj, map[string]any{"status": s.status(obj.GetGeneration())})
	}
	switch s.then {
	case changed:
		patch(t, c, obj, map[string]any{"spec": map[string]any{"name": "Another Name"}})
	case suspended:
		patch(t, c, obj, map[string]any{"spec": map[string]any{"suspend": true}})
	case statusLost:
		patchStatus(t, c, obj, map[string]any{"status": nil})
	case deleted, deletedHook:
		must(t, c.Delete(t.Context(), obj))
	}
	must(t, c.Get(t.Context(), client.ObjectKeyFromObject(obj), obj))
	return obj
}

func (s state) spec(sample map[string]any) map[string]any {
	spec := (&unstructured.Unstructured{Object: sample}).DeepCopy().Object
	if s.readyWhen != "" {
		spec["readyWhen"] = s.readyWhen
	}
	if s.reason == v1alpha1.ReasonArmed {
		spec["schedule"] = "0 7 * * 1-5"
	}
	return spec
}

func (s state) status(generation int64) map[string]any {
	reported := map[string]any{}
	if s.phase != "" {
		reported["phase"] = s.phase
	}
	if s.report == none {
		return reported
	}
	condition := func(conditionType string, value metav1.ConditionStatus) any {
		return map[string]any{
			"type": conditionType, "status": string(value), "reason": s.reason, "message": "what is the matter",
			"observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z",
		}
	}
	conditions := map[report][]any{
		ready:       {condition(v1alpha1.ConditionReady, metav1.ConditionTrue)},
		bare:        {condition(v1alpha1.ConditionReady, metav1.ConditionFalse)},
		unsure:      {condition(v1alpha1.ConditionReady, metav1.ConditionUnknown)},
		reconciling: {condition(v1alpha1.ConditionReady, metav1.ConditionFalse), condition(v1alpha1.ConditionReconciling, metav1.ConditionTrue)},
		stalled:     {condition(v1alpha1.ConditionReady, metav1.ConditionFalse), condition(v1alpha1.ConditionStalled, metav1.ConditionTrue)},
	}
	reported["conditions"], reported["observedGeneration"] = conditions[s.report], generation
	return reported
}
