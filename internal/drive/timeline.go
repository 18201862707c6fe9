package drive

import (
	"context"
	"fmt"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/table"
)

// note remembers what was done, for people.
func (r *run) note(a daemon.Action, res *result) {
	deploymentID := r.snapshot.Environment.DeploymentID
	if a.Slot != nil && a.Slot.DeploymentID != "" {
		deploymentID = a.Slot.DeploymentID
	}
	res.done = append(res.done, table.TimelineEntry{
		At: r.Now(), DeploymentID: deploymentID, Kind: a.Kind, Host: hostName(a), TaskARN: a.TaskARN, Reason: a.Reason,
	})
}

// hostName is empty for what is about no host.
func hostName(a daemon.Action) string {
	if a.Host == (daemon.HostKey{}) {
		return ""
	}
	return a.Host.String()
}

// keepTimeline stores what was noted of the actions from start to end. A driver that dies before has done what it did
// all the same: the slots say so, and the timeline does not.
func (r *run) keepTimeline(ctx context.Context, start, end int) error {
	var entries []table.TimelineEntry
	for _, res := range r.result[start:end] {
		entries = append(entries, res.done...)
	}
	if len(entries) == 0 {
		return nil
	}
	if err := r.Daemon.AppendTimelineAll(ctx, r.snapshot.Environment.ID, entries); err != nil {
		return fmt.Errorf("keeping what was done: %w", err)
	}
	return nil
}
