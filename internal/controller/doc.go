// Package controller keeps Cobalt as the custom resources of this group want it.
//
// One reconcile, whatever the kind (reconciler.go):
//
//	belong          which account obj is of, and who else stands for the same
//	is it due?      nothing changed and the sync interval not over: rest, no call
//	connect         environmentRef -> Environment -> a client, if the breaker lets the object through
//	Desired         what spec asks for, with Secrets and ConfigMaps read
//	Observe         what Cobalt has: by a list, and live before anything is written
//	addFinalizer    finalizer and annotations, before anything exists in Cobalt
//	Create, Update  only if something differs; the answer is the observation
//	Publish         what users should see goes into the status
//	Extend          what can only be written: credentials, output Secrets
//	classify        what came of it: Ready, Reconciling, Stalled or nothing to say
//	report          one status patch, if anything changed
//
// Kinds whose calls must not be made twice have a flow of their own on the same
// report (action.go): an intent is written before the call (intent.go), and one
// that is found without an outcome means that nobody knows.
//
// Steps return errors and nothing else; outcome.go alone gives errors their
// meaning. A kind is one file that implements Resource, one line in setup.go,
// and nothing of the above.
package controller
