package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func migrating(s Snapshot) Snapshot {
	s.Revision.MigrateFrom = "logs"
	return s
}

// served has a task of the service on the host.
func served(last string) func(*Snapshot, *Host) {
	return hostChange(func(h *Host) {
		h.Foreign = &Task{ARN: "service-task", Host: h.Key, DesiredStatus: StatusRunning, LastStatus: last}
	})
}

func handedOver() func(*Snapshot, *Host) {
	return slotted(func(s *Slot) { s.HandedOver, s.Disrupted, s.UpdatingSince = "logs", true, ago(time.Minute) })
}

func TestTakingOverFromAService(t *testing.T) {
	leaving := hostChange(func(h *Host) { h.Foreign.DesiredStatus = StatusStopped })
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     []string
	}{
		"half of the hosts at once": {many(migrating(fixture()), 1, 4, served(StatusRunning)), []string{"handOver i-001", "handOver i-002"}},
		"hosts whose task is being stopped first, for free": {
			migrating(minimum(fixture(), 100)).with(1, served(StatusRunning)).with(2, served(StatusRunning), leaving),
			[]string{"handOver i-002", "handOver i-001"},
		},
		"not while others are on their way":                   {many(migrating(fixture()).with(9, handedOver(), served(StatusRunning), leaving), 1, 1, served(StatusRunning)), []string{"observe i-009"}},
		"not on stale knowledge":                              {migrating(stale(fixture())).with(1, served(StatusRunning)), []string{}},
		"not while the deployment is paused":                  {migrating(paused(fixture())).with(1, served(StatusRunning)), []string{}},
		"ours waits for the service's task to end":            {migrating(completed(fixture())).with(1, handedOver(), served(StatusRunning), leaving), []string{"observe i-001"}},
		"then ours is started":                                {migrating(fixture()).with(1, handedOver()), []string{"start i-001"}},
		"the attribute is put again if the task stays":        {migrating(fixture()).with(1, handedOver(), served(StatusRunning)), []string{"handOver i-001"}},
		"not more often than events need":                     {migrating(fixture()).with(1, handedOver(), served(StatusRunning), slotChange(func(s *Slot) { s.WakeAt = ago(-time.Second) })), []string{"observe i-001"}},
		"and if it comes back beside ours":                    {migrating(completed(fixture())).with(1, running(2), served(StatusRunning), slotChange(func(s *Slot) { s.HandedOver = "logs" })), []string{"handOver i-001"}},
		"not if ours is stopped there":                        {migrating(completed(fixture())).with(1, running(2), served(StatusRunning), slotChange(func(s *Slot) { s.HandedOver = "logs" }), hostChange(func(h *Host) { h.Managed = true })), []string{"stop i-001"}},
		"a host without a task of the service is taken first": {migrating(fixture()).with(1), []string{"setAttribute i-001"}},
		"also when it joins after the deployment":             {migrating(completed(fixture())).with(1), []string{"setAttribute i-001"}},
		"and by a look at that host alone":                    {partly(migrating(fixture())).with(1), []string{"setAttribute i-001"}},
		"not on stale knowledge, which may lack its task":     {migrating(stale(fixture())).with(1), []string{"observe i-001"}},
		"not while the environment is frozen":                 {frozenNow(migrating(fixture())).with(1), []string{"observe i-001"}},
		"ours is not started before events can have come":     {migrating(fixture()).with(1, takenFirst(slotRetry(time.Second))), []string{"observe i-001"}},
		"and it is started when they can have come":           {migrating(fixture()).with(1, takenFirst(slotRetry(0))), []string{"start i-001"}},
		"nor while a task of the service is there after all":  {migrating(completed(fixture())).with(1, takenFirst(slotRetry(0)), served("PENDING"), slotChange(func(s *Slot) { s.WakeAt = ago(-time.Second) })), []string{"observe i-001"}},
		"nor while the host may not carry the attribute":      {migrating(fixture()).with(1, takenFirst(fullHost(time.Minute))), []string{"observe i-001"}},
		"where the attribute was refused, it is set again":    {migrating(fixture()).with(1, takenFirst(fullHost(0))), []string{"setAttribute i-001"}},
		"also where the service still has its task":           {migrating(completed(fixture())).with(1, takenFirst(fullHost(0)), served(StatusRunning)), []string{"handOver i-001"}},
		"but not before its time":                             {migrating(completed(fixture())).with(1, takenFirst(fullHost(time.Minute)), served(StatusRunning)), []string{"observe i-001"}},
		"and where the host has registered anew":              {migrating(fixture()).with(1, takenFirst(slotRetry(0)), slotChange(func(s *Slot) { s.ContainerInstanceARN = "earlier" })), []string{"setAttribute i-001"}},
		"a host that has ours from before is taken, too":      {migrating(completed(fixture())).with(1, running(2), served(StatusRunning)), []string{"setAttribute i-001"}},
		"not before ours has settled":                         {minHealthy(migrating(completed(fixture())), 60).with(1, running(2), slotChange(func(s *Slot) { s.HealthySince = ago(59 * time.Second) })), []string{"observe i-001"}},
		"nor if ours has no place there":                      {migrating(completed(fixture())).with(1, running(2), status(StatusDraining)), []string{"observe i-001"}},
		"handed over by a revision that names no service any more, the host keeps ours": {
			completed(fixture()).with(1, running(2), slotChange(func(s *Slot) { s.HandedOver = "logs" })), []string{},
		},
		"and gets a new one":                             {completed(fixture()).with(1, handedOver()), []string{"start i-001"}},
		"deleted after that, the host is given back":     {deleting(fixture(), false).with(1, handedOver()), []string{"deleteAttribute i-001"}},
		"a host that drains is left to the service":      {migrating(fixture()).with(1, served(StatusRunning), status(StatusDraining)), []string{}},
		"deleted, the host is given back":                {deleting(migrating(fixture()), false).with(1, handedOver()), []string{"deleteAttribute i-001"}},
		"deleted, not before our task has stopped":       {deleting(migrating(fixture()), false).with(1, running(2), slotChange(func(s *Slot) { s.HandedOver = "logs" })), []string{"stop i-001"}},
		"deleted with its tasks kept, the host stays":    {deleting(migrating(fixture()), true).with(1, running(2), slotChange(func(s *Slot) { s.HandedOver = "logs" })), []string{"forget i-001"}},
		"deleted, a host that left needs nothing":        {deleting(migrating(fixture()), false).with(1, handedOver(), status("INACTIVE")), []string{"forget i-001"}},
		"deleted, given back and then forgotten":         {deleting(migrating(fixture()), false).with(1, slotted(func(*Slot) {})), []string{"forget i-001"}},
		"deleted, an attribute that will not go is left": {deleting(migrating(fixture()), false).with(1, handedOver(), attributeFailed(0)), []string{"forget i-001"}},
		"deleted, one that may go yet is waited for":     {deleting(migrating(changedNow(fixture())), false).with(1, handedOver(), attributeFailed(time.Minute)), []string{"observe i-001"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, ofHosts(Plan(c.snapshot, t0)))
		})
	}
}

