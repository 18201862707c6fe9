package daemon

// dismantle takes one host's daemon away, because its environment is being deleted.
//
// Keeps: a slot is forgotten only when its task is proven dead, or is to be kept running.
func (p *planner) dismantle(key HostKey) {
	slot, known := p.slots[key]
	if !known {
		p.dismantleStrays(key)
		return
	}
	if p.Environment.KeepTasks {
		p.last = append(p.last, Action{Kind: Forget, Host: key, Slot: &slot, Reason: "environment deleted, tasks kept"})
		return
	}
	learned := p.learn(key, slot)
	switch learned.State {
	case SlotIdle:
		learned.RecordVersion = slot.RecordVersion
		p.last = append(p.last, Action{Kind: Forget, Host: key, Slot: &learned, Reason: "environment deleted"})
	case SlotClaimed:
		// The claim's task may exist: only its replay tells, and the task that it names is then stopped.
		p.tendClaimed(key, learned)
	case SlotPlaced:
		p.stop(key, learned, "environment deleted")
	case SlotStopping:
		p.tendStopping(key, learned)
	}
}

func (p *planner) dismantleStrays(key HostKey) {
	if p.Environment.KeepTasks {
		return
	}
	p.stopStrays(key, Slot{})
}

// finish ends the environment once nothing of it is left.
func (p *planner) finish() {
	if len(p.slots) > 0 {
		return
	}
	for _, t := range p.Tasks {
		if !p.Environment.KeepTasks && !t.Stopped() && ours(t) {
			return
		}
	}
	p.last = append(p.last, Action{Kind: Finish, Reason: "environment deleted"})
}
