// Package object is what the objects of this API group have in common: their environment, finalizer, annotations and
// statuses, what tells where the things in Cobalt came from that they stand for, and what each counts for. Whoever goes
// through objects of others asks here, so that one table decides.
package object

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cobalt-operator/cobalt-operator/api/v1alpha1"
)

// Object is a custom resource of this API group that belongs to an environment.
type Object interface {
	client.Object
	// Account says which account obj belongs to, or is.
	Account() v1alpha1.AccountReference
	MemberSpec() *v1alpha1.MemberSpec
	MemberStatus() *v1alpha1.MemberStatus
	// WholeStatus is for comparing it.
	WholeStatus() any
}

// Managed is an Object that keeps a state in Cobalt.
type Managed interface {
	Object
	CommonSpec() *v1alpha1.CommonSpec
	CommonStatus() *v1alpha1.CommonStatus
}

// Environment is an Environment or a ClusterEnvironment.
type Environment interface {
	client.Object
	Settings() *v1alpha1.EnvironmentSettings
	EnvironmentStatus() *v1alpha1.EnvironmentStatus
	APIKey() v1alpha1.NamespacedAPIKeyReference
	CABundle() *v1alpha1.NamespacedCABundleReference
}
