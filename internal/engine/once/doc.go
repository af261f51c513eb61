// Package once makes calls that must not be made twice. Before such a call, the status says that it is about to be made
// (intent.go). If the operator dies in between, nobody knows whether the call was made, and the status says so.
package once
