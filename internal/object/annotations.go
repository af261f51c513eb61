package object

import (
	"context"
	"fmt"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// Annotations in which an object carries what must outlive its status. Each
// value reads <namespace>/<name>:<value>, so that a copy of the object under
// another name does not take it for its own.
const (
	AccountAnnotation     = "cobalt.gocobalt.io/account"
	OriginAnnotation      = "cobalt.gocobalt.io/origin"
	VanishedAnnotation    = "cobalt.gocobalt.io/vanished"
	CredentialsAnnotation = "cobalt.gocobalt.io/credentials"
	WorkflowAnnotation    = "cobalt.gocobalt.io/workflow-id"
	AdoptedAnnotation     = "cobalt.gocobalt.io/adopted-workflow"
	FiredAnnotation       = "cobalt.gocobalt.io/fired"
)

// Annotation returns the value of an annotation that is obj's own, and nothing of another's.
func Annotation(obj client.Object, name string) (value string, ok bool) {
	value, ok = strings.CutPrefix(obj.GetAnnotations()[name], client.ObjectKeyFromObject(obj).String()+":")
	if !ok {
		return "", false
	}
	return value, true
}

// SetAnnotation sets an annotation that is obj's own, in memory.
func SetAnnotation(obj client.Object, name, value string) {
	annotations := obj.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[name] = client.ObjectKeyFromObject(obj).String() + ":" + value
	obj.SetAnnotations(annotations)
}

// HasFinalizer tells whether obj stays until the operator lets it go.
func HasFinalizer(obj client.Object) bool {
	return controllerutil.ContainsFinalizer(obj, v1alpha1.Finalizer)
}

// AddFinalizer puts the finalizer and the annotations that obj lacks on it, in one write,
// and returns obj as the API server has it then. It fails if obj is not the
// newest version: what was seen of Cobalt must not be recorded for an object
// that another run has changed meanwhile.
func AddFinalizer[T client.Object](ctx context.Context, c client.Client, obj T, annotations map[string]string) (T, error) {
	held := obj.DeepCopyObject().(T)
	changed := controllerutil.AddFinalizer(held, v1alpha1.Finalizer)
	if !setAnnotations(held, annotations) && !changed {
		return obj, nil
	}
	return patched(ctx, c, obj, held)
}

// Annotate is AddFinalizer without the finalizer.
func Annotate[T client.Object](ctx context.Context, c client.Client, obj T, annotations map[string]string) (T, error) {
	marked := obj.DeepCopyObject().(T)
	if !setAnnotations(marked, annotations) {
		return obj, nil
	}
	return patched(ctx, c, obj, marked)
}

// setAnnotations sets the annotations that obj lacks, and tells whether there were any.
func setAnnotations(obj client.Object, annotations map[string]string) (changed bool) {
	for name, value := range annotations {
		if present, ok := Annotation(obj, name); !ok || present != value {
			SetAnnotation(obj, name, value)
			changed = true
		}
	}
	return changed
}

// patched makes obj what wanted is, and returns it as the API server has it then.
func patched[T client.Object](ctx context.Context, c client.Client, obj, wanted T) (T, error) {
	if err := c.Patch(ctx, wanted, client.MergeFromWithOptions(obj, client.MergeFromWithOptimisticLock{})); err != nil {
		return obj, fmt.Errorf("write the finalizer, which must be there first: %w", err)
	}
	wanted.SetManagedFields(nil) // as in the cache: nobody reads them, and they are half of an object
	return wanted, nil
}

// RemoveFinalizer takes the finalizer off obj. It fails if obj is not the newest version: what
// was decided about it may not hold any more, as when another object has just handed
// over to it what it had created.
func RemoveFinalizer(ctx context.Context, c client.Client, obj client.Object) error {
	released := obj.DeepCopyObject().(client.Object)
	if !controllerutil.RemoveFinalizer(released, v1alpha1.Finalizer) {
		return nil
	}
	return client.IgnoreNotFound(c.Patch(ctx, released, client.MergeFromWithOptions(obj, client.MergeFromWithOptimisticLock{})))
}
