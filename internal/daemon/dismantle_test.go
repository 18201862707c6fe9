package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func deleting(s Snapshot, keepTasks bool) Snapshot {
	s.Environment.Status, s.Environment.KeepTasks = EnvironmentDeleting, keepTasks
	return s
}

func TestDeletingAnEnvironment(t *testing.T) {
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     []string
	}{
		"stops its daemons, budget or not": {many(deleting(fixture(), false), 1, 3, running(2)), []string{"stop i-001", "stop i-002", "stop i-003"}},
		"leaves them running if told to":   {many(deleting(fixture(), true), 1, 2, running(2)), []string{"forget i-001", "forget i-002"}},
		"waits while a claim's call may be on its way": {
			deleting(fixture(), false).with(1, claimed(2*time.Minute)), []string{"observe i-001"},
		},
		"then asks what the claim brought": {
			deleting(fixture(), false).with(1, claimed(3*time.Minute)), []string{"resolve i-001"},
		},
		"waits as well where tasks are kept: the next of its name has to know them": {
			deleting(fixture(), true).with(1, claimed(2*time.Minute)).with(2, running(2)), []string{"observe i-001", "forget i-002"},
		},
		"asks as well where tasks are kept": {deleting(fixture(), true).with(1, claimed(3*time.Minute)), []string{"resolve i-001"}},
		"waits for what it stopped": {
			deleting(fixture(), false).with(1, placed(2, StatusStopped, "DEACTIVATING"), stopping(time.Second)), []string{"observe i-001"},
		},
		"forgets what has stopped":        {deleting(fixture(), false).with(1, placed(2, StatusStopped, StatusStopped), stopping(time.Second)), []string{"forget i-001"}},
		"stops a task that no slot has":   {deleting(fixture(), false).with(1, stray("x")), []string{"stop i-001"}},
		"starts nothing on a new host":    {deleting(fixture(), false).with(1).with(2, running(2)), []string{"stop i-002"}},
		"finishes when nothing is left":   {deleting(fixture(), false).with(1), []string{"finish"}},
		"asks about a host that has left": {deleting(fixture(), false).with(1, running(2), hostChange(func(h *Host) { h.Status = "INACTIVE" })), []string{"resolve i-001"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, brief(Plan(c.snapshot, t0)))
		})
	}
}

// Events are lost: a task that the environment inherited may be known to nobody until a reconcile has been there.
func TestADeletionWaitsToHearOfInheritedTasks(t *testing.T) {
	inherits := func(createdAgo, deletedAgo, syncedAgo time.Duration) Snapshot {
		s := deleting(fixture(), false)
		s.Environment.FormerIDs = []string{"before"}
		s.Environment.CreatedAt, s.Environment.UpdatedAt = t0.Add(-createdAgo), t0.Add(-deletedAgo)
		for key := range s.Clusters {
			s.Clusters[key] = Freshness{SyncedAt: t0.Add(-syncedAgo)}
		}
		return s
	}
	finished := []string{"finish"}
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     []string
	}{
		"no reconcile since it was made":            {inherits(20*time.Minute, time.Minute, 21*time.Minute), []string{}},
		"one while former starts were on their way": {inherits(20*time.Minute, time.Minute, 18*time.Minute), []string{}},
		"one after those":                           {inherits(20*time.Minute, time.Minute, 16*time.Minute), finished},
		"none for an hour":                          {inherits(2*time.Hour, time.Hour, 3*time.Hour), finished},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, brief(Plan(c.snapshot, t0))) })
	}
	kept := inherits(20*time.Minute, time.Minute, 21*time.Minute)
	kept.Environment.KeepTasks = true
	require.Equal(t, finished, brief(Plan(kept, t0)), "whoever leaves tasks running leaves these, too")
}
