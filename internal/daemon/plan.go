package daemon

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Plan decides what to do next, given what is known now. It is called again after every change, so it never looks
// further than one step ahead of a host: claim, then place, then watch; stop, then wait until stopped, then claim.
//
// The order of the actions is the order of their worth: first what was learned is kept, then hosts without a daemon get
// one, then daemons are stopped, then the deployment is advanced.
func Plan(s Snapshot, now time.Time) []Action {
	p := newPlanner(s, now)
	for _, key := range p.keys {
		if !p.synced(key) {
			// A cluster that was never reconciled completely may hold daemons that the table has not seen.
			continue
		}
		if s.Environment.Status == EnvironmentDeleting {
			p.dismantle(key)
		} else {
			p.tend(key)
		}
	}
	if s.Full && s.Environment.Status == EnvironmentActive && s.Deployment != nil {
		if p.anySynced() {
			p.replaceOutdated()
			p.advance()
		} else {
			p.await()
		}
	}
	if s.Full && s.Environment.Status == EnvironmentDeleting {
		p.finish()
	}
	return p.actions()
}

// planner holds one Plan's working state: the snapshot by host, and the actions by their worth.
type planner struct {
	Snapshot
	now   time.Time
	keys  []HostKey // every host, slot and task of the snapshot, sorted
	hosts map[HostKey]Host
	slots map[HostKey]Slot
	tasks map[HostKey][]Task
	byARN map[string]Task
	// superseded are registrations that their machine has left behind: it is connected under a newer one.
	superseded map[string]bool

	// owner is the host whose slot has the task.
	owner map[string]HostKey
	// tended are the hosts' turns, done.
	tended map[HostKey]*turn

	// stale is set when a replacement waits for fresh knowledge.
	stale bool

	kept, starts, stops, asks, last []Action
}

func newPlanner(s Snapshot, now time.Time) *planner {
	p := &planner{
		Snapshot: s, now: now,
		hosts: map[HostKey]Host{}, slots: map[HostKey]Slot{}, tasks: map[HostKey][]Task{},
		byARN: map[string]Task{}, superseded: map[string]bool{}, owner: map[string]HostKey{}, tended: map[HostKey]*turn{},
	}
	seen := map[HostKey]bool{}
	for _, h := range s.Hosts {
		p.hosts[h.Key] = currentRegistration(p.hosts[h.Key], h)
		seen[h.Key] = true
	}
	for _, h := range s.Hosts {
		current := p.hosts[h.Key]
		if h.ContainerInstanceARN != current.ContainerInstanceARN && current.AgentConnected && !h.AgentConnected {
			p.superseded[h.ContainerInstanceARN] = true
		}
	}
	for _, slot := range s.Slots {
		p.slots[slot.Host] = slot
		if slot.TaskARN != "" {
			p.owner[slot.TaskARN] = slot.Host
		}
		seen[slot.Host] = true
	}
	for _, t := range s.Tasks {
		p.tasks[t.Host] = append(p.tasks[t.Host], t)
		p.byARN[t.ARN] = t
		seen[t.Host] = true
	}
	for _, tasks := range p.tasks {
		slices.SortFunc(tasks, func(a, b Task) int { return cmp.Compare(a.ARN, b.ARN) })
	}
	delete(seen, HostKey{})
	p.keys = slices.SortedFunc(maps.Keys(seen), CompareHosts)
	return p
}

// currentRegistration chooses between two container instances of one machine: an agent that registers anew leaves its
// old registration behind, ACTIVE and disconnected, or INACTIVE. One that is in the cluster counts before one that has
// left, then the connected one, then the newest.
func currentRegistration(a, b Host) Host {
	switch {
	case a.ContainerInstanceARN == "":
		return b
	case (a.Status == statusInactive) != (b.Status == statusInactive):
		if a.Status == statusInactive {
			return b
		}
		return a
	case a.AgentConnected != b.AgentConnected:
		if a.AgentConnected {
			return a
		}
		return b
	case a.RegisteredAt.After(b.RegisteredAt):
		return a
	case b.RegisteredAt.After(a.RegisteredAt):
		return b
	default: // same instant: any rule does, as long as it is always the same
		if a.ContainerInstanceARN > b.ContainerInstanceARN {
			return a
		}
		return b
	}
}

func (p *planner) synced(key HostKey) bool { return !p.Clusters[key.Cluster].SyncedAt.IsZero() }

func (p *planner) anySynced() bool {
	for _, f := range p.Clusters {
		if !f.SyncedAt.IsZero() {
			return true
		}
	}
	return false
}

// fresh says that the knowledge of the host's cluster is good enough to stop something by it.
func (p *planner) fresh(key HostKey) bool {
	f := p.Clusters[key.Cluster]
	return !f.SyncedAt.IsZero() && !f.Doubtful &&
		p.now.Sub(f.SyncedAt) < 2*p.Settings.ReconcilePeriod &&
		f.IngestLag < p.Settings.MaxIngestLag
}

func (p *planner) actions() []Action {
	actions := slices.Concat(p.kept, p.starts, p.stops, p.asks, p.last)
	if p.stale {
		actions = append(actions, Action{
			Kind: Wake, At: p.now.Add(p.Settings.EventGrace), Reason: "replacements wait for fresh knowledge of a cluster",
		})
	}
	return actions
}
