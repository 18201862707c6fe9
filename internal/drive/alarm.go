package drive

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/blox/blox/internal/alarms"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
)

// alarmAge is how long the states of alarms are believed: no alarm of CloudWatch is evaluated more often, and the
// passes of one invocation follow each other faster.
const alarmAge = 10 * time.Second

// alarmKey names alarms that are read together.
type alarmKey struct {
	place state.ClusterKey
	names string
}

// alarmStates are the states of the alarms that the deployment is watched by now; nil if it is watched by none, or they
// are not known. A rollback is not watched: the alarm that began it may take long to end.
func (d *Driver) alarmStates(ctx context.Context, s daemon.Snapshot) map[string]string {
	names := s.Revision.DeploymentConfiguration.Alarms
	if !s.Full || s.Deployment == nil || len(names) == 0 || len(s.Environment.Clusters) == 0 ||
		s.Deployment.Status.Ended() || s.Deployment.Status == daemon.DeploymentRollingBack {
		return nil
	}
	place := regionOf(s.Environment.Clusters[0]) // an environment's clusters are of one account and region
	key := alarmKey{place, strings.Join(names, "\n")}
	if states, ok := d.alarmsRead.recall(key, d.Now().Add(-alarmAge)); ok {
		return states
	}
	states, err := d.readAlarms(ctx, place, names)
	if err != nil {
		d.Log.Warn("the deployment waits, its alarms could not be read", "environment", s.Environment.Name, "error", err)
		return nil
	}
	d.alarmsRead.remember(key, states, d.Now())
	return states
}

func (d *Driver) readAlarms(ctx context.Context, place state.ClusterKey, names []string) (map[string]string, error) {
	if d.Alarms == nil {
		return nil, errors.New("no CloudWatch to read alarms from")
	}
	api, err := d.Alarms(place.Account, place.Region)
	if err != nil {
		return nil, err
	}
	return alarms.States(ctx, api, names)
}
