package daemon

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const readyName = "blox.log-agent"

func announcing(s Snapshot) Snapshot {
	s.Revision.ReadinessAttribute = readyName
	return minHealthy(completed(s), 10)
}

// ready has the host carry an attribute.
func ready(name string) func(*Snapshot, *Host) {
	return func(s *Snapshot, h *Host) {
		slotChange(func(slot *Slot) { slot.Attribute, slot.AttributeOn = name, h.ContainerInstanceARN })(s, h)
	}
}

func sick() func(*Snapshot, *Host) {
	return func(s *Snapshot, _ *Host) { s.Tasks[len(s.Tasks)-1].Health = healthUnhealthy }
}

func status(word string) func(*Snapshot, *Host) { return hostChange(func(h *Host) { h.Status = word }) }

func attributeFailed(retryIn time.Duration) func(*Snapshot, *Host) {
	return slotChange(func(s *Slot) { s.AttributeError, s.AttributeRetryAt = "full", ago(-retryIn) })
}

func TestTheReadinessAttribute(t *testing.T) {
	renamed := announcing(fixture())
	renamed.Revision.ReadinessAttribute = "other"
	none := announcing(fixture())
	none.Revision.ReadinessAttribute = ""
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     []string
	}{
		"is set when the daemon is well":              {announcing(fixture()).with(1, running(2)), []string{"setAttribute i-001"}},
		"is set once":                                 {announcing(fixture()).with(1, running(2), ready(readyName)), []string{}},
		"not while the daemon is young":               {announcing(fixture()).with(1, running(2), young()), []string{"observe i-001"}},
		"stays while a daemon is young":               {announcing(fixture()).with(1, running(2), young(), ready(readyName)), []string{"observe i-001"}},
		"not on a draining host":                      {announcing(fixture()).with(1, running(2), status(StatusDraining), hostChange(func(h *Host) { h.OtherTasks = 1 })), []string{"observe i-001"}},
		"stays on a draining host with its daemon":    {announcing(fixture()).with(1, running(2), ready(readyName), status(StatusDraining), hostChange(func(h *Host) { h.OtherTasks = 1 })), []string{"observe i-001"}},
		"goes when the daemon is not healthy":         {announcing(fixture()).with(1, running(2), ready(readyName), sick()), []string{"deleteAttribute i-001"}},
		"goes when the daemon is gone":                {announcing(fixture()).with(1, slotted(func(s *Slot) { s.RetryAt = ago(-time.Hour) }), ready(readyName)), []string{"deleteAttribute i-001"}},
		"goes when the host is not eligible any more": {announcing(fixture()).with(1, slotted(func(*Slot) {}), ready(readyName), hostChange(func(h *Host) { h.Managed = true })), []string{"deleteAttribute i-001"}},
		"goes when the agent stays away":              {announcing(fixture()).with(1, running(2), ready(readyName), awaySince(time.Hour)), []string{"deleteAttribute i-001"}},
		"goes when it is renamed, then comes":         {renamed.with(1, running(2), ready(readyName)), []string{"deleteAttribute i-001"}},
		"goes when it is given up":                    {none.with(1, running(2), ready(readyName)), []string{"deleteAttribute i-001"}},
		"is set anew on a new registration": {
			announcing(fixture()).with(1, running(2), slotChange(func(s *Slot) { s.Attribute, s.AttributeOn = readyName, "old" })), []string{"setAttribute i-001"},
		},
		"stays while a surge's old daemon serves": {
			surgeMethod(announcing(fixture())).with(1, placed(2, StatusRunning, "PENDING"), beside(1, StatusRunning, StatusRunning), ready(readyName)), []string{},
		},
		"waits after a failed try":                           {announcing(fixture()).with(1, running(2), attributeFailed(time.Minute)), []string{"observe i-001"}},
		"is tried again":                                     {announcing(fixture()).with(1, running(2), attributeFailed(0)), []string{"setAttribute i-001"}},
		"waits while an earlier call may be on its way":      {announcing(fixture()).with(1, running(2), askedBefore(callSettles-time.Second)), []string{"observe i-001"}},
		"is set again when nobody knows whether it was":      {announcing(fixture()).with(1, running(2), askedBefore(callSettles)), []string{"setAttribute i-001"}},
		"goes when nobody knows, and the daemon is young":    {announcing(fixture()).with(1, running(2), young(), askedBefore(callSettles)), []string{"deleteAttribute i-001"}},
		"goes with the environment when nobody knows":        {deleting(announcing(fixture()), false).with(1, slotted(func(*Slot) {}), askedBefore(callSettles)), []string{"deleteAttribute i-001"}},
		"keeps the environment while nobody knows":           {deleting(announcing(fixture()), false).with(1, slotted(func(*Slot) {}), askedBefore(time.Second)), []string{"observe i-001"}},
		"is no matter on a new registration":                 {announcing(fixture()).with(1, running(2), young(), askedBefore(0), slotChange(func(s *Slot) { s.AttributeOn = "old" })), []string{"observe i-001"}},
		"is left alone in a frozen environment":              {frozen(announcing(fixture())).with(1, running(2)), []string{}},
		"comes after what is more urgent":                    {announcing(fixture()).with(1, slotted(func(*Slot) {}), ready(readyName)), []string{"start i-001"}},
		"is no longer tried on a host that left":             {announcing(fixture()).with(1, slotted(func(*Slot) {}), ready(readyName), status("INACTIVE")), []string{"forget i-001"}},
		"goes with a deleted environment, the daemon first":  {deleting(announcing(fixture()), false).with(1, running(2), ready(readyName)), []string{"stop i-001"}},
		"goes with a deleted environment, before its record": {deleting(announcing(fixture()), false).with(1, slotted(func(*Slot) {}), ready(readyName)), []string{"deleteAttribute i-001"}},
		"goes also if the tasks are kept":                    {deleting(announcing(fixture()), true).with(1, running(2), ready(readyName)), []string{"deleteAttribute i-001"}},
		"is left behind if it cannot be deleted for an hour": {deleting(announcing(fixture()), true).with(1, running(2), ready(readyName), attributeFailed(0)), []string{"forget i-001"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, ofHosts(Plan(c.snapshot, t0)))
		})
	}
}

