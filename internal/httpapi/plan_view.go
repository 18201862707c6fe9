package httpapi

import (
	"strings"
	"time"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
)

const (
	// maxPlanWaves bounds a forecast; in large fleets it is bounded by maxPlannedHosts, for each wave takes some plans of the
	// whole fleet: 5,000 hosts take a fifteenth of a second a wave.
	maxPlanWaves, minPlanWaves = 100, 5
	maxPlannedHosts            = 150_000
	// maxPlanActions bounds the actions that one answer tells. With their hosts and reasons they are a megabyte and a half;
	// a Lambda function may answer six.
	maxPlanActions = 6000
)

// planOf is what the scheduler would do with a snapshot.
func (s *server) planOf(snapshot daemon.Snapshot) client.Plan {
	now := s.Now()
	forecast := daemon.Foresee(snapshot, now, planWaves(len(snapshot.Hosts)))
	view := planView{partition: snapshot.Environment.Partition, left: maxPlanActions}
	plan := client.Plan{
		Environment: snapshot.Environment.Name, At: now, Counts: client.Counts(forecast.Before),
		Waves: make([]client.PlanWave, len(forecast.Waves)), Actions: []client.PlannedAction{},
		Forecast: client.PlanForecast{
			DeploymentStatus: string(forecast.Status), AfterSeconds: seconds(forecast.Ends), Counts: client.Counts(forecast.After),
			WaitsFor: forecast.WaitsFor, Truncated: forecast.Truncated,
		},
	}
	if snapshot.Deployment != nil {
		plan.Revision, plan.DeploymentStatus = snapshot.Revision.Number, string(snapshot.Deployment.Status)
	}
	for i, wave := range forecast.Waves {
		actions, leftOut := view.actions(wave.Actions)
		plan.Waves[i] = client.PlanWave{AfterSeconds: seconds(wave.After), Actions: actions, ActionsLeftOut: leftOut}
		if i == 0 && wave.After == 0 {
			plan.Actions, plan.ActionsLeftOut = actions, leftOut
		}
	}
	return plan
}

// planWaves is how many waves of a fleet are foreseen.
func planWaves(hosts int) int {
	return max(minPlanWaves, min(maxPlanWaves, maxPlannedHosts/max(1, hosts)))
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// planView shows actions as long as there is room.
type planView struct {
	partition string
	left      int
}

func (v *planView) actions(actions []daemon.Action) (shown []client.PlannedAction, leftOut int) {
	n := min(len(actions), v.left)
	v.left -= n
	shown = make([]client.PlannedAction, n)
	for i, a := range actions[:n] {
		shown[i] = v.action(a)
	}
	return shown, len(actions) - n
}

func (v *planView) action(a daemon.Action) client.PlannedAction {
	shown := client.PlannedAction{Kind: string(a.Kind), Host: a.Host.EC2InstanceID, Reason: a.Reason}
	if a.Host != (daemon.HostKey{}) {
		shown.Cluster = a.Host.Cluster.ARN(v.partition)
	}
	if !daemon.Imagined(a.TaskARN) {
		shown.TaskARN = a.TaskARN
	}
	if (a.Kind == daemon.Start || a.Kind == daemon.Surge || a.Kind == daemon.Replay) && a.Slot != nil {
		shown.Revision = a.Slot.Revision
	}
	if a.Attribute != nil {
		shown.Attribute = strings.TrimSuffix(a.Attribute.Name+"="+a.Attribute.Value, "=")
	}
	if a.Deployment != nil {
		shown.Status = string(a.Deployment.Status)
	}
	return shown
}
