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
	// It is tried again on a change, on request and once per sync interval; an
	// EventTrigger that Cobalt has refused only on a change and on request.
	ConditionStalled = "Stalled"
)

// How reasons are written, because docs/reasons.md is made of it: the comment on
// a group starts with "Reasons of" and the conditions it belongs to; that on a
// constant is its name, a colon, the meaning, and as the last sentence who acts next.

// Reasons of Ready=True.
const (
	// ReasonSynced: Cobalt is as spec says. Nobody acts.
	ReasonSynced = "Synced"
	// ReasonReadOnly: read and compared, nothing written, because managementPolicy
	// is ReadOnly; the message counts the differences. Nobody acts.
	ReasonReadOnly = "ReadOnly"
	// ReasonConnected: an environment's API answered with its key. Nobody acts.
	ReasonConnected = "Connected"
	// ReasonArmed: a trigger waits for the next time in its schedule; the status
	// tells when that is and how the last run ended. Nobody acts.
	ReasonArmed = "Armed"
	// ReasonCompleted: the execution that a trigger started has ended well. Nobody acts.
	ReasonCompleted = "Completed"
	// ReasonAccepted: Cobalt has started what a trigger asked for, and readyWhen
	// Accepted asks for no more; the status tells how it ends. Nobody acts.
	ReasonAccepted = "Accepted"
	// ReasonAcceptedUntracked: Cobalt took what a trigger asked for and named no
	// execution, so that nobody can tell how it ends. Nobody acts.
	ReasonAcceptedUntracked = "AcceptedUntracked"
)

// Reasons of Ready=False with Reconciling=True: the operator goes on by itself.
const (
	// ReasonEnvironmentNotReady: the environment is missing, not Ready or being
	// deleted. Whoever owns the environment acts; its own status says how.
	ReasonEnvironmentNotReady = "EnvironmentNotReady"
	// ReasonLinkedAccountNotReady: the account that the object belongs to is not in
	// Cobalt yet, or no longer. Whoever owns the account acts; if a LinkedAccount is
	// named, its own status says how.
	ReasonLinkedAccountNotReady = "LinkedAccountNotReady"
	// ReasonSecretNotFound: a Secret or its key is missing; the message names it.
	// Whoever provides it creates it, or the user corrects the reference.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonConfigMapNotFound: a ConfigMap or its key is missing; the message names
	// it. Whoever provides it creates it, or the user corrects the reference.
	ReasonConfigMapNotFound = "ConfigMapNotFound"
	// ReasonWorkflowNotReady: the PublicWorkflow that a trigger refers to does not
	// exist or is not in Cobalt yet. Whoever owns it acts; its own status says how.
	ReasonWorkflowNotReady = "WorkflowNotReady"
	// ReasonConfigNotReady: the IntegrationConfig that a trigger refers to does not
	// exist or is not in Cobalt yet. Whoever owns it acts; its own status says how.
	ReasonConfigNotReady = "ConfigNotReady"
	// ReasonExecutionRunning: what a trigger started has not ended. Nobody acts; time passes.
	ReasonExecutionRunning = "ExecutionRunning"
	// ReasonRetrying: what a trigger started has failed and is started again after a
	// pause, as spec.retry says. Nobody acts; time passes.
	ReasonRetrying = "Retrying"
	// ReasonRemoteNotFound: under managementPolicy ReadOnly, Cobalt has no such
	// thing. Somebody creates it there, or the policy becomes Manage.
	ReasonRemoteNotFound = "RemoteNotFound"
	// ReasonThrottled: Cobalt asked to slow down (a 429, or a 503 that says when to
	// come back). Nobody acts; time passes.
	ReasonThrottled = "Throttled"
	// ReasonFailed: a call failed in a way that may pass: network, time-out, 5xx, a
	// nonsensical answer, a web page in the place of one, or a refusal for now (409, 421,
	// 423); or Kubernetes refused a write. Nobody acts yet: the operator tries again with
	// growing pauses, or when Cobalt says.
	ReasonFailed = "Failed"
	// ReasonDeletionPending: an environment is being deleted while objects have something
	// there that their own deletion deletes. The user deletes those objects; the environment
	// goes after the last of them.
	ReasonDeletionPending = "DeletionPending"
	// ReasonDependentsExist: an account is not deleted in Cobalt while objects of
	// it exist. The user deletes those as well; the message names those of the
	// same namespace and counts the others.
	ReasonDependentsExist = "DependentsExist"
)

