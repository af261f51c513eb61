// Package gitops tests what Argo CD, Helm and kubectl make of our objects, with their own code. It is a module of its
// own, so that nobody else has to do with what that code needs.
package gitops
