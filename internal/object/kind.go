package object

import (
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Kind is one of our kinds.
type Kind struct {
	Name   string
	Object client.Object
	List   client.ObjectList
}
