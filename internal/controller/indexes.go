package controller

import "github.com/cobalt-operator/cobalt-operator/api/v1alpha1"

// The indexes of the cache.
const (
	environmentIndex = "environment"
	// accountIndex finds the objects that belong to an account.
	accountIndex  = "account"
	identityIndex = "identity"
	inputsIndex   = "inputs"
	outputIndex   = "output"
	remoteIndex   = "remote"
	// Of EventTriggers: what they follow, whose they are in Cobalt, what they refer to.
	executionIndex      = "execution"
	triggerAccountIndex = "trigger account"
	workflowRefIndex    = "workflow"
	configRefIndex      = "config"
)

// accountKeyOf is the value of accountIndex for an object that belongs to an account.
func accountKeyOf(obj Object) string {
	account := obj.Account()
	if ref := account.LinkedAccountRef; ref != nil {
		return accountName(obj.GetNamespace(), ref.Name)
	}
	return accountID(account.LinkedAccountID)
}

func accountName(namespace, name string) string { return "name " + namespace + "/" + name }

func accountID(id string) string { return "id " + id }

// identityKey is the value of identityIndex for one identity within an account,
// which is given by name or by id.
func identityKey(account v1alpha1.AccountReference, namespace, identity string) string {
	if account.LinkedAccountRef != nil {
		return "name " + namespace + "/" + account.LinkedAccountRef.Name + "\x00" + identity
	}
	return "id " + account.LinkedAccountID + "\x00" + identity
}

// remoteKey is the value of remoteIndex.
func remoteKey(account, id string) string { return account + "\x00" + id }

// triggerAccount is the value of triggerAccountIndex.
func triggerAccount(environment environmentKey, account string) string {
	return environment.String() + " " + account
}
