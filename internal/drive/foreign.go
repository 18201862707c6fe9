package drive

import (
	"cmp"
	"context"
	"slices"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
)

// addForeign gives hosts the tasks of the service that the revision migrates from. A task that was told to stop is
// still there until it has stopped: it holds its ports and its memory. Of several on a host, one that ECS means to
// run counts.
func (r *reading) addForeign(ctx context.Context, records []state.Record) error {
	byHost := map[daemon.HostKey][]daemon.Task{}
	for _, record := range records {
		task, err := r.taskOf(ctx, record)
		if err != nil {
			return err
		}
		if !task.Stopped() {
			byHost[task.Host] = append(byHost[task.Host], task)
		}
	}
	for i := range r.snapshot.Hosts {
		h := &r.snapshot.Hosts[i]
		if tasks := byHost[h.Key]; len(tasks) > 0 {
			task := slices.MinFunc(tasks, func(a, b daemon.Task) int {
				return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.ARN, b.ARN))
			})
			h.Foreign = &task
		}
	}
	return nil
}

// rank orders a task that ECS means to run before one that it does not.
func rank(t daemon.Task) int {
	if t.Live() {
		return 0
	}
	return 1
}
