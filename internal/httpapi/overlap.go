package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/blox/blox/internal/clusterquery"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// checkOverlap refuses a revision that would place a task definition on hosts where another environment places one of that
// family already: two log agents on one host do every thing twice, whatever their revisions. Compared are newest revisions, on the hosts that are stored; equal
// selectors are refused in common clusters also when no host matches them yet.
func (s *server) checkOverlap(ctx context.Context, name string, rev daemon.Revision) error {
	others, err := s.neighbours(ctx, rev.Clusters)
	if err != nil {
		return err
	}
	hosts := map[state.ClusterKey][]state.Record{}
	var found []string
	for _, other := range others {
		if other.Name == name || other.Status != daemon.EnvironmentActive {
			continue
		}
		theirs, err := s.Daemon.Revision(ctx, other.ID, other.Revision)
		if errors.Is(err, table.ErrNotFound) {
			continue // it was removed meanwhile
		}
		if err != nil {
			return err
		}
		if familyOf(theirs) != familyOf(rev) {
			continue
		}
		where, err := s.commonHost(ctx, hosts, rev, theirs, clustersOf(other, theirs))
		if err != nil {
			return err
		}
		if where != "" {
			found = append(found, fmt.Sprintf("environment %s places %s %s", other.Name, definitionName(sourceOf(theirs)), where))
		}
	}
	if len(found) == 0 {
		return nil
	}
	return conflicted("Task definition %s would run twice: %s. Choose other hosts, or give force=true to let it",
		definitionName(sourceOf(rev)), strings.Join(found, "; "))
}

// samePlacement says that a revision would place a task definition of the same family where the one before does.
func samePlacement(env daemon.Environment, before, after daemon.Revision) bool {
	clusters := clustersOf(env, before)
	return familyOf(before) == familyOf(after) && sameSelector(before.Selector, after.Selector) &&
		!slices.ContainsFunc(after.Clusters, func(key state.ClusterKey) bool { return !slices.Contains(clusters, key) })
}

// sourceOf is the task definition that people know: a private copy's original.
func sourceOf(rev daemon.Revision) string {
	return cmp.Or(rev.SourceTaskDefinition, rev.TaskDefinition)
}

// definitionName is FAMILY:REVISION of a task definition's ARN, as it stands in definitions.
func definitionName(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

// familyOf is the family of sourceOf.
func familyOf(rev daemon.Revision) string {
	family, _, _ := strings.Cut(definitionName(sourceOf(rev)), ":")
	return family
}

// neighbours are the environments that have hosts in one of the clusters, by name.
func (s *server) neighbours(ctx context.Context, clusters []state.ClusterKey) ([]daemon.Environment, error) {
	var ids []string
	for _, cluster := range clusters {
		members, err := s.membersOf(ctx, cluster)
		if err != nil {
			return nil, err
		}
		ids = append(ids, members...)
	}
	slices.Sort(ids)
	envs, err := s.Daemon.Environments(ctx, slices.Compact(ids))
	slices.SortFunc(envs, func(a, b daemon.Environment) int { return strings.Compare(a.Name, b.Name) })
	return envs, err
}

// commonHost says where both revisions would place a task; empty is nowhere. hosts keeps what was read.
func (s *server) commonHost(
	ctx context.Context, hosts map[state.ClusterKey][]state.Record, ours, theirs daemon.Revision, theirClusters []state.ClusterKey,
) (string, error) {
	both, err := newMatchers(ours.Selector, theirs.Selector)
	if err != nil {
		return "", err
	}
	var common []state.ClusterKey
	for _, cluster := range ours.Clusters {
		if !slices.Contains(theirClusters, cluster) {
			continue
		}
		common = append(common, cluster)
		if _, read := hosts[cluster]; !read {
			if hosts[cluster], err = s.State.Living(ctx, cluster, state.KindContainerInstance); err != nil {
				return "", err
			}
		}
		for _, host := range hosts[cluster] {
			if both.match(host) {
				return fmt.Sprintf("on host %s of cluster %s", host.Instance.EC2InstanceID, cluster.ARN("")), nil
			}
		}
	}
	if len(common) > 0 && sameSelector(ours.Selector, theirs.Selector) {
		return "in cluster " + common[0].ARN(""), nil
	}
	return "", nil
}

func sameSelector(a, b daemon.Selector) bool {
	return a.Expression == b.Expression && slices.Equal(a.Exclude, b.Exclude)
}

// matchers are selectors that a host has to match, all of them.
type matchers []matcher

type matcher struct {
	expression *clusterquery.Expression // nil matches all
	exclude    []string
}

func newMatchers(selectors ...daemon.Selector) (matchers, error) {
	var out matchers
	for _, selector := range selectors {
		m := matcher{exclude: selector.Exclude}
		if selector.Expression != "" {
			var err error
			if m.expression, err = clusterquery.Parse(selector.Expression); err != nil {
				return nil, fmt.Errorf("reading the stored expression %q: %w", selector.Expression, err)
			}
		}
		out = append(out, m)
	}
	return out, nil
}

// match is false for a host that an expression cannot be evaluated for: the scheduler places nothing there.
func (all matchers) match(record state.Record) bool {
	host, ok := queried(record)
	for _, m := range all {
		if !ok || slices.Contains(m.exclude, host.EC2InstanceID) {
			return false
		}
		if m.expression == nil {
			continue
		}
		if matches, err := m.expression.Matches(host); err != nil || !matches {
			return false
		}
	}
	return true
}

// queried is what the cluster query language can ask about a stored host. ok is false for one that no daemon is placed on:
// without an EC2 instance id, or unreadable.
func queried(record state.Record) (host clusterquery.Host, ok bool) {
	instance, err := record.AsContainerInstance()
	if err != nil || instance.EC2InstanceID == "" {
		return host, false
	}
	host = clusterquery.Host{
		AgentConnected: instance.AgentConnected, EC2InstanceID: instance.EC2InstanceID,
		Attributes: make(map[string]string, len(instance.Attributes)),
	}
	for _, attribute := range instance.Attributes {
		host.Attributes[attribute.Name] = attribute.Value
	}
	if instance.VersionInfo != nil {
		host.AgentVersion = instance.VersionInfo.AgentVersion
	}
	if instance.RegisteredAt != nil {
		host.RegisteredAt = *instance.RegisteredAt
	}
	if instance.RunningTasksCount != nil {
		host.RunningTasksCount = int(*instance.RunningTasksCount)
	}
	return host, true
}
