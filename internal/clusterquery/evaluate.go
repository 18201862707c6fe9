package clusterquery

import "time"

// Host is what a query can ask about a container instance.
type Host struct {
	AgentConnected    bool
	AgentVersion      string // "1.103.0"; empty if the agent never said
	EC2InstanceID     string // i-… or, for external hosts, mi-…
	Attributes        map[string]string
	RegisteredAt      time.Time
	RunningTasksCount int
	TaskGroups        []string // groups of the tasks on the host, in any order, duplicates allowed
}

// matcher decides one comparison.
type matcher func(*Host) (bool, error)

// Matches tells whether the host satisfies the expression. The error is for a host whose agent version is not a
// version at all; an unknown (empty) one simply does not match.
func (e *Expression) Matches(h Host) (bool, error) {
	return e.root.evaluate(&h)
}

func (d *disjunction) evaluate(h *Host) (bool, error) {
	for _, term := range d.Terms {
		if ok, err := term.evaluate(h); err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}

func (c *conjunction) evaluate(h *Host) (bool, error) {
	for _, f := range c.Factors {
		if ok, err := f.evaluate(h); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

func (f *factor) evaluate(h *Host) (bool, error) {
	switch {
	case f.Negated != nil:
		ok, err := f.Negated.evaluate(h)
		return !ok && err == nil, err
	case f.Group != nil:
		return f.Group.evaluate(h)
	default:
		return f.Comparison.matches(h)
	}
}
