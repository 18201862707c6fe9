package daemon

import (
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
	p.plan()
	return p.actions()
}

// plan gives every host its turn, and then the deployment.
func (p *planner) plan() {
	for _, key := range p.keys {
		if !p.synced(key) {
			// A cluster that was never reconciled completely may hold daemons that the table has not seen.
			continue
		}
		if p.Environment.Status == EnvironmentDeleting {
			p.dismantle(key)
		} else {
			p.tend(key)
		}
	}
	if p.Environment.Status == EnvironmentActive && p.Deployment != nil {
		p.rollOut()
	}
	if p.Full && p.Environment.Status == EnvironmentDeleting {
		p.finish()
	}
}

// rollOut decides what concerns the fleet as a whole.
func (p *planner) rollOut() {
	lost := p.lostHosts()
	p.remember(lost)
	switch {
	case !p.Full:
	case p.anySynced():
		p.givesUp = p.givenUp(lost)
		p.replaceOutdated()
		p.advance(lost)
	default:
		p.await()
	}
}

// planner holds one Plan's working state: the snapshot by host, and the actions by their worth.
type planner struct {
	Snapshot
	now  time.Time
	keys []HostKey // of every host, slot and task of the snapshot, sorted
	// records are the hosts' in the same order, latest is the place of the one asked about last: at.
	records []*record
	byHost  map[HostKey]*record
	latest  int
	byARN   map[string]*Task
	// superseded are registrations that their machine has left behind: it is connected under a newer one.
	superseded map[string]bool

	// owner is the host whose slot has the task.
	owner map[string]HostKey

	// targetHash and baseHash are the target's and the base's TaskHash.
	targetHash, baseHash string
	// queries remember the expressions that were read in this plan.
	queries map[string]query
	// canaries are the hosts that get the revision first; nil until somebody asks.
	canaries map[HostKey]bool

	// givesUp is why the deployment is given up in this very plan; empty if it is not.
	givesUp string

	// wake is the next time at which the whole is to be looked at, and why; nil is none.
	wake *Action
	// retaken are hosts whose turn was taken up again after it had ended: the later action carries the slot.
	retaken map[HostKey]bool

	kept, starts, stops, asks, attributes, last []Action
}

func newPlanner(s Snapshot, now time.Time) *planner {
	p := &planner{
		Snapshot: s, now: now,
		superseded: map[string]bool{}, retaken: map[HostKey]bool{}, queries: map[string]query{},
		targetHash: s.Revision.TaskHash(),
	}
	if s.Base != nil {
		p.baseHash = s.Base.TaskHash()
	}
	p.enroll()
	return p
}

// currentRegistration chooses between two container instances of one machine: an agent that registers anew leaves its
// old registration behind, ACTIVE and disconnected, or INACTIVE. One that is in the cluster counts before one that has
// left, then the connected one, then the newest.
func currentRegistration(a, b *Host) *Host {
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

func (p *planner) synced(key HostKey) bool { return !p.at(key).freshness.SyncedAt.IsZero() }

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
	f := p.at(key).freshness
	return !f.SyncedAt.IsZero() && !f.Doubtful &&
		p.now.Sub(f.SyncedAt) < 2*p.Settings.ReconcilePeriod &&
		f.IngestLag < p.Settings.MaxIngestLag
}

// wakeAll has the whole environment looked at again at that time, if nothing earlier is due.
func (p *planner) wakeAll(at time.Time, reason string) {
	if p.wake == nil || at.Before(p.wake.At) {
		p.wake = &Action{Kind: Wake, At: at, Reason: reason}
	}
}

func (p *planner) actions() []Action {
	retaken := func(a Action) bool { return p.retaken[a.Host] }
	p.kept, p.attributes = slices.DeleteFunc(p.kept, retaken), slices.DeleteFunc(p.attributes, retaken)
	actions := slices.Concat(p.kept, p.starts, p.stops, p.asks, p.attributes, p.last)
	if p.wake != nil {
		actions = append(actions, *p.wake)
	}
	return actions
}
