package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason  string
		args    []string
		wantErr string
	}{
		"Defaults":        {reason: "the operator must start without flags"},
		"NeverSync":       {reason: "0 means never", args: []string{"--sync-interval=0"}},
		"HotSync":         {reason: "nobody may make the operator poll in a hot loop", args: []string{"--sync-interval=1s"}, wantErr: "at least 30s"},
		"NoWorkers":       {reason: "without a worker nothing would ever happen", args: []string{"--max-concurrent-reconciles=0"}, wantErr: "at least 1"},
		"NoDeadline":      {reason: "everything would be Stalled at once", args: []string{"--progress-deadline=0s"}, wantErr: "longer than 0"},
		"NoTimeToEnd":     {reason: "calls end at once then", args: []string{"--grace-period=0s"}},
		"NoGracePeriod":   {reason: "it cannot be over before it begins", args: []string{"--grace-period=-1s"}, wantErr: "must not be negative"},
		"LeaseTooShort":   {reason: "it would be taken while it is renewed", args: []string{"--leader-elect-lease-duration=10s"}, wantErr: "longer than --leader-elect-renew"},
		"LeaseInParts":    {reason: "a lease holds whole seconds", args: []string{"--leader-elect-lease-duration=15500ms"}, wantErr: "whole seconds"},
		"NoTimeToRenew":   {reason: "one slow answer would lose the lease", args: []string{"--leader-elect-retry-period=9s"}, wantErr: "1.2 times"},
		"NoPause":         {reason: "replicas would ask in a hot loop", args: []string{"--leader-elect-retry-period=0s"}, wantErr: "longer than 0"},
		"NotAnOrigin":     {reason: "a typing error must not silently forbid everything", args: []string{"--allowed-api-origins=api.gocobalt.io"}, wantErr: "api.gocobalt.io"},
		"StrayArgument":   {reason: "most likely a forgotten --", args: []string{"leader-elect"}, wantErr: "unexpected argument"},
		"UnknownFlag":     {reason: "a typing error", args: []string{"--nope"}, wantErr: "unknown flag"},
		"TwoErrorsAtOnce": {reason: "all mistakes are told at once", args: []string{"--progress-deadline=0s", "--sync-interval=1s"}, wantErr: "longer than 0"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(tc.args)
			switch {
			case tc.wantErr == "" && err != nil:
				t.Errorf("%s: unexpected error: %v", tc.reason, err)
			case tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)):
				t.Errorf("%s: error %v does not say %q", tc.reason, err, tc.wantErr)
			}
		})
	}
}

func TestOptionsReachTheControllers(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{
		"--watch-namespaces=a,b", "--sync-interval=1h", "--progress-deadline=1m",
		"--allowed-api-origins=HTTPS://Cobalt.Example:443", "--max-concurrent-reconciles=3", "--metrics-cert-dir=/certificate",
	})
	if err != nil {
		t.Fatal(err)
	}
	got := o.controller()
	if !got.Namespaced || got.SyncInterval != time.Hour || got.ProgressDeadline != time.Minute {
		t.Errorf("options were lost: %+v", got)
	}
	if diff := cmp.Diff([]string{"https://cobalt.example"}, got.AllowedAPIOrigins); diff != "" {
		t.Errorf("origins must be normalised before they are compared: %s", diff)
	}
	manager := o.manager()
	if manager.Controller.MaxConcurrentReconciles != 3 || len(manager.Cache.DefaultNamespaces) != 2 ||
		manager.Metrics.CertDir != "/certificate" {
		t.Errorf("options were lost: %+v", manager)
	}
}

func TestTheTimesOfTheLeaseReachTheManager(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{
		"--leader-elect", "--grace-period=60s", "--leader-elect-lease-duration=30s", "--leader-elect-renew-deadline=20s",
		"--leader-elect-retry-period=3s",
	})
	if err != nil {
		t.Fatal(err)
	}
	got := o.manager()
	if *got.LeaseDuration != 30*time.Second || *got.RenewDeadline != 20*time.Second || *got.RetryPeriod != 3*time.Second {
		t.Errorf("times were lost: %s, %s, %s", got.LeaseDuration, got.RenewDeadline, got.RetryPeriod)
	}
	if !got.LeaderElection || !got.LeaderElectionReleaseOnCancel || *got.GracefulShutdownTimeout != 59*time.Second {
		t.Errorf("the lease is given back after %s", got.GracefulShutdownTimeout)
	}
}

func TestTheVersionNeedsNoCluster(t *testing.T) {
	t.Setenv("KUBECONFIG", "/does/not/exist")
	if err := run(t.Context(), []string{"--version"}); err != nil {
		t.Error(err)
	}
}
