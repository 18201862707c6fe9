package drive

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
)

// plan is what is to be done in one pass.
type plan struct {
	actions []daemon.Action
	// more says that there are stops left that were not verified.
	more bool
	// wait is when to come back because calls to verify stops ran out.
	wait time.Duration
}

// unverifiedDelay is how long stops wait whose tasks could not be described.
const unverifiedDelay = 10 * time.Second

// plan decides, and decides again with what ECS says now about the tasks that would be stopped: the stored state may be
// a few seconds old, and a daemon must not be stopped for what it was then. The second plan may stop no others. A
// cluster whose tasks cannot be described has its stops wait; its starts, and other clusters, do not.
func (d *Driver) plan(ctx context.Context, s *daemon.Snapshot) (plan, error) {
	actions := daemon.Plan(*s, d.Now())
	stops := tasksToStop(actions)
	if len(stops) == 0 {
		return plan{actions: actions}, nil
	}
	var p plan
	verified := map[string]bool{}
	for _, cluster := range sortedClusters(stops) {
		err := d.refresh(ctx, s, cluster, stops[cluster])
		var spent outOfCalls
		switch {
		case errors.As(err, &spent):
			p.wait = max(p.wait, spent.wait)
		case err != nil && ctx.Err() != nil:
			return plan{}, err
		case err != nil:
			d.Log.Warn("stops wait, their tasks could not be described", "cluster", cluster.String(), "error", err)
			p.wait = max(p.wait, unverifiedDelay)
		default:
			for _, arn := range stops[cluster] {
				verified[arn] = true
			}
		}
	}
	again := daemon.Plan(*s, d.Now())
	p.actions = slices.DeleteFunc(slices.Clone(again), func(a daemon.Action) bool { return isStop(a) && !verified[a.TaskARN] })
	p.more = len(p.actions) < len(again)
	return p, nil
}

func isStop(a daemon.Action) bool {
	return a.Kind == daemon.Stop || a.Kind == daemon.StopFormer || a.Kind == daemon.StopStray || a.Kind == daemon.Restop
}

// tasksToStop are the tasks of one batch of stops, by cluster, each with the one that is to serve on instead.
func tasksToStop(actions []daemon.Action) map[state.ClusterKey][]string {
	stops, n := map[state.ClusterKey][]string{}, 0
	for _, a := range actions {
		if isStop(a) && n < callsAPass {
			stops[a.Host.Cluster] = append(stops[a.Host.Cluster], a.TaskARN)
			if other := servesOn(a); other != "" {
				stops[a.Host.Cluster] = append(stops[a.Host.Cluster], other)
			}
			n++
		}
	}
	return stops
}

// servesOn is the host's other task in the middle of a surge: that it works is why this one may be stopped at no cost.
// Empty is none.
func servesOn(a daemon.Action) string {
	switch {
	case a.Slot == nil || a.Slot.Former == nil:
		return ""
	case a.Slot.Former.TaskARN == a.TaskARN:
		return a.Slot.TaskARN
	}
	return a.Slot.Former.TaskARN
}
