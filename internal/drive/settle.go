package drive

import (
	"context"
	"path"
	"slices"
	"time"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
)

// settle lets the environment learn of a deployment that ended well: its revision is the last good one, and clusters
// that the revision has no more, and in which nothing is left, are the environment's no more. It comes after the
// deployment was stored, so that one that people turned back this moment is not taken for good, and is made up for by
// the next look at everything if the driver died in between.
func (r *run) settle(ctx context.Context) error {
	dep, env := r.deployment, r.snapshot.Environment
	if dep == nil || !r.snapshot.Full || env.Status != daemon.EnvironmentActive ||
		(dep.Status != daemon.DeploymentCompleted && dep.Status != daemon.DeploymentRolledBack) {
		return nil
	}
	left, err := r.leave(ctx, *dep)
	if err != nil || len(left) == 0 && env.LastGoodRevision == dep.Target() {
		return err
	}
	env.LastGoodRevision, env.UpdatedAt = dep.Target(), r.Now()
	if len(left) == 0 {
		err = r.Daemon.UpdateEnvironment(ctx, env, nil)
	} else {
		r.Log.Info("environment leaves clusters", "environment", env.Name, "clusters", len(left))
		err = r.Daemon.DropClusters(ctx, env, left)
	}
	r.changed = r.changed || err == nil // the environment is due at once, until a look says when it is
	return err
}

const (
	// tokensKnown is longer than ECS knows a client token. A slot that is forgotten sooner would count its host's attempts
	// anew, and ask for a task that stopped long ago, should the revision that had it come back.
	tokensKnown = 25 * time.Hour
	// slotsForgotten bounds the slots that one look forgets.
	slotsForgotten = 100
)

// leave says which clusters the environment can do without: its revision does not bring the daemon there, and it has
// no host and no task there any more. Hosts that stay in such a cluster have slots, which are forgotten when nothing
// can come of their tokens any more. One cluster is always kept: it says where the environment is.
func (r *run) leave(ctx context.Context, dep daemon.Deployment) ([]state.ClusterKey, error) {
	left := unwantedClusters(r.snapshot)
	if len(left) == 0 || len(left) == len(r.snapshot.Environment.Clusters) {
		return nil, nil
	}
	old := dep.EndedAt != nil && r.Now().Sub(*dep.EndedAt) >= tokensKnown
	used, forgotten := map[state.ClusterKey]bool{}, 0
	for _, task := range r.snapshot.Tasks {
		used[task.Host.Cluster] = used[task.Host.Cluster] || !task.Stopped()
	}
	for _, slot := range r.snapshot.Slots {
		cluster := slot.Host.Cluster
		if !slices.Contains(left, cluster) || used[cluster] {
			continue
		}
		if !old || !spent(slot) || forgotten == slotsForgotten {
			used[cluster] = true
			continue
		}
		if err := r.Daemon.DeleteSlot(ctx, slot); err != nil {
			return nil, err
		}
		forgotten++
	}
	r.changed = r.changed || forgotten == slotsForgotten
	return slices.DeleteFunc(left, func(cluster state.ClusterKey) bool { return used[cluster] }), nil
}

// spent says that nothing of the environment is on the slot's host.
func spent(slot daemon.Slot) bool {
	return slot.State == daemon.SlotIdle && slot.Former == nil && slot.Attribute == "" && slot.HandedOver == ""
}

// unwantedClusters are those of the environment that its revision has no more, and those that a pattern brought and that
// ECS has no more: they would pile up until no cluster can join.
func unwantedClusters(s daemon.Snapshot) []state.ClusterKey {
	if len(s.Revision.Clusters) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.Environment.Clusters), func(cluster state.ClusterKey) bool {
		if s.Revision.ClusterPattern == "" {
			return slices.Contains(s.Revision.Clusters, cluster)
		}
		matches, err := path.Match(s.Revision.ClusterPattern, cluster.Name)
		return !s.Clusters[cluster].Gone && (err == nil && matches || slices.Contains(s.Revision.Clusters, cluster))
	})
}
