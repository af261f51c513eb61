package v1alpha1

// InputsStatus remembers the Secrets and ConfigMaps that an object uses, so that a
// change of one of them is noticed even after a restart.
type InputsStatus struct {
	// inputsVersion stands for the versions of the Secrets and ConfigMaps used.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	InputsVersion string `json:"inputsVersion,omitempty"`
	// inputsHash tells whether the keys used still hold the same where the versions
	// differ: a random salt, a colon and a SHA-256, in hex. It covers the uid of each
	// Secret as well, so that a short value cannot be guessed from it.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	InputsHash string `json:"inputsHash,omitempty"`
}
