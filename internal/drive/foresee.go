package drive

import (
	"context"
	"fmt"

	"github.com/blox/blox/internal/daemon"
)

// SnapshotOf reads the whole of an environment as it would be if it were like this and ran that revision, for those who ask
// what Plan would do then. Nothing of it need be stored. The snapshot has no deployment, and no alarms and task definitions:
// Conditions reads these once there is one.
func (d *Driver) SnapshotOf(ctx context.Context, env daemon.Environment, rev daemon.Revision) (daemon.Snapshot, error) {
	s := daemon.Snapshot{Environment: env, Revision: rev, Installation: d.Installation, Settings: d.Settings, Full: true}
	var err error
	if s.Clusters, err = d.freshness(ctx, env.Clusters, rev); err != nil {
		return s, err
	}
	if err := newReading(d, &s).everything(ctx, nil); err != nil {
		return s, fmt.Errorf("reading a snapshot of environment %s as it would be: %w", env.Name, err)
	}
	return s, nil
}

// Conditions are the states of the alarms that the snapshot's deployment is watched by, and those of its task definitions
// that are INACTIVE, as in Snapshot.
func (d *Driver) Conditions(ctx context.Context, s daemon.Snapshot) (alarms map[string]string, inactive map[string]bool) {
	return d.alarmStates(ctx, s), d.inactive(ctx, s)
}
