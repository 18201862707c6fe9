package ecssim

import (
	"cmp"
	"slices"
	"strings"

	"github.com/blox/blox/internal/clusterquery"
)

const (
	launchEC2      = "EC2"
	launchExternal = "EXTERNAL"

	distinctInstance = "distinctInstance"
	memberOf         = "memberOf"
	maxConstraints   = 10
)

type placementConstraint struct {
	Type       string `json:"type"`
	Expression string `json:"expression,omitempty"`
}

type placementStrategy struct {
	Type  string `json:"type"`
	Field string `json:"field,omitempty"`
}

// constraints are compiled placement constraints.
type constraints struct {
	distinct    bool
	expressions []*clusterquery.Expression
}

func compileConstraints(list []placementConstraint) (constraints, error) {
	var c constraints
	for _, x := range list {
		switch x.Type {
		case distinctInstance:
			if x.Expression != "" {
				return c, invalid("placementConstraints: distinctInstance takes no expression.")
			}
			c.distinct = true
		case memberOf:
			parsed, err := clusterquery.Parse(x.Expression)
			if err != nil {
				return c, invalid("placementConstraints: Invalid expression %q: %v", x.Expression, err)
			}
			c.expressions = append(c.expressions, parsed)
		default:
			return c, invalid("placementConstraints: type %q, expected %s or %s.", x.Type, distinctInstance, memberOf)
		}
	}
	return c, nil
}

func checkStrategies(list []placementStrategy) error {
	for _, x := range list {
		field := strings.ToLower(x.Field)
		valid := x.Type == "random" ||
			x.Type == "binpack" && (field == "cpu" || field == "memory") ||
			x.Type == "spread" && (field == "instanceid" || field == "host" || strings.HasPrefix(field, "attribute:"))
		if !valid {
			return invalid("placementStrategy: type %q with field %q; expected random, binpack with cpu or memory, or spread with instanceId, host or attribute:NAME.", x.Type, x.Field)
		}
	}
	return nil
}

// need is what a task asks of a host.
type need struct {
	cpu, memory, gpus int
	interfaces        int    // of the network, that the task has to itself
	ports             []port // host ports it names
	attributes        []string
	launchType        string
	group             string
	constraints       constraints
	strategies        []placementStrategy
}

// The reasons of failures[], in ECS's words, in the order the checks are made.
const (
	reasonAgent     = "AGENT"
	reasonMemberOf  = "MemberOf placement constraint unsatisfied."
	reasonDistinct  = "DistinctInstance placement constraint unsatisfied."
	reasonAttribute = "ATTRIBUTE"
	reasonCPU       = "RESOURCE:CPU"
	reasonMemory    = "RESOURCE:MEMORY"
	reasonPorts     = "RESOURCE:PORTS"
	reasonGPU       = "RESOURCE:GPU"
	reasonENI       = "RESOURCE:ENI"
)

// checks order the reasons: a failure of a later check is a closer match.
var checks = []string{reasonMemberOf, reasonAgent, reasonDistinct, reasonAttribute, reasonCPU, reasonMemory, reasonPorts, reasonGPU, reasonENI}

// refusal says why a host cannot take a task, empty if it can. StartTask names its hosts, so that only what the host is
// and has counts there (constrained false); the constraints are for the scheduler's choice.
func (h *host) refusal(n *need, constrained bool) (string, error) {
	if constrained {
		for _, e := range n.constraints.expressions {
			matches, err := e.Matches(h.query())
			if err != nil {
				return "", invalid("placementConstraints: %v", err)
			}
			if !matches {
				return reasonMemberOf, nil
			}
		}
	}
	switch {
	case !h.agentConnected:
		return reasonAgent, nil
	case constrained && n.constraints.distinct && h.runs(n.group):
		return reasonDistinct, nil
	case slices.ContainsFunc(n.attributes, func(name string) bool { _, has := h.attributes[name]; return !has }):
		return reasonAttribute, nil
	case n.cpu > h.cpu-h.usedCPU:
		return reasonCPU, nil
	case n.memory > h.memory-h.usedMemory:
		return reasonMemory, nil
	case slices.ContainsFunc(n.ports, h.portTaken):
		return reasonPorts, nil
	case n.gpus > h.gpus-h.usedGPUs:
		return reasonGPU, nil
	case n.interfaces > h.interfaces-h.usedInterfaces:
		return reasonENI, nil
	}
	return "", nil
}

