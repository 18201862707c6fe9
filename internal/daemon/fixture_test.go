package daemon

import (
	"fmt"
	"time"

	"github.com/blox/blox/internal/state"
)

// The fixture is one environment on one cluster, synced a moment ago, with a deployment of revision 2.

var (
	t0      = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	cluster = state.ClusterKey{Account: "210987654321", Region: "eu-west-1", Name: "edge"}
)

func hostKey(n int) HostKey {
	return HostKey{Cluster: cluster, EC2InstanceID: fmt.Sprintf("i-%03d", n)}
}

func taskDefinition(revision int) string {
	return fmt.Sprintf("arn:aws:ecs:eu-west-1:210987654321:task-definition/log-agent:%d", revision)
}

func fixture() Snapshot {
	deployment := Deployment{ID: "d-2", EnvironmentID: "env", Revision: 2, Status: DeploymentRunning, CreatedAt: t0}
	return Snapshot{
		Environment: Environment{
			ID: "env", Name: "log-agent", Status: EnvironmentActive, Partition: "aws",
			Clusters: []state.ClusterKey{cluster}, Revision: 2, DeploymentID: deployment.ID,
		},
		Deployment: &deployment,
		Revision: Revision{
			EnvironmentID: "env", Number: 2, TaskDefinition: taskDefinition(2), LaunchType: LaunchTypeEC2,
			DeploymentConfiguration: DeploymentConfiguration{MinimumHealthyPercent: 50},
		},
		Installation: "blox", Full: true, Settings: DefaultSettings(),
		Clusters: map[state.ClusterKey]Freshness{cluster: {SyncedAt: t0.Add(-time.Minute)}},
	}
}

// with adds a host, and whatever else the options put on it.
func (s Snapshot) with(n int, options ...func(*Snapshot, *Host)) Snapshot {
	host := Host{
		Key: hostKey(n), Status: StatusActive, AgentConnected: true, RegisteredAt: t0.Add(-time.Hour),
		ContainerInstanceARN: fmt.Sprintf("arn:aws:ecs:eu-west-1:210987654321:container-instance/edge/c%03d", n),
	}
	at := len(s.Hosts)
	s.Hosts = append(s.Hosts[:at:at], host)
	for _, option := range options {
		option(&s, &s.Hosts[at])
	}
	return s
}

func taskARN(n, revision int) string {
	return fmt.Sprintf("arn:aws:ecs:eu-west-1:210987654321:task/edge/t%03dr%d", n, revision)
}

// placed gives the host a slot of a revision with a task in these statuses; healthy since an hour if it is RUNNING.
func placed(revision int, desired, last string) func(*Snapshot, *Host) {
	return func(s *Snapshot, h *Host) {
		since := t0.Add(-time.Hour)
		slot := Slot{
			EnvironmentID: "env", Host: h.Key, State: SlotPlaced, Revision: revision, Attempt: 1, RecordVersion: 3,
			DeploymentID: fmt.Sprintf("d-%d", revision), TaskARN: taskARN(len(s.Hosts), revision), PlacedAt: &since,
			ContainerInstanceARN: h.ContainerInstanceARN,
		}
		if last == StatusRunning {
			slot.HealthySince = &since
		}
		s.Slots = append(s.Slots[:len(s.Slots):len(s.Slots)], slot)
		s.Tasks = append(s.Tasks[:len(s.Tasks):len(s.Tasks)], Task{
			ARN: slot.TaskARN, Host: h.Key, DesiredStatus: desired, LastStatus: last,
			StartedBy: StartedBy(slot.DeploymentID), TaskDefinition: taskDefinition(revision),
		})
	}
}

// running is the ordinary case of placed.
func running(revision int) func(*Snapshot, *Host) {
	return placed(revision, StatusRunning, StatusRunning)
}

// slotted gives the host a slot as changed from an idle one.
func slotted(change func(*Slot)) func(*Snapshot, *Host) {
	return func(s *Snapshot, h *Host) {
		slot := Slot{
			EnvironmentID: "env", Host: h.Key, State: SlotIdle, Attempt: 2, RecordVersion: 3,
			ContainerInstanceARN: h.ContainerInstanceARN,
		}
		change(&slot)
		s.Slots = append(s.Slots[:len(s.Slots):len(s.Slots)], slot)
	}
}

// slotChange changes the slot that an earlier option made.
func slotChange(change func(*Slot)) func(*Snapshot, *Host) {
	return func(s *Snapshot, h *Host) {
		for i := range s.Slots {
			if s.Slots[i].Host == h.Key {
				change(&s.Slots[i])
			}
		}
	}
}

func hostChange(change func(*Host)) func(*Snapshot, *Host) {
	return func(_ *Snapshot, h *Host) { change(h) }
}

// brief is an action as the tests' tables write it: kind and host. That the counts of a completed deployment are kept true
// is left out.
func brief(actions []Action) []string {
	out := []string{}
	for _, a := range actions {
		if a.Kind == Advance && a.Reason == "progress" && a.Deployment.Status == DeploymentCompleted {
			continue
		}
		s := string(a.Kind)
		if a.Host != (HostKey{}) {
			s += " " + a.Host.EC2InstanceID
		}
		if a.Kind == Advance {
			s += " " + string(a.Deployment.Status)
		}
		out = append(out, s)
	}
	return out
}

func ago(d time.Duration) *time.Time { at := t0.Add(-d); return &at }
