package v1alpha1

// Condition types, in the sense of kstatus. Ready is always present once an
// object was looked at; the other two are present only while True, and never
// together.
const (
	// ConditionReady is True while Cobalt is as spec says. False comes with
	// Reconciling (the operator or somebody else acts next) or Stalled (the user
	// acts next).
	ConditionReady = "Ready"
	// ConditionReconciling is True while the operator is at work or waits for
	// something that is expected to come. Nobody needs to act yet.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when only a person can help. The message says how.
	// It is tried again on a change, on request and once per sync interval.
	ConditionStalled = "Stalled"
)

// Reasons of Ready=True.
const (
	// ReasonSynced: Cobalt is as spec says. Nobody acts.
	ReasonSynced = "Synced"
	// ReasonReadOnly: read and compared, nothing written, because managementPolicy
	// is ReadOnly; the message counts the differences. Nobody acts.
	ReasonReadOnly = "ReadOnly"
	// ReasonConnected: an environment's API answered with its key. Nobody acts.
	ReasonConnected = "Connected"
)

// Reasons of Ready=False with Reconciling=True: the operator goes on by itself.
const (
	// ReasonEnvironmentNotReady: the environment is missing or not Ready. Whoever
	// owns the environment acts; its own message says how.
	ReasonEnvironmentNotReady = "EnvironmentNotReady"
	// ReasonSecretNotFound: a Secret or its key is missing. Whoever provides it acts.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonConfigMapNotFound: a ConfigMap or its key is missing. Whoever provides it acts.
	ReasonConfigMapNotFound = "ConfigMapNotFound"
	// ReasonRemoteNotFound: under managementPolicy ReadOnly, Cobalt has no such
	// thing. Somebody creates it there, or the policy becomes Manage.
	ReasonRemoteNotFound = "RemoteNotFound"
	// ReasonThrottled: Cobalt asked to slow down (429). Nobody acts; time passes.
	ReasonThrottled = "Throttled"
	// ReasonFailed: a call failed in a way that may pass: network, time-out, 5xx or
	// a nonsensical answer. Nobody acts yet; it is tried again with growing pauses.
	ReasonFailed = "Failed"
	// ReasonDeletionPending: waiting to delete in Cobalt; the message says for what.
	ReasonDeletionPending = "DeletionPending"
	// ReasonDependentsExist: an account is not deleted in Cobalt while objects of
	// it exist. The user deletes those as well; the message names them.
	ReasonDependentsExist = "DependentsExist"
)

// Reasons of Ready=False with Stalled=True: the user acts next.
const (
	// ReasonRejected: the API refused the request. The user corrects spec; the
	// message carries the API's own words.
	ReasonRejected = "Rejected"
	// ReasonInvalidInput: a Secret or ConfigMap that spec refers to holds
	// something unusable. The user corrects it; the message names it and its key.
	ReasonInvalidInput = "InvalidInput"
	// ReasonSecretNotOwned: the Secret to write exists and was not made for this
	// object. The user deletes it or chooses another name.
	ReasonSecretNotOwned = "SecretNotOwned"
	// ReasonAuthenticationFailed: an environment's API key was refused. The user
	// puts a valid key into the Secret that the message names.
	ReasonAuthenticationFailed = "AuthenticationFailed"
	// ReasonNotAllowed: the operator's or a ClusterEnvironment's rules forbid it.
	// The user, or who set the rule, acts.
	ReasonNotAllowed = "NotAllowed"
	// ReasonInvalidCABundle: caBundleRef does not hold a PEM certificate. The user corrects it.
	ReasonInvalidCABundle = "InvalidCABundle"
	// ReasonClusterEnvironmentsDisabled: the operator watches single namespaces
	// and has no access to ClusterEnvironments. The user refers to an Environment.
	ReasonClusterEnvironmentsDisabled = "ClusterEnvironmentsDisabled"
	// ReasonNotConverging: Cobalt does not keep what spec asks for. The user
	// changes spec to what Cobalt keeps, or asks Cobalt; status.drift shows both.
	ReasonNotConverging = "NotConverging"
	// ReasonConflict: an older object stands for the same thing in Cobalt. The
	// user deletes one of the two; the message names the other.
	ReasonConflict = "Conflict"
	// ReasonDifferentEnvironment: the key or URL of an environment leads to
	// another Cobalt environment than before. The user puts it back, or accepts it
	// with the annotation that the message names.
	ReasonDifferentEnvironment = "DifferentEnvironment"
	// ReasonProgressDeadlineExceeded: failing for longer than the operator's
	// --progress-deadline. The user looks into the cause named in the message; the
	// operator goes on trying.
	ReasonProgressDeadlineExceeded = "ProgressDeadlineExceeded"
)
