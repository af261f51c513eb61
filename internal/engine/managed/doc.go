// Package managed brings Cobalt in line with objects that keep a state there:
//
//	conflicting     other objects that describe the same thing in Cobalt: the oldest counts
//	rest            nothing has changed, and the sync interval is not over: no call
//	Connect         the client of its environment, if that lets the object through
//	Desired         what spec asks for, with Secrets and ConfigMaps read
//	Observe         what Cobalt has: by a shared list, or by a call of its own before anything is written
//	AddFinalizer    finalizer and annotations, before anything exists in Cobalt
//	Create, Update  only if something differs; what Cobalt answers is not asked for again
//	Publish         what users should see goes into the status
//	Extend          what cannot be compared, such as credentials and output Secrets
//
// An object that is being deleted goes through deletion.go in the place of the steps from Desired on.
package managed