// runs tells whether a task of the group is meant to run here. distinctInstance looks at the desired status: a task that
// is being stopped does not count, although it is still there, so old and new may overlap.
func (h *host) runs(group string) bool {
	return slices.ContainsFunc(h.tasks, func(t *task) bool { return t.group == group && t.desired == desiredRunning })
}

var errNoHosts = invalid("No Container Instances were found in your cluster.")

// place picks the host for one task. If none fits, the failures name each host it looked at with its reason, the closest
// first. DRAINING hosts are not looked at. A cluster without a host that could ever be looked at is an error, as in ECS.
func (c *cluster) place(n *need) (*host, []failure, error) {
	var fitting []*host
	var refused []failure
	looked := false
	for _, h := range c.hosts {
		if h.status != statusActive || h.launchType() != n.launchType {
			continue
		}
		looked = true
		reason, err := h.refusal(n, true)
		switch {
		case err != nil:
			return nil, nil, err
		case reason == "":
			fitting = append(fitting, h)
		default:
			refused = append(refused, failure{Arn: h.arn, Reason: reason})
		}
	}
	if !looked {
		return nil, nil, errNoHosts
	}
	if len(fitting) > 0 {
		return c.choose(fitting, n), nil, nil
	}
	slices.SortStableFunc(refused, func(a, b failure) int {
		return cmp.Compare(slices.Index(checks, b.Reason), slices.Index(checks, a.Reason))
	})
	return nil, refused[:min(len(refused), maxPage)], nil
}

// choose applies the strategies one after another, each keeping the best hosts of those before; what is left over is
// decided by the fewest tasks and then by age, so that a run can be repeated. Without a strategy ECS spreads over
// Availability Zones.
func (c *cluster) choose(hosts []*host, n *need) *host {
	strategies := n.strategies
	if len(strategies) == 0 {
		strategies = []placementStrategy{{Type: "spread", Field: "attribute:ecs.availability-zone"}}
	}
	for _, x := range strategies {
		if x.Type == "random" {
			return hosts[c.sim.pace.IntN(len(hosts))]
		}
		hosts = best(hosts, c.cost(x, n))
	}
	return best(hosts, func(h *host) int { return len(h.tasks) })[0]
}

func best(hosts []*host, cost func(*host) int) []*host {
	var kept []*host
	lowest := 0
	for _, h := range hosts {
		x := cost(h)
		if len(kept) == 0 || x < lowest {
			kept, lowest = nil, x
		}
		if x == lowest {
			kept = append(kept, h)
		}
	}
	return kept
}

func (c *cluster) cost(x placementStrategy, n *need) func(*host) int {
	inGroup := func(h *host) int {
		count := 0
		for _, t := range h.tasks {
			if t.group == n.group && t.desired == desiredRunning {
				count++
			}
		}
		return count
	}
	name, isAttribute := strings.CutPrefix(x.Field, "attribute:")
	switch {
	case x.Type == "binpack" && strings.EqualFold(x.Field, "cpu"):
		return func(h *host) int { return h.cpu - h.usedCPU }
	case x.Type == "binpack":
		return func(h *host) int { return h.memory - h.usedMemory }
	case !isAttribute:
		return inGroup
	}
	spread := map[string]int{}
	for _, h := range c.hosts {
		spread[h.attributes[name]] += inGroup(h)
	}
	return func(h *host) int { return spread[h.attributes[name]] }
}
