// Package engine is one reconcile, whatever the kind (loop.go), told in the order of its steps:
//
//	read          the object, or one that went although it had just been given the finalizer (managed/lostobjects.go)
//	Lags          the cache has what this operator wrote last, or the object comes back in a moment
//	restore       finalizer and annotations that somebody has taken away
//	Suspend       of a suspended object: its status says no more what is not going to happen
//	begin         its Secrets and ConfigMaps, account and environment, and the fingerprint of all that
//	Begin         what the handler makes of it: why this run, and whether anything is due
//	Share.Enter   a worker, of which one environment must not take all
//	Sync, Delete  the handler brings Cobalt in line with the object; after a Delete without error the finalizer goes
//	finish        what the error means (condition.Classify), the conditions, one status patch if anything has changed, events
//	next          what is remembered of the run (memory), and when the next one is
//
// There are two handlers: package managed is for objects that keep a state in Cobalt, package once for those whose calls must
// not be made twice. How a step has failed is said by its error alone, and condition.Classify alone says what that means. A kind is a
// folder in internal/controller that implements managed.Resource or once.Action, and nothing of the above. Environments have a
// reconciler of their own, in internal/controller/environment, which uses what all kinds share (core.go).
package engine
