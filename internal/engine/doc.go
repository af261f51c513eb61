// Package engine is one reconcile, whatever the kind (loop.go), told in the order of its steps:
//
//	read          the object, or one of its name that was lost with something left in Cobalt
//	Lags          the cache has what this operator wrote last, or the object comes back in a moment
//	restore       finalizer and annotations that somebody has taken away
//	suspended     or without a finalizer while it is deleted: there is nothing to do
//	begin         its account, its environment, and what has changed since the run before
//	Begin         what the handler makes of that: why this run, and whether anything is due
//	Share.Enter   a worker of its environment, which is not to take all of them
//	Sync, Delete  the handler brings Cobalt in line with the object
//	Classify      what an error means: who acts next, and when to try again
//	finish        the conditions, and one status patch if anything has changed (report.go)
//	next          what is remembered of the run (memory), and when the next one is
//
// There are two handlers: package managed is for objects that keep a state in Cobalt, package once for those whose calls must
// not be made twice. Steps return errors and nothing else; condition.Classify alone gives errors their meaning. A kind is a
// folder in internal/controller that implements managed.Resource or once.Action, and nothing of the above. Environments have a
// reconciler of their own, in internal/controller/environment, which uses what all kinds share (core.go).
package engine
