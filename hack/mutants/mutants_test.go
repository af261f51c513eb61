package main

import "testing"

// TestRulesAreWhereMutantsLookForThem keeps the mutants up to date, which nobody runs each day.
func TestRulesAreWhereMutantsLookForThem(t *testing.T) {
	t.Chdir("../..")
	for _, m := range mutants {
		if _, err := m.overlay(t.TempDir()); err != nil {
			t.Errorf("%s: %v", m.rule, err)
		}
	}
}
