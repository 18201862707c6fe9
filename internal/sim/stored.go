package sim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
)

// forgets is how long ECS surely knows a stopped task.
const forgets = 55 * time.Minute

// differs says where STATE is not what ECS holds of a cluster, of all that did not change since quiet.
func (w *world) differs(cluster state.ClusterKey, quiet time.Time) string {
	records := w.recordsOf(cluster)
	for _, arn := range slices.Sorted(maps.Keys(w.truth.tasks)) {
		t := w.truth.tasks[arn]
		if t.cluster != cluster || t.changed.After(quiet) || t.last == daemon.StatusStopped && w.now.Sub(t.changed) > forgets {
			continue
		}
		r, ok := records[arn]
		if !ok || r.Version != t.version || r.Task.LastStatus != t.last || r.Task.DesiredStatus != t.desired {
			return fmt.Sprintf("task %s is %s/%s version %d, stored is %s/%s version %d",
				arn, t.last, t.desired, t.version, r.Task.LastStatus, r.Task.DesiredStatus, r.Version)
		}
	}
	for _, arn := range w.arnsOf(cluster, state.KindContainerInstance) {
		h := w.truth.hosts[arn]
		if h.changed.After(quiet) {
			continue
		}
		r, ok := records[h.arn]
		if !ok || r.Version != h.version || r.Instance.Status != h.status || r.Instance.AgentConnected != h.connected {
			return fmt.Sprintf("host %s is %s connected %t version %d, stored is %s connected %t version %d",
				h.arn, h.status, h.connected, h.version, r.Instance.Status, r.Instance.AgentConnected, r.Version)
		}
	}
	return ""
}

// arnsOf are the tasks of a cluster that have not stopped, or its container instances that are not INACTIVE, sorted.
func (w *world) arnsOf(cluster state.ClusterKey, kind state.Kind) []string {
	var arns []string
	for arn, t := range w.truth.tasks { // any order: they are sorted
		if kind == state.KindTask && t.cluster == cluster && t.last != state.TaskStopped {
			arns = append(arns, arn)
		}
	}
	for arn, h := range w.truth.hosts { // any order: they are sorted
		if kind == state.KindContainerInstance && h.cluster == cluster && h.status != state.InstanceInactive {
			arns = append(arns, arn)
		}
	}
	slices.Sort(arns)
	return arns
}

// records reads all of STATE, past the faults.
func (w *world) records() map[string]state.Record {
	records := map[string]state.Record{}
	for _, cluster := range w.clusters() {
		maps.Copy(records, w.recordsOf(cluster))
	}
	return records
}

func (w *world) recordsOf(cluster state.ClusterKey) map[string]state.Record {
	records := map[string]state.Record{}
	for _, kind := range []state.Kind{state.KindTask, state.KindContainerInstance} {
		some, err := w.state.Cluster(context.Background(), cluster, kind)
		if err != nil {
			panic(err)
		}
		for _, r := range some {
			records[r.ARN] = r
		}
	}
	return records
}

// ghosts are records of what ECS does not hold.
func (w *world) ghosts() string {
	records := w.records()
	for _, arn := range slices.Sorted(maps.Keys(records)) {
		r := records[arn]
		if r.Tombstone != nil {
			continue
		}
		if t := w.truth.tasks[arn]; t != nil && t.last != daemon.StatusStopped {
			continue
		}
		if h := w.truth.hosts[arn]; h != nil && h.status != "INACTIVE" {
			continue
		}
		return fmt.Sprintf("STATE has %s alive, ECS has not", arn)
	}
	return ""
}