// askedBefore is a driver that asked ECS for the attribute so long ago, and of which nothing was heard since.
func askedBefore(d time.Duration) func(*Snapshot, *Host) {
	return func(s *Snapshot, h *Host) {
		ready(readyName)(s, h)
		slotChange(func(slot *Slot) { slot.AttributeAsked = ago(d) })(s, h)
	}
}

func frozen(s Snapshot) Snapshot {
	s.Environment.Frozen = &Freeze{At: t0.Add(-time.Hour), By: "ada", Reason: "sale"}
	return s
}

func TestADeletionTriesForAnHourToTakeItsAttributesBack(t *testing.T) {
	s := deleting(announcing(fixture()), false).with(1, slotted(func(*Slot) {}), ready(readyName), attributeFailed(0))
	s.Environment.UpdatedAt = t0.Add(-attributePatience + time.Second)
	require.Equal(t, []string{"deleteAttribute i-001"}, ofHosts(Plan(s, t0)))
	s.Environment.UpdatedAt = t0.Add(-attributePatience)
	require.Equal(t, []string{"forget i-001"}, ofHosts(Plan(s, t0)))
}

func TestWhatTheSlotSaysOfAnAttribute(t *testing.T) {
	settings := DefaultSettings()
	set := Plan(announcing(fixture()).with(1, running(2), attributeFailed(0)), t0)[0]
	require.Equal(t, Attribute{Name: readyName, Value: "ready"}, *set.Attribute)
	require.Equal(t, readyName, set.Slot.Attribute)
	require.Equal(t, set.Slot.ContainerInstanceARN, set.Slot.AttributeOn)
	require.Empty(t, set.Slot.AttributeError)

	intent := set.AttributeIntent(t0)
	require.Equal(t, readyName, intent.Attribute)
	require.Equal(t, set.Slot.ContainerInstanceARN, intent.AttributeOn)
	require.Equal(t, t0, *intent.AttributeAsked, "it may be there from here on")
	require.Nil(t, set.Slot.AttributeAsked)

	refused := set.AttributeFailed(intent, "host has ten attributes", true, settings, t0)
	require.Empty(t, refused.Attribute, "it is not there")
	require.Nil(t, refused.AttributeAsked)
	require.Equal(t, "host has ten attributes", refused.AttributeError)
	require.Equal(t, t0.Add(5*time.Minute), *refused.AttributeRetryAt)
	require.Equal(t, t0.Add(5*time.Minute), *refused.WakeAt)
	lost := set.AttributeFailed(intent, "no answer", false, settings, t0)
	require.Equal(t, readyName, lost.Attribute, "it may be there")
	require.Equal(t, t0, *lost.AttributeAsked)

	gone := Plan(announcing(fixture()).with(1, running(2), ready(readyName), sick()), t0)[0]
	require.Equal(t, Attribute{Name: readyName}, *gone.Attribute)
	require.Empty(t, gone.Slot.Attribute)
	require.Equal(t, readyName, gone.AttributeIntent(t0).Attribute, "it may be there until it is known to be gone")
	failed := gone.AttributeFailed(gone.AttributeIntent(t0), "throttled", false, settings, t0)
	require.Equal(t, readyName, failed.Attribute)
	require.Equal(t, t0, *failed.AttributeAsked)
}

func TestAnAttributeThatNobodyKnowsOfIsNotShown(t *testing.T) {
	known := Explain(announcing(fixture()).with(1, running(2), ready(readyName)), t0)
	require.Equal(t, readyName, known[0].ReadinessAttribute)
	unknown := Explain(announcing(fixture()).with(1, running(2), askedBefore(time.Second)), t0)
	require.Empty(t, unknown[0].ReadinessAttribute)
}

func TestAHostOfTheBaseKeepsTheBasesAttribute(t *testing.T) {
	s := announcing(fixture())
	base := s.Revision
	base.Number, base.TaskDefinition, base.ReadinessAttribute = 1, taskDefinition(1), "old-name"
	s.Base = &base
	s = paused(s).with(1, running(1), ready("old-name"))
	require.Empty(t, ofHosts(Plan(s, t0)))
}

func TestAReplacementTakesThePlaceOfAnAttribute(t *testing.T) {
	s := fixture()
	s.Revision.ReadinessAttribute = readyName
	s = s.with(1, running(1))
	require.Equal(t, []string{"stop i-001"}, ofHosts(Plan(s, t0)), "one write of a slot a plan")
}
