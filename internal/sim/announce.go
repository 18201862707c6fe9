package sim

import (
	"context"
	"errors"

	"github.com/blox/blox/internal/announce"
	"github.com/blox/blox/internal/daemon"
)

// teller is the bus for people as the scheduler reaches it.
type teller struct{ world *world }

// announcement is that a deployment is in a state.
type announcement struct {
	deploymentID string
	status       daemon.DeploymentStatus
}

var errBus = errors.New("the bus is away")

// Put puts events, or fails as calls do.
func (t teller) Put(_ context.Context, events []announce.Event) error {
	target := events[0].DetailType + " " + events[0].Detail.DeploymentID
	_, err := perform(t.world, effect{service: "EventBridge", name: "PutEvents", target: target, writes: true, tender: true}, func() (struct{}, error) {
		for _, e := range events {
			if e.DetailType == announce.DeploymentStateChange {
				t.world.told[announcement{e.Detail.DeploymentID, e.Detail.Status}] = true
			} else {
				t.world.met("event for people: " + e.DetailType)
			}
		}
		return struct{}{}, nil
	}, errBus, errBus)
	return err
}

// untold says that nobody was told of a deployment's end.
func (w *world) untold(dep daemon.Deployment) string {
	if dep.Status.Ended() && !w.told[announcement{dep.ID, dep.Status}] {
		return "nobody was told that deployment " + dep.ID + " is " + string(dep.Status)
	}
	return ""
}
