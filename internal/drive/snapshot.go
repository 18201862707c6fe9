package drive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// Snapshot reads the whole of an environment, for those who ask what Plan would do. It takes no lease and stores
// nothing: clusters that the revision's pattern matches are in the snapshot, and not yet in the environment. Alarms
// are nil, and task definitions count as ACTIVE, if they could not be read. table.ErrNotFound: there is no such
// environment.
//
// State, Daemon, ECS, Now, Installation, Settings, Describe and Log are needed of the driver's Config, and Alarms for
// environments that are watched by some.
func (d *Driver) Snapshot(ctx context.Context, environmentID string) (daemon.Snapshot, error) {
	return d.read(ctx, environmentID, everything, true)
}

// snapshot reads what Plan needs for a look. An environment in motion is always read whole, since its budget is counted
// over all hosts.
func (d *Driver) snapshot(ctx context.Context, environmentID string, at look) (daemon.Snapshot, error) {
	return d.read(ctx, environmentID, at, false)
}

func (d *Driver) read(ctx context.Context, environmentID string, at look, preview bool) (daemon.Snapshot, error) {
	env, err := d.Daemon.Environment(ctx, environmentID)
	if err != nil {
		return daemon.Snapshot{}, err
	}
	s := daemon.Snapshot{
		Environment: env, Installation: d.Installation, Settings: d.Settings,
		Full: at.all || env.Status != daemon.EnvironmentActive,
	}
	err = d.inForce(ctx, &s)
	if errors.Is(err, table.ErrNotFound) && env.Status == daemon.EnvironmentDeleting {
		err = nil // a driver died while it removed the environment: the rest of it is still to be removed
	}
	if err == nil {
		err = d.joinClusters(ctx, &s, preview)
	}
	if err != nil {
		return s, err
	}
	if s.Clusters, err = d.freshness(ctx, s.Environment.Clusters, s.Revision); err != nil {
		return s, err
	}
	r := newReading(d, &s)
	if s.Full {
		err = r.everything(ctx, at.instances)
	} else {
		err = r.some(ctx, at.instances)
	}
	if err != nil {
		return s, fmt.Errorf("reading a snapshot of environment %s: %w", env.Name, err)
	}
	s.Alarms, s.Inactive = d.alarmStates(ctx, s), d.inactive(ctx, s)
	return s, nil
}

// inForce reads the deployment in force, the revision that it brings, and the one that it is based on.
func (d *Driver) inForce(ctx context.Context, s *daemon.Snapshot) error {
	env := s.Environment
	if env.DeploymentID == "" {
		return nil
	}
	deployment, err := d.Daemon.Deployment(ctx, env.ID, env.DeploymentID)
	if err != nil {
		return err
	}
	if s.Revision, err = d.revision(ctx, env.ID, deployment.Target()); err != nil {
		return err
	}
	if deployment.BasedOn != 0 && deployment.BasedOn != deployment.Target() {
		base, err := d.revision(ctx, env.ID, deployment.BasedOn)
		if err != nil {
			return err
		}
		s.Base = &base
	}
	if deployment.Revision != deployment.Target() {
		from, err := d.revision(ctx, env.ID, deployment.Revision)
		if err != nil {
			return err
		}
		s.From = &from
	}
	s.Deployment = &deployment
	s.Full = s.Full || !deployment.Status.Ended()
	return nil
}

// freshness is what is known of each cluster. One of which nothing is stored is new if the revision names it; a pattern
// only ever brought clusters that were known, so that there it is one whose record has expired, long after ECS lost it.
func (d *Driver) freshness(ctx context.Context, clusters []state.ClusterKey, rev daemon.Revision) (map[state.ClusterKey]daemon.Freshness, error) {
	known, err := d.State.ClustersByKey(ctx, clusters)
	if err != nil {
		return nil, err
	}
	fresh := map[state.ClusterKey]daemon.Freshness{}
	for _, key := range clusters {
		named := rev.ClusterPattern == "" && (len(rev.Clusters) == 0 || slices.Contains(rev.Clusters, key))
		fresh[key] = daemon.Freshness{Gone: !named}
	}
	lags := map[state.ClusterKey]time.Duration{}
	for _, c := range known {
		place := regionOf(c.Key)
		if _, read := lags[place]; !read {
			if lags[place], err = d.State.IngestLag(ctx, place.Account, place.Region, d.Now()); err != nil {
				return nil, err
			}
		}
		f := daemon.Freshness{IngestLag: lags[place], Doubtful: c.HeldBack > 0, Gone: c.GoneAt > 0}
		if c.SyncedAt > 0 {
			f.SyncedAt = time.UnixMilli(c.SyncedAt)
		}
		fresh[c.Key] = f
	}
	return fresh, nil
}
