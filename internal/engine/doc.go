// Package engine is one reconcile, whatever the kind. Of an object that keeps a state in Cobalt (managed.go):
//
//	account         which account it belongs to, and who else stands for the same
//	is it due?      nothing changed and the sync interval not over: rest, no call
//	Connect         environmentRef -> Environment -> a client, if the breaker lets the object through
//	Desired         what spec asks for, with Secrets and ConfigMaps read
//	Observe         what Cobalt has: by a list, and live before anything is written
//	AddFinalizer    finalizer and annotations, before anything exists in Cobalt
//	Create, Update  only if something differs; the answer is the observation
//	Publish         what users should see goes into the status
//	Extend          what can only be written: credentials, output Secrets
//	Classify        what came of it: Ready, Reconciling, Stalled or nothing to say
//	report          one status patch, if anything changed
//
// Kinds whose calls must not be made twice have a flow of their own (once.go): an intent is written before the
// call (intent.go), and one that is found without an outcome means that nobody knows.
//
// Steps return errors and nothing else; condition.Classify alone gives errors their meaning. A kind is a folder in
// internal/controller that implements Resource or Action, and nothing of the above.
package engine
