package object

import (
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
		return AccountByName(obj.GetNamespace(), ref.Name)
	}
	return AccountByID(account.LinkedAccountID)
}

// AccountByName is the value of AccountIndex for those that name a LinkedAccount.
func AccountByName(namespace, name string) string { return "name " + namespace + "/" + name }

// AccountByID is the value of AccountIndex for those that give the id.
func AccountByID(id string) string { return "id " + id }

// IdentityKey is the value of IdentityIndex for one identity within an account,
// which is given by name or by id.
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
