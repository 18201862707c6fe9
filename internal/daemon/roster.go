package daemon

import (
	"cmp"
	"slices"
)

// record is what a plan knows, and has decided, of one host.
type record struct {
	key HostKey
	// place is the record's place among the planner's.
	place int
	// host is the current registration; an empty one where listed is false, because no cluster has the host.
	host   *Host
	listed bool
	// slot is the one that was read; nil is none.
	slot *Slot
	// tasks are the environment's on the host, by ARN.
	tasks []Task
	// freshness is that of the host's cluster.
	freshness Freshness
	// verdict is whether the daemon belongs on the host, once somebody has asked.
	verdict *verdict
	// turn is the host's, once it is done; nil for a host whose cluster was never reconciled.
	turn *turn
}

// stored is the slot as it was read, if there is one.
func (r *record) stored() (Slot, bool) {
	if r.slot == nil {
		return Slot{}, false
	}
	return *r.slot, true
}

// nowhere is the registration of a host that no cluster has.
var nowhere = &Host{}

// at is what is known of a host; of one that the snapshot does not hold, nothing.
//
// The rules go through the hosts in their order and ask many times about each, so the host asked about last and the one
// after it are tried first. In a fleet of thousands most of a plan's time would go into hashing host keys else.
func (p *planner) at(key HostKey) *record {
	for _, r := range p.records[p.latest:min(p.latest+2, len(p.records))] {
		if r.key.EC2InstanceID == key.EC2InstanceID && r.key.Cluster == key.Cluster {
			p.latest = r.place
			return r
		}
	}
	if r, ok := p.byHost[key]; ok {
		p.latest = r.place
		return r
	}
	return &record{key: key, host: nowhere}
}

// task is the environment's task with the ARN, if the snapshot holds it. Nearly always it is on the host asked about last.
func (p *planner) task(arn string) (Task, bool) {
	if p.latest < len(p.records) {
		for _, t := range p.records[p.latest].tasks {
			if t.ARN == arn {
				return t, true
			}
		}
	}
	if t, ok := p.byARN[arn]; ok {
		return *t, true
	}
	return Task{}, false
}

// enroll makes the records of every host, slot and task of the snapshot, and sorts them.
func (p *planner) enroll() {
	p.byHost = make(map[HostKey]*record, max(len(p.Hosts), len(p.Slots), len(p.Tasks)))
	p.byARN = make(map[string]*Task, len(p.Tasks))
	p.owner = make(map[string]HostKey, len(p.Slots))
	p.enrollHosts()
	for i := range p.Slots {
		slot := &p.Slots[i]
		p.recordOf(slot.Host).slot = slot
		if slot.TaskARN != "" {
			p.owner[slot.TaskARN] = slot.Host
		}
	}
	for i := range p.Tasks {
		t := &p.Tasks[i]
		r := p.recordOf(t.Host)
		p.byARN[t.ARN] = t
		if r.tasks == nil {
			r.tasks = p.Tasks[i : i+1 : i+1] // nearly every host has one; a second one makes a slice of their own
		} else {
			r.tasks = append(r.tasks, *t)
		}
	}
	delete(p.byHost, HostKey{})
	p.records = slices.DeleteFunc(p.records, func(r *record) bool { return r.key == HostKey{} })
	slices.SortFunc(p.records, func(a, b *record) int { return CompareHosts(a.key, b.key) })
	p.keys = make([]HostKey, len(p.records))
	for i, r := range p.records {
		p.keys[i], r.place = r.key, i
		if len(r.tasks) > 1 {
			slices.SortFunc(r.tasks, func(a, b Task) int { return cmp.Compare(a.ARN, b.ARN) })
		}
	}
}

// enrollHosts finds each machine's current registration, and those that a machine has left behind.
func (p *planner) enrollHosts() {
	for i := range p.Hosts {
		h := &p.Hosts[i]
		r := p.recordOf(h.Key)
		r.host, r.listed = currentRegistration(r.host, h), true
	}
	for i := range p.Hosts {
		h := &p.Hosts[i]
		current := p.recordOf(h.Key).host
		if h.ContainerInstanceARN != current.ContainerInstanceARN && current.AgentConnected && !h.AgentConnected {
			p.superseded[h.ContainerInstanceARN] = true
		}
	}
}

// recordOf is the host's record, made if there is none yet.
func (p *planner) recordOf(key HostKey) *record {
	r, ok := p.byHost[key]
	if !ok {
		r = &record{key: key, host: nowhere, freshness: p.Clusters[key.Cluster]}
		p.byHost[key] = r
		p.records = append(p.records, r)
	}
	return r
}
