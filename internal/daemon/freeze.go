package daemon

// frozen says that the scheduler keeps its hands off the environment: it learns, and asks, and changes nothing. A
// deletion thaws, or a frozen environment could never be deleted.
func (p *planner) frozen() bool {
	return p.Environment.Frozen != nil && p.Environment.Status == EnvironmentActive
}

// holdsStill says that nothing may be done for the host because the environment is frozen.
func (p *planner) holdsStill(t *turn) bool {
	if !p.frozen() {
		return false
	}
	t.wait("%s", p.frozenReason())
	return true
}
