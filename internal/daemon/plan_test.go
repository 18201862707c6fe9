package daemon

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

func TestPlanForOneHost(t *testing.T) {
	draining := hostChange(func(h *Host) { h.Status, h.OtherTasks = StatusDraining, 2 })
	drained := func(s *Snapshot, h *Host) {
		h.Status = StatusDraining
		slotChange(func(s *Slot) { s.DrainingSince = ago(time.Minute) })(s, h)
	}
	away := hostChange(func(h *Host) { h.AgentConnected = false })
	inactive := hostChange(func(h *Host) { h.Status = "INACTIVE" })

	for name, c := range map[string]struct {
		snapshot Snapshot
		want     []string
	}{
		"a host without a daemon gets one":         {fixture().with(1), []string{"start i-001", "advance running"}},
		"a host with its daemon is left alone":     {completed(fixture()).with(1, running(2)), []string{}},
		"before the first deployment nothing runs": {undeployed(fixture()).with(1), []string{}},
		"a cluster never synced gets no action":    {unsynced(fixture()).with(1), []string{}},
		"nothing starts where the agent is away":   {completed(fixture()).with(1, away), []string{"observe i-001"}},
		"a daemon stays while its agent is away":   {completed(fixture()).with(1, running(2), away), []string{"observe i-001"}},
		"nothing starts on a draining host":        {completed(fixture()).with(1, draining), []string{}},
		"nothing starts on a Managed Instances host": {
			completed(fixture()).with(1, hostChange(func(h *Host) { h.Managed = true })), []string{},
		},
		"nothing of launch type EC2 starts on an external host": {
			completed(fixture()).with(1, hostChange(func(h *Host) { h.External = true })), []string{},
		},
		"a draining host keeps its daemon while others run": {completed(fixture()).with(1, running(2), draining), []string{"observe i-001"}},
		"a host that has just begun to drain may have tasks that are not stored yet": {
			completed(fixture()).with(1, running(2), hostChange(func(h *Host) { h.Status = StatusDraining })), []string{"observe i-001"},
		},
		"a drained host's daemon is stopped, though a look at other tasks is due later": {
			completed(fixture()).with(1, running(2), drained, slotChange(func(s *Slot) { s.WakeAt = ago(-4 * time.Minute) })), []string{"stop i-001"},
		},
		"a drained host's daemon is stopped":                  {completed(fixture()).with(1, running(2), drained), []string{"stop i-001"}},
		"a daemon that draining outlasts is stopped":          {completed(fixture()).with(1, running(2), draining, slotChange(func(s *Slot) { s.DrainingSince = ago(48 * time.Hour) })), []string{"stop i-001"}},
		"a dead daemon is replaced at once the first time":    {fixture().with(1, placed(2, "STOPPED", "STOPPED")), []string{"start i-001", "advance running"}},
		"a stopping daemon is waited for":                     {completed(fixture()).with(1, placed(2, "STOPPED", "DEACTIVATING")), []string{"observe i-001"}},
		"a dead daemon on a host that left is forgotten":      {completed(fixture()).with(1, placed(2, "STOPPED", "STOPPED"), inactive), []string{"forget i-001"}},
		"ECS is asked about a daemon of a host that left":     {completed(fixture()).with(1, running(2), inactive), []string{"resolve i-001"}},
		"an idle slot of a host that left is forgotten":       {completed(fixture()).with(1, slotted(func(*Slot) {}), inactive), []string{"forget i-001"}},
		"a host in back-off waits":                            {completed(fixture()).with(1, slotted(func(s *Slot) { s.RetryAt = ago(-time.Minute) })), []string{"observe i-001"}},
		"a host whose back-off is over is tried again":        {completed(fixture()).with(1, slotted(func(s *Slot) { s.RetryAt = ago(0) })), []string{"start i-001"}},
		"a claim is replayed":                                 {completed(fixture()).with(1, claimed(time.Minute)), []string{"replay i-001"}},
		"a claim is replayed even if the host drains":         {completed(fixture()).with(1, claimed(time.Minute), draining), []string{"replay i-001"}},
		"a claim too old for its token is resolved":           {completed(fixture()).with(1, claimed(30*time.Minute)), []string{"resolve i-001"}},
		"a claim whose task came by event adopts it":          {completed(fixture()).with(1, claimed(time.Minute), stray("x")), []string{"observe i-001"}},
		"a task without a slot is adopted":                    {completed(fixture()).with(1, stray("x")), []string{"observe i-001"}},
		"a second task on a host is stopped":                  {completed(fixture()).with(1, running(2), stray("x")), []string{"stopStray i-001"}},
		"a task somebody else put in our group is left alone": {completed(fixture()).with(1, running(2), foreign()), []string{}},
		"a stop that was claimed is called again":             {completed(fixture()).with(1, running(2), stopping(time.Minute)), []string{"restop i-001"}},
		"a stop called a moment ago is given time":            {completed(fixture()).with(1, running(2), stopping(time.Second)), []string{"observe i-001"}},
		"a stopped task makes room for the next at once":      {completed(fixture()).with(1, placed(2, "STOPPED", "STOPPED"), stopping(time.Second)), []string{"start i-001"}},
		"ECS is asked about a stop that never ends":           {completed(fixture()).with(1, placed(2, "STOPPED", "DEACTIVATING"), stopping(time.Minute)), []string{"resolve i-001"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, brief(Plan(c.snapshot, t0)))
		})
	}
}

func completed(s Snapshot) Snapshot {
	d := *s.Deployment
	d.Status = DeploymentCompleted
	s.Deployment = &d
	return s
}

func undeployed(s Snapshot) Snapshot {
	s.Deployment, s.Environment.DeploymentID = nil, ""
	return s
}

func unsynced(s Snapshot) Snapshot {
	s.Clusters = map[state.ClusterKey]Freshness{cluster: {}}
	return s
}

func claimed(age time.Duration) func(*Snapshot, *Host) {
	return slotted(func(s *Slot) {
		s.State, s.ClaimedAt, s.Revision, s.DeploymentID = SlotClaimed, ago(age), 2, "d-2"
		s.Request = json.RawMessage(`{}`)
	})
}

func stopping(since time.Duration) func(*Snapshot, *Host) {
	return slotChange(func(s *Slot) { s.State, s.StoppingAt, s.StopReason = SlotStopping, ago(since), "test" })
}

// stray puts a live task of ours on the host that no slot has.
func stray(id string) func(*Snapshot, *Host) {
	return func(s *Snapshot, h *Host) {
		s.Tasks = append(s.Tasks[:len(s.Tasks):len(s.Tasks)], Task{
			ARN: "arn:aws:ecs:eu-west-1:210987654321:task/edge/" + id, Host: h.Key,
			DesiredStatus: StatusRunning, LastStatus: StatusRunning,
			StartedBy: StartedBy("d-2"), TaskDefinition: taskDefinition(2),
		})
	}
}

func foreign() func(*Snapshot, *Host) {
	return func(s *Snapshot, h *Host) {
		stray("foreign")(s, h)
		s.Tasks[len(s.Tasks)-1].StartedBy = "somebody"
	}
}
