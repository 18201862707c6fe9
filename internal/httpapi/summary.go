package httpapi

import (
	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/state"
)

// addSummary adds what reconcile counted to a cluster, nothing if it has not.
func addSummary(cluster *client.Cluster, s *state.Summary) {
	if s == nil {
		return
	}
	cluster.Summary = summaryView(s)
	if !s.LastEventAt.IsZero() {
		at := s.LastEventAt.UTC()
		cluster.LastEventAt = &at
	}
}

func summaryView(s *state.Summary) *client.ClusterSummary {
	view := &client.ClusterSummary{
		CountedAt: s.CountedAt.UTC(),
		Tasks: client.TaskSummary{
			Total: s.Tasks.Total, ByStatus: counts(s.Tasks.ByStatus), OtherFamilies: s.Tasks.OtherFamilies,
			Families: make([]client.FamilyCount, len(s.Tasks.Families)),
		},
		Instances: client.InstanceSummary{
			Total: s.Instances.Total, ByStatus: counts(s.Instances.ByStatus),
			ByAgentVersion: counts(s.Instances.ByAgentVersion), OtherAgentVersions: s.Instances.OtherAgentVersions,
			AgentDisconnected: s.Instances.AgentDisconnected, WithOnlyDaemons: s.Instances.WithOnlyDaemons,
			Resources: make([]client.ResourceSum, len(s.Instances.Resources)),
		},
	}
	for i, family := range s.Tasks.Families {
		view.Tasks.Families[i] = client.FamilyCount{
			Family: family.Family, Count: family.Count, OtherRevisions: family.OtherRevisions,
			Revisions: make([]client.RevisionCount, len(family.Revisions)),
		}
		for j, revision := range family.Revisions {
			view.Tasks.Families[i].Revisions[j] = client.RevisionCount(revision)
		}
	}
	for i, resource := range s.Instances.Resources {
		view.Instances.Resources[i] = client.ResourceSum(resource)
	}
	return view
}

func counts(of []state.Count) []client.Count {
	view := make([]client.Count, len(of))
	for i, count := range of {
		view[i] = client.Count(count)
	}
	return view
}
