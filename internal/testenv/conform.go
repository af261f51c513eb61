package testenv

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// Conform checks the rules that the status of every object must keep to, and
// that kstatus draws the conclusion from it that was meant. It returns what is
// wrong, or nil.
func Conform(obj client.Object) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return err
	}
	u := &unstructured.Unstructured{Object: content}
	conditions, err := conditionsOf(u)
	if err != nil {
		return err
	}
	observed, _, _ := unstructured.NestedInt64(content, "status", "observedGeneration")
	if len(conditions) == 0 {
		return inProgress(u) // not looked at yet
	}
	if observed < 1 || observed > obj.GetGeneration() {
		return fmt.Errorf("observedGeneration is %d, generation %d", observed, obj.GetGeneration())
	}
	if err := checkShape(conditions); err != nil {
		return err
	}
	if observed < obj.GetGeneration() || !obj.GetDeletionTimestamp().IsZero() {
		return nil // kstatus looks no further than these
	}
	return checkVerdict(u, conditions)
}

func conditionsOf(u *unstructured.Unstructured) (map[string]metav1.Condition, error) {
	list, _, err := unstructured.NestedSlice(u.Object, "status", "conditions")
	if err != nil {
		return nil, err
	}
	conditions := map[string]metav1.Condition{}
	for _, item := range list {
		var c metav1.Condition
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(item.(map[string]any), &c); err != nil {
			return nil, err
		}
		conditions[c.Type] = c
	}
	return conditions, nil
}

// checkShape checks the conditions among themselves.
func checkShape(conditions map[string]metav1.Condition) error {
	ready, ok := conditions[v1alpha1.ConditionReady]
	if !ok {
		return fmt.Errorf("there is no Ready condition")
	}
	_, reconciling := conditions[v1alpha1.ConditionReconciling]
	_, stalled := conditions[v1alpha1.ConditionStalled]
	switch {
	case reconciling && stalled:
		return fmt.Errorf("both Reconciling and Stalled")
	case ready.Status == metav1.ConditionTrue && (reconciling || stalled):
		return fmt.Errorf("it is Ready, but also Reconciling or Stalled")
	case ready.Status != metav1.ConditionTrue && !reconciling && !stalled:
		return fmt.Errorf("neither Ready nor Reconciling nor Stalled: nobody is said to act")
	}
	for _, c := range conditions {
		if c.Type != v1alpha1.ConditionReady && (c.Status != metav1.ConditionTrue || c.Reason != ready.Reason || c.Message != ready.Message) {
			return fmt.Errorf("%s says %s %s %q, Ready says %s %q", c.Type, c.Status, c.Reason, c.Message, ready.Reason, ready.Message)
		}
		if c.Message == "" || strings.ContainsAny(c.Message, "\n\r\t") {
			return fmt.Errorf("the message of %s is not one line of text: %q", c.Type, c.Message)
		}
	}
	return nil
}

// checkVerdict compares what kstatus makes of an object with what was meant.
func checkVerdict(u *unstructured.Unstructured, conditions map[string]metav1.Condition) error {
	want := status.InProgressStatus
	if conditions[v1alpha1.ConditionReady].Status == metav1.ConditionTrue {
		want = status.CurrentStatus
	} else if _, stalled := conditions[v1alpha1.ConditionStalled]; stalled {
		want = status.FailedStatus
	}
	return verdict(u, want)
}

func inProgress(u *unstructured.Unstructured) error { return verdict(u, status.InProgressStatus) }

func verdict(u *unstructured.Unstructured, want status.Status) error {
	got, err := status.Compute(u)
	if err != nil {
		return fmt.Errorf("kstatus: %w", err)
	}
	if got.Status != want {
		return fmt.Errorf("kstatus says %s (%s), meant is %s", got.Status, got.Message, want)
	}
	return nil
}
