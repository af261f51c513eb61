package main

const (
	controller = "internal/controller/"
	engine     = "internal/engine/"
	object     = "internal/object/"
)

var mutants = []mutant{
	{
		rule: "an object has the finalizer before anything is made in Cobalt", file: object + "annotations.go",
		text: "changed := controllerutil.AddFinalizer(held, v1alpha1.Finalizer)", with: "changed := false",
		stories:  `leaves nothing, whenever it dies \(a Webhook, created\)`,
		inMemory: "TestFinalizersComeFirst",
	},
	{
		rule: "an environment is held before anything is done in it", file: controller + "environment/environment.go",
		text: "if !deleting { //", with: "if false { //",
		stories:  `is held before anything is done in it`,
		inMemory: "TestFinalizersComeFirst",
	},
	{
		rule: "an intent is written before the call", file: engine + "once/intent.go",
		text: "if err := run.Commit(ctx); err != nil {", with: "if err := error(nil); err != nil {",
		stories:  `whenever it dies \(a PublicWorkflow, created\)`,
		inMemory: "TestAnIntentComesBeforeItsCall",
	},
	{
		rule: "a cache that may be stale is not believed", file: engine + "managed/freshness.go",
		text: "if run.known() || run.vanished {", with: "if true {",
		stories:  `whatever its successor sees \(a Webhook, deleted\)|goes in the moment in which it is held`,
		inMemory: "TestAStaleCacheMakesNothing",
	},
	{
		rule: "an action's status is written over none that nobody has seen", file: engine + "run.go",
		text: "_, err := run.PatchStatus(ctx, true)", with: "_, err := run.PatchStatus(ctx, false)",
		stories:  `whatever its successor sees \(.*AtMostOnce, (created|changed)\)`,
		inMemory: "TestAStaleCacheFiresNothing",
	},
	{
		rule: "the first status of an object is written over none that nobody has seen", file: engine + "managed/report.go",
		text: "written, err := run.PatchStatus(ctx, run.held || !run.known())", with: "written, err := run.PatchStatus(ctx, false)",
		stories:  `leaves nothing, whatever its successor sees \(a LinkedAccount, changed\)`,
		inMemory: "TestAStatusIsWrittenOnlyOverTheObjectItIsAbout",
	},
	{
		rule: "a status is written once", file: engine + "core.go",
		text:     "return c.Client.Status().Patch(ctx, obj, patch)",
		with:     "return errors.Join(c.Client.Status().Patch(ctx, obj, patch), c.Client.Status().Patch(ctx, obj, client.MergeFrom(before)))",
		stories:  `is created with one write call and two Kubernetes writes`,
		inMemory: "TestWrites",
	},
	{
		rule: "a run that finds nothing new writes nothing", file: engine + "run.go",
		text: "if equality.Semantic.DeepEqual(run.Before.", with: "if false && equality.Semantic.DeepEqual(run.Before.",
		stories:  `is created with one write call and two Kubernetes writes`,
		inMemory: "TestWrites",
	},
	{
		rule: "what changes beside the keys that are used is no change", file: "internal/inputs/usedinputs.go",
		text: `hash.Matches(known.hash, "", held)`, with: "held == nil",
		stories:  `is read once when something else in it changes`,
		inMemory: "TestWhatChangesBesideTheKeysIsNoChange",
	},
	{
		rule: "secrets are taken out of what people can read", file: "internal/redact/redact.go",
		text: "if len(s.values) == 0 || text == \"\" {", with: "if true {",
		stories:  `takes payload from Secrets, which is seen nowhere`,
		inMemory: "TestSecretsAreTakenOut",
	},
	{
		rule: "a call whose outcome is unknown is not repeated under AtMostOnce", file: controller + "eventtrigger/triggerfire.go",
		text: "if t.Obj.Spec.Delivery == v1alpha1.DeliveryAtLeastOnce {", with: "if true {",
		stories:  `whenever it dies \(an event, AtMostOnce, created\)`,
		inMemory: "TestWhatMayHaveBeenDoneIsNotDoneAgain",
	},
	{
		rule: "of two objects for one account the older counts", file: engine + "managed/conflicts.go",
		text: "return slices.MinFunc(append([]object.Managed{obj}, conflicting...), older)", with: "return obj",
		stories:  `Two objects for one account are in conflict`,
		inMemory: "TestTheOlderOfTwoCounts",
	},
	{
		rule: "a key that leads elsewhere stops everything", file: controller + "environment/verify.go",
		text: "if 2*missing <= total ||", with: "if true ||",
		stories:  `A key that leads elsewhere stops everything`,
		inMemory: "TestAKeyThatLeadsElsewhereStopsEverything",
	},
	{
		rule: "what may be a stray answer makes no deletion complete", file: engine + "managed/deletion.go",
		text: "err = r.confirm(ctx, api, run, err)", with: "err = nil",
		stories:  `goes with it although one 404 is false`,
		inMemory: "TestMissesAreConfirmed",
	},
	{
		rule: "the loss of the finalizer wakes an object", file: controller + "watches.go",
		text:    "predicate.GenerationChangedPredicate{}, requestChanged, engine.MetadataTakenAway)",
		with:    "predicate.GenerationChangedPredicate{}, requestChanged)",
		stories: `whose finalizer and annotations somebody has taken away`,
	},
	{
		rule: "an annotation leads no deletion to an account that is not lent", file: engine + "managed/deletion.go",
		text:     `if !allowed && (status.ID == "" || status.LinkedAccountID == "" || status.Origin == "") {`,
		with:     `if !allowed && status.ID == "" {`,
		stories:  `do not lead its deletion to an account`,
		inMemory: "TestWhoMayNotUseAnEnvironment",
	},
	{
		rule: "what others made is kept, however short a time before", file: object + "origin.go",
		text: "case created.Before(r.Since.Add(-clockSkew)):", with: "case false:",
		stories: `stays when an object goes`,
	},
	{
		rule: "what an update has made again is its object's", file: controller + "linkedaccount/linkedaccount.go",
		text: "if now != nil && now.ID != remote.ID {", with: "if false {",
		stories: `goes with its object if the operator's own call has made it again`,
	},
	{
		rule: "no credentials are sent on an answer that proves nothing", file: "internal/environment/remote.go",
		text: "err = r.heard(ctx)", with: "err = nil",
		stories: `are not sent where something on the way drops`,
	},
	{
		rule: "who may not use an environment holds nobody up", file: object + "counting.go",
		text: "return granted && manages(obj) && (!suspended", with: "return manages(obj) && (!suspended",
		stories: `keep no account from being deleted: one of`,
	},
	{
		rule: "a Secret of somebody else is not overwritten", file: controller + "linkedaccount/output.go",
		text: "return madeFor(secret) == obj.Name", with: "return true",
		stories: `never overwrites somebody else's Secret`,
	},
}
