// Package engine is one reconcile, whatever the kind. The steps for an object that keeps a state in Cobalt (managed.go):
//
//	Accounts.Of     the account that the object belongs to
//	conflicting     other objects that describe the same thing in Cobalt: the oldest counts
//	rest            nothing has changed, and the sync interval is not over: no call
//	Connect         the client of its Environment or ClusterEnvironment, if that lets the object through
//	Desired         what spec asks for, with Secrets and ConfigMaps read
//	Observe         what Cobalt has: by a shared list, or by a call of its own before anything is written
//	AddFinalizer    finalizer and annotations, before anything exists in Cobalt
//	Create, Update  only if something differs; what Cobalt answers is not asked for again
//	Publish         what users should see goes into the status
//	Extend          what cannot be compared, such as credentials and output Secrets
//	Classify        what the error of a step means: who acts next, and when to try again
//	finish          one status patch, if anything has changed
//
// An object that is being deleted goes through deletion.go in the place of the steps from Desired on.
//
// Kinds whose calls must not be made twice have a flow of their own (once.go): before the call, the status says that
// it is about to be made (intent.go). If the operator dies in between, nobody knows whether the call was made, and the
// status says so.
//
// Steps return errors and nothing else; condition.Classify alone gives errors their meaning. A kind is a folder in
// internal/controller that implements Resource or Action, and nothing of the above. Environments have a reconciler of
// their own, in internal/controller/environment.
package engine
