// Package managed brings Cobalt in line with objects that keep a state there:
//
//	conflicting     other objects that describe the same thing in Cobalt: the oldest counts
//	rest            nothing has changed, and neither the sync interval nor the pause of what failed is over: no call
//	Connect         the client of its environment, if that lets the object through
//	Desired         what spec asks for, with Secrets and ConfigMaps read
//	Observe         what Cobalt has: by a shared list, or by a call of its own before anything is written
//	believe         something on the way may have said that nothing is there: that is made sure of
//	AddFinalizer    finalizer and annotations, before anything is written to Cobalt
//	Create, Update  only if something differs; what Cobalt answers is not asked for again
//	Publish         what users should see, and what deletion relies on, goes into the status: before an update and after it
//	Extend          what cannot be compared, such as credentials and output Secrets; also if a step before has failed
//
// An object that is being deleted goes through deletion.go in the place of the steps from Connect on.
package managed
