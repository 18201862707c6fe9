package drive

import (
	"context"
	"errors"
	"path"
	"slices"
	"time"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// patternAge is how often the known clusters are gone through for new ones that an environment's pattern matches.
const patternAge = time.Minute

// joinClusters adds the known clusters to the environment that its revision's pattern matches and that it does not
// have. They are stored, so that changes in them wake the environment, unless the snapshot is only to be looked at.
// Clusters of other places have other names for things: a task definition belongs to an account and region.
func (d *Driver) joinClusters(ctx context.Context, s *daemon.Snapshot, preview bool) error {
	env := s.Environment
	pattern := s.Revision.ClusterPattern
	if pattern == "" || len(env.Clusters) == 0 || !s.Full || env.Status != daemon.EnvironmentActive {
		return nil
	}
	key := revisionKey{env.ID, s.Revision.Number}
	if _, lately := d.joined.recall(key, d.Now().Add(-patternAge)); lately && !preview {
		return nil
	}
	known, err := d.State.Clusters(ctx)
	if err != nil {
		return err
	}
	found := matching(pattern, known, env.Clusters)
	if free := max(0, table.MaxClusters-len(env.Clusters)); len(found) > free {
		d.Log.Warn("the pattern matches more clusters than an environment may have",
			"environment", env.Name, "pattern", pattern, "leftOut", len(found)-free)
		found = found[:free]
	}
	if len(found) > 0 {
		env.Clusters = slices.Concat(env.Clusters, found)
		if !preview {
			if env, err = d.storeClusters(ctx, env); errors.Is(err, table.ErrConflict) {
				return nil // it was changed this moment, which makes it due: the next look joins them
			}
		}
		if err != nil {
			return err
		}
		s.Environment = env
	}
	if !preview {
		d.joined.remember(key, true, d.Now())
	}
	return nil
}

func (d *Driver) storeClusters(ctx context.Context, env daemon.Environment) (daemon.Environment, error) {
	env.UpdatedAt = d.Now()
	err := d.Daemon.UpdateEnvironment(ctx, env, nil)
	env.RecordVersion++ // as it is stored now
	return env, err
}

// matching are the clusters that a pattern with * and ? matches, of the place of those that are there already, sorted.
func matching(pattern string, known []table.Cluster, already []state.ClusterKey) []state.ClusterKey {
	var found []state.ClusterKey
	for _, c := range known {
		here := c.GoneAt == 0 && regionOf(c.Key) == regionOf(already[0]) && !slices.Contains(already, c.Key)
		if matches, err := path.Match(pattern, c.Key.Name); here && err == nil && matches {
			found = append(found, c.Key)
		}
	}
	slices.SortFunc(found, state.ClusterKey.Compare)
	return found
}