func partly(s Snapshot) Snapshot { s.Full = false; return s }

func frozenNow(s Snapshot) Snapshot { s.Environment.Frozen = &Freeze{At: t0}; return s }

// takenFirst is a host that had no task of the service when it was handed over.
func takenFirst(change func(*Slot)) func(*Snapshot, *Host) {
	return slotted(func(s *Slot) { s.HandedOver = "logs"; change(s) })
}

func slotRetry(in time.Duration) func(*Slot) {
	return func(s *Slot) { s.RetryAt = ago(-in) }
}

func fullHost(retryIn time.Duration) func(*Slot) {
	return func(s *Slot) { s.AttributeError, s.AttributeRetryAt = "the host has ten others", ago(-retryIn) }
}

func TestWhatTakingAnEmptyHostStores(t *testing.T) {
	s := migrating(fixture()).with(1)
	a := Plan(s, t0)[0]
	require.Equal(t, Attribute{Name: "blox.handover", Value: "log-agent"}, *a.Attribute)
	require.Equal(t, "logs", a.Slot.HandedOver)
	require.False(t, a.Slot.Disrupted, "nobody lacks anything by our doing")
	require.Equal(t, t0.Add(30*time.Second), *a.Slot.RetryAt, "a task that the service started before is known by then")
	require.Equal(t, *a.Slot.RetryAt, *a.Slot.WakeAt)

	intent := a.AttributeIntent(t0)
	require.Equal(t, "logs", intent.HandedOver, "a deletion takes the attribute back, whatever became of the call")
	require.Equal(t, "not known whether ECS has set blox.handover", intent.AttributeError)

	intent.RecordVersion++
	full := a.AttributeFailed(intent, "the host has ECS's limit of ten custom attributes", true, s.Settings, t0)
	s.Slots = []Slot{full}
	_, waits := waitsOf(s)
	require.Equal(t, "its attributes could not be changed (the host has ECS's limit of ten custom attributes), "+
		"which is tried again at 2026-11-20T09:05:00Z", waits)
}

// changedNow has the environment changed a moment ago.
func changedNow(s Snapshot) Snapshot {
	s.Environment.UpdatedAt = t0
	return s
}

func TestWhatAHandOverStores(t *testing.T) {
	a := Plan(migrating(fixture()).with(1, served(StatusRunning)), t0)[0]
	require.Equal(t, Attribute{Name: "blox.handover", Value: "log-agent"}, *a.Attribute)
	require.Equal(t, "logs", a.Slot.HandedOver)
	require.Equal(t, SlotIdle, a.Slot.State)
	require.True(t, a.Slot.Disrupted, "the host is paid for until ours is well")
	require.Equal(t, t0, *a.Slot.UpdatingSince)
	require.Equal(t, "taken over from service logs", a.Reason)

	starting := Plan(migrating(fixture()).with(1, served("PENDING")), t0)[0]
	require.True(t, starting.Slot.Disrupted, "its task may work by now: nobody asked ECS about it")
}

func TestAHostWithTheServicesTaskLacksNothing(t *testing.T) {
	require.Nil(t, tended(t, migrating(paused(fixture())).with(1, served(StatusRunning), slotted(func(s *Slot) { s.WakeAt = ago(0) }))).UnhealthySince)
	require.NotNil(t, tended(t, migrating(paused(fixture())).with(1, served("PENDING"), slotted(func(*Slot) {}))).UnhealthySince)
	_, waits := waitsOf(migrating(paused(fixture())).with(1, served(StatusRunning)))
	require.NotEmpty(t, waits)
}
