package object

import (
	"hash/fnv"
	"strconv"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// The indexes of the cache.
const (
	EnvironmentIndex = "environment"
	// AccountIndex finds the objects that belong to an account.
	AccountIndex  = "account"
	IdentityIndex = "identity"
	InputsIndex   = "inputs"
	OutputIndex   = "output"
	RemoteIndex   = "remote"
	// Of EventTriggers: what they follow, whose they are in Cobalt, what they refer to.
	ExecutionIndex      = "execution"
	TriggerAccountIndex = "trigger account"
	WorkflowRefIndex    = "workflow"
	ConfigRefIndex      = "config"
)

// AccountKey is the value of AccountIndex for an object that belongs to an account.
func AccountKey(obj Object) string {
	account := obj.Account()
	if ref := account.LinkedAccountRef; ref != nil {
		return ByName(obj.GetNamespace(), ref.Name)
	}
	return ByID(account.LinkedAccountID)
}

// ByName is the value of an index for those that refer to an object by its name.
func ByName(namespace, name string) string { return "name " + namespace + "/" + name }

// ByID is the value of AccountIndex for those that give an id.
func ByID(id string) string { return "id " + id }

// identityBuckets is how many values IdentityIndex has. The cache keeps two sets for each value of an index, which would be
// two for each object, of 400 bytes together; so identities share them, and who looks for one leaves others out.
const identityBuckets = 4096

// IdentityBucket is the value of IdentityIndex for an IdentityKey.
func IdentityBucket(key string) string {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(key)) // never fails
	return strconv.Itoa(int(hash.Sum32() % identityBuckets))
}

// IdentityKey names one identity within an account, which is given by name or by id.
func IdentityKey(account v1alpha1.AccountReference, namespace, identity string) string {
	if account.LinkedAccountRef != nil {
		return "name " + namespace + "/" + account.LinkedAccountRef.Name + "\x00" + identity
	}
	return "id " + account.LinkedAccountID + "\x00" + identity
}

// RemoteKey is the value of RemoteIndex.
func RemoteKey(account, id string) string { return account + "\x00" + id }

// TriggerAccountKey is the value of TriggerAccountIndex.
func TriggerAccountKey(environment EnvironmentKey, account string) string {
	return environment.String() + " " + account
}

// Index lets objects be found in the cache.
type Index struct {
	Name   string
	Object client.Object
	Keys   func(client.Object) []string
}

// Indexes are those whose keys an object tells by itself.
func Indexes() []Index {
	var indexes []Index
	for _, kind := range Users {
		indexes = append(indexes, Index{EnvironmentIndex, kind.Object, func(obj client.Object) []string {
			return []string{EnvironmentOf(obj.(Object)).String()}
		}})
	}
	for _, kind := range Dependents {
		indexes = append(indexes, Index{AccountIndex, kind.Object, func(obj client.Object) []string {
			return []string{AccountKey(obj.(Object))}
		}})
	}
	return append(indexes,
		Index{RemoteIndex, &v1alpha1.IntegrationConfig{}, func(obj client.Object) []string {
			status := obj.(*v1alpha1.IntegrationConfig).Status
			return []string{RemoteKey(status.LinkedAccountID, status.ID)}
		}},
		ofTriggers(ExecutionIndex, func(obj *v1alpha1.EventTrigger) []string {
			var ids []string
			for _, run := range obj.Status.OpenRuns() {
				ids = append(ids, run.ExecutionID)
			}
			return ids
		}),
		ofTriggers(TriggerAccountIndex, func(obj *v1alpha1.EventTrigger) []string {
			return []string{TriggerAccountKey(EnvironmentOf(obj), obj.Status.LinkedAccountID)}
		}),
		ofTriggers(WorkflowRefIndex, func(obj *v1alpha1.EventTrigger) []string {
			if obj.Spec.Workflow == nil || obj.Spec.Workflow.Ref == nil {
				return nil
			}
			return []string{ByName(obj.Namespace, obj.Spec.Workflow.Ref.Name)}
		}),
		ofTriggers(ConfigRefIndex, func(obj *v1alpha1.EventTrigger) []string {
			if obj.Spec.ConfigRef == nil {
				return nil
			}
			return []string{ByName(obj.Namespace, obj.Spec.ConfigRef.Name)}
		}),
	)
}

func ofTriggers(name string, keys func(*v1alpha1.EventTrigger) []string) Index {
	return Index{name, &v1alpha1.EventTrigger{}, func(obj client.Object) []string { return keys(obj.(*v1alpha1.EventTrigger)) }}
}
