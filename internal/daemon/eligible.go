package daemon

import (
	"fmt"
	"path"
	"slices"

	"github.com/blox/blox/internal/clusterquery"
)

// verdict is whether a revision's daemon belongs on a host, and if not, why.
type verdict struct {
	ok  bool
	why string
}

// eligible says whether the daemon belongs on the host at all, and if not, why.
//
// Keeps: while the deployment is held, or only its canaries get the revision, no host loses its daemon because the
// revision has another instance group: what the base selects stays.
func (p *planner) eligible(h Host) (bool, string) {
	r := p.at(h.Key)
	if r.verdict == nil {
		var v verdict
		v.ok, v.why = p.selects(p.Revision, h)
		if !v.ok && p.Base != nil && p.Deployment != nil && (p.held() != "" || p.canaryStage()) {
			if kept, _ := p.selects(*p.Base, h); kept {
				v = verdict{ok: true}
			}
		}
		r.verdict = &v
	}
	return r.verdict.ok, r.verdict.why
}

// selects says whether one revision's daemon belongs on the host, and if not, why.
func (p *planner) selects(r Revision, h Host) (bool, string) {
	switch {
	case h.Managed:
		return false, "host of an ECS Managed Instances provider"
	case h.External && r.LaunchType != LaunchTypeExternal:
		return false, "external host, and the launch type is EC2"
	case !h.External && r.LaunchType == LaunchTypeExternal:
		return false, "EC2 host, and the launch type is EXTERNAL"
	case !r.onCluster(h):
		return false, fmt.Sprintf("cluster %s is not among those of revision %d", h.Key.Cluster.Name, r.Number)
	case slices.Contains(r.Selector.Exclude, h.Key.EC2InstanceID):
		return false, "the host is excluded by its instance id"
	case r.Selector.Expression != "":
		return p.matches(r.Selector.Expression, h)
	}
	return true, ""
}

// onCluster says that the daemon belongs on the host's cluster. The scheduler finds the environment new clusters that
// match the pattern without a new revision.
func (r Revision) onCluster(h Host) bool {
	if len(r.Clusters) == 0 || slices.Contains(r.Clusters, h.Key.Cluster) {
		return true
	}
	match, err := path.Match(r.ClusterPattern, h.Key.Cluster.Name)
	return err == nil && match
}

// matches says whether the host is in the instance group. The expression was read when the revision was made, and is
// read once a plan. A host that it cannot be evaluated for does not match: its agent's version is none.
func (p *planner) matches(expression string, h Host) (bool, string) {
	query, ok := p.queries[expression]
	if !ok {
		query.expression, query.err = clusterquery.Parse(expression)
		p.queries[expression] = query
	}
	if query.err != nil {
		return false, fmt.Sprintf("the instance group's expression cannot be read: %v", query.err)
	}
	switch match, err := query.expression.Matches(h.Query); {
	case err != nil:
		return false, fmt.Sprintf("the instance group's expression cannot be evaluated for the host: %v", err)
	case !match:
		return false, "the host does not match the instance group's expression " + expression
	}
	return true, ""
}

// query is an expression as it was read, or why it cannot be.
type query struct {
	expression *clusterquery.Expression
	err        error
}

// wanted says whether a daemon may be started on the host now. Whether a running one may stay is another question: it
// stays on a host that drains or whose agent is away.
func (p *planner) wanted(key HostKey) bool {
	r := p.at(key)
	if !r.listed || p.Deployment == nil || r.host.Status != StatusActive {
		return false
	}
	eligible, _ := p.eligible(*r.host)
	return eligible
}