// Reasons of Ready=False with Stalled=True: the user acts next.
const (
	// ReasonRejected: the API refused the request; the message carries its own words.
	// An EventTrigger makes its call again by itself only after a 429, a 401 to the key, a
	// 404 INVALID_LINKED_ACCOUNT_ID in the first two minutes of the account, and a 409,
	// 421 or 423 until the progress deadline. The user corrects spec.
	ReasonRejected = "Rejected"
	// ReasonInvalidInput: spec, or a Secret or ConfigMap that it refers to, holds
	// something unusable. The user corrects it; the message names the field, or the
	// Secret or ConfigMap and its key.
	ReasonInvalidInput = "InvalidInput"
	// ReasonSecretNotOwned: the Secret to write exists and was not made for this
	// object. The user deletes it or chooses another name.
	ReasonSecretNotOwned = "SecretNotOwned"
	// ReasonAuthenticationFailed: an environment's API key is empty or was refused;
	// for two minutes after a working key was replaced it is Reconciling, then
	// Stalled. The user puts a valid key into the Secret that the message names.
	ReasonAuthenticationFailed = "AuthenticationFailed"
	// ReasonNotAllowed: the operator's --allowed-api-origins or a
	// ClusterEnvironment's allowedNamespaces forbid it. The user, or whoever set the
	// rule that the message names, changes one of the two.
	ReasonNotAllowed = "NotAllowed"
	// ReasonInvalidCABundle: what caBundleRef names does not hold a PEM certificate.
	// The user corrects it.
	ReasonInvalidCABundle = "InvalidCABundle"
	// ReasonClusterEnvironmentsDisabled: the operator watches single namespaces
	// and has no access to ClusterEnvironments. The user deletes the object and
	// creates it again with an Environment, as environmentRef cannot be changed.
	ReasonClusterEnvironmentsDisabled = "ClusterEnvironmentsDisabled"
	// ReasonApplicationNotFound: Cobalt has no application of that slug, or it was
	// disabled. The user corrects the slug, for which an IntegrationConfig has to be
	// made anew, or enables the application in Cobalt.
	ReasonApplicationNotFound = "ApplicationNotFound"
	// ReasonInsecureURL: a webhook's url is plain http, and none of the operator's
	// --allowed-api-origins is. The user gives an https URL.
	ReasonInsecureURL = "InsecureURL"
	// ReasonDifferentAccount: what the object refers to is in another environment,
	// or belongs to another account. The user makes the object anew with that
	// environmentRef and account, or corrects the reference.
	ReasonDifferentAccount = "DifferentAccount"
	// ReasonNotConverging: Cobalt does not keep what spec asks for; status.drift
	// shows both. The user changes spec to what Cobalt keeps, or asks Cobalt why.
	ReasonNotConverging = "NotConverging"
	// ReasonCreateOutcomeUnknown: a workflow was being created when the operator
	// stopped, or Cobalt's answer was lost or is no clear one, so that there may be one
	// or none; another try could make a second one; the message says what happened to the
	// call. The user looks it up in Cobalt and sets the annotation that the message names,
	// to adopt it or to try again.
	ReasonCreateOutcomeUnknown = "CreateOutcomeUnknown"
	// ReasonDeliveryUnknown: a trigger was making its call when the operator stopped, or
	// Cobalt's answer was lost or is no clear one, so that it may have started something
	// or not, and delivery AtMostOnce forbids another try; the message says what happened
	// to the call. The user looks it up in Cobalt and, if nothing was started, changes
	// spec.trigger.
	ReasonDeliveryUnknown = "DeliveryUnknown"
	// ReasonExecutionFailed: what a trigger started has failed, or taken longer than
	// executionTimeout, and spec.retry allows no more attempts. The user looks into
	// the execution that the message names, then changes spec.trigger to start it again.
	ReasonExecutionFailed = "ExecutionFailed"
	// ReasonInvalidSchedule: schedule or timeZone of a trigger cannot be understood,
	// or no day is ever like that. The user corrects it; the message says what is wrong.
	ReasonInvalidSchedule = "InvalidSchedule"
	// ReasonEventNotFound: Cobalt has no event of that slug and name. The user
	// corrects them, or makes the event in Cobalt.
	ReasonEventNotFound = "EventNotFound"
	// ReasonWorkflowNotFound: Cobalt has no workflow of that id for the account. The
	// user corrects the id, or publishes the workflow in Cobalt.
	ReasonWorkflowNotFound = "WorkflowNotFound"
	// ReasonConflict: an older object stands for the same thing in Cobalt. The
	// user deletes one of the two; the message names the other, if it is in the same
	// namespace.
	ReasonConflict = "Conflict"
	// ReasonDifferentEnvironment: the key or URL of an environment seems to lead to
	// another Cobalt environment than before, or most of its accounts have vanished;
	// nothing is written to Cobalt. The user puts it back, or accepts it with the
	// annotation that the message names.
	ReasonDifferentEnvironment = "DifferentEnvironment"
	// ReasonProgressDeadlineExceeded: failing, or waiting for something that is
	// missing, for longer than the operator's --progress-deadline. The user looks
	// into the cause that the message names; the operator goes on trying.
	ReasonProgressDeadlineExceeded = "ProgressDeadlineExceeded"
)
