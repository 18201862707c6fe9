package drive

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/wakeup"
)

// act carries out a plan's actions in order: one kind after the other, and the ECS calls of one kind at the same time.
func (d *Driver) act(ctx context.Context, lease table.Lease, s daemon.Snapshot, at look, p plan) (next, error) {
	affordable, wait, err := d.afford(ctx, p.actions)
	if err != nil {
		return next{}, err
	}
	run := &run{Driver: d, lease: lease, snapshot: s, result: make([]result, len(affordable)), deployment: s.Deployment}
	for start := 0; start < len(affordable); {
		end := start + 1
		for end < len(affordable) && affordable[end].Kind == affordable[start].Kind {
			end++
		}
		err := run.all(ctx, affordable, start, end)
		// What was done is told for each kind at once, also if some of it failed: a write for each action would take as long
		// as the calls.
		if err := errors.Join(err, run.keepTimeline(ctx, start, end)); err != nil {
			return next{}, err
		}
		start = end
	}
	if err := run.settle(ctx); errors.Is(err, table.ErrConflict) {
		run.changed = true // people changed the environment this moment
	} else if err != nil {
		return next{}, err
	}
	if err := run.wake(ctx); err != nil {
		return next{}, err
	}
	n := run.next(at)
	if wait = max(wait, p.wait); wait > 0 {
		n.wakeAfter = max(wait, time.Second)
	} else if p.more || len(affordable) < len(p.actions) {
		n.again, n.at = true, everything
	}
	if err := d.setDue(ctx, s, affordable); err != nil {
		return next{}, err
	}
	if s.Full && s.Environment.Status == daemon.EnvironmentActive && run.deployment != nil {
		s.Deployment = run.deployment
		n.seen = &s
	}
	return n, nil
}

// all runs affordable[start:end].
func (r *run) all(ctx context.Context, actions []daemon.Action, start, end int) error {
	if r.Workers <= 1 {
		for i := start; i < end; i++ {
			if err := r.do(ctx, actions[i], &r.result[i]); err != nil {
				return err
			}
		}
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.Workers)
	for i := start; i < end; i++ {
		group.Go(func() error { return r.do(ctx, actions[i], &r.result[i]) })
	}
	return group.Wait()
}

// callsECS says that an action spends a call of ECS's modify bucket.
func callsECS(a daemon.Action) bool {
	switch a.Kind {
	case daemon.Start, daemon.Replay, daemon.Surge, daemon.SetAttribute, daemon.DeleteAttribute, daemon.HandOver:
		return true
	case daemon.Stop, daemon.Restop, daemon.StopFormer, daemon.StopStray:
		return true
	case daemon.Resolve, daemon.Observe, daemon.Forget, daemon.Advance, daemon.Wake, daemon.Finish:
	}
	return false
}

// afford leaves out the actions that no calls are left for, and those beyond one pass. wait is how long it takes until
// there are calls again, if they ran out.
func (d *Driver) afford(ctx context.Context, actions []daemon.Action) (affordable []daemon.Action, wait time.Duration, err error) {
	wanted := map[state.ClusterKey]int{}
	left := callsAPass
	for _, a := range actions {
		if callsECS(a) && left > 0 {
			wanted[regionOf(a.Host.Cluster)]++
			left--
		}
	}
	granted := map[state.ClusterKey]int{}
	for _, region := range sortedClusters(wanted) {
		n, regionWait, err := d.Daemon.TakeCalls(ctx, bucketOf(region, ecsapi.BucketModify, d.Modify), wanted[region], d.Now())
		if err != nil {
			return nil, 0, err
		}
		if n < wanted[region] {
			wait = max(wait, regionWait, time.Second)
		}
		granted[region] = n
	}
	for _, a := range actions {
		if callsECS(a) {
			region := regionOf(a.Host.Cluster)
			if granted[region] == 0 {
				continue
			}
			granted[region]--
		}
		affordable = append(affordable, a)
	}
	return affordable, wait, nil
}

// regionOf strips the cluster's name: ECS counts calls by account and region.
func regionOf(cluster state.ClusterKey) state.ClusterKey {
	return state.ClusterKey{Account: cluster.Account, Region: cluster.Region}
}

func bucketOf(cluster state.ClusterKey, name string, share ecsapi.Share) table.Bucket {
	return table.Bucket{
		Account: cluster.Account, Region: cluster.Region, Name: name, PerSecond: share.PerSecond, Burst: share.Burst,
	}
}

// setDue says when the tick should bring the whole environment again: soon if it is in motion, or if a look at some
// of its hosts changed something, so that the counts of the whole become true again.
func (d *Driver) setDue(ctx context.Context, s daemon.Snapshot, done []daemon.Action) error {
	finished := slices.ContainsFunc(done, func(a daemon.Action) bool { return a.Kind == daemon.Finish })
	moved := slices.ContainsFunc(done, func(a daemon.Action) bool { return callsECS(a) || a.Kind == daemon.Forget })
	if finished || (!s.Full && !moved) {
		return nil
	}
	period := fullPeriod
	if moved || s.Environment.Status != daemon.EnvironmentActive || (s.Deployment != nil && !s.Deployment.Status.Ended()) || !synced(s) {
		period = activePeriod
	}
	return d.Daemon.SetDue(ctx, s.Environment, d.Now().Add(period))
}

func synced(s daemon.Snapshot) bool {
	for _, f := range s.Clusters {
		if f.SyncedAt.IsZero() && !f.Gone {
			return false
		}
	}
	return true
}

// run is the carrying out of one plan.
type run struct {
	*Driver
	lease    table.Lease
	snapshot daemon.Snapshot
	result   []result
	// deployment is the one in force as it is stored now; nil if that is not known.
	deployment *daemon.Deployment
	// changed is as a result's, of what is no action.
	changed bool
}

// result is what an action left to be done. Each action writes its own, so that they may run at the same time.
type result struct {
	// changed asks for another plan: something was learned that the next step may build on.
	changed bool
	// wake is when to look at an instance again; wakeAll, when to look at everything.
	wake     time.Time
	instance state.Key
	wakeAll  time.Time
	// done is what people are to read of it.
	done []table.TimelineEntry
}

func (r *run) next(at look) next {
	var n next
	if r.changed {
		n.again, n.at = true, at
	}
	for _, res := range r.result {
		if res.changed {
			n.again, n.at = true, at
		}
		if !res.wakeAll.IsZero() {
			after := max(res.wakeAll.Sub(r.Now()), time.Second)
			if n.wakeAfter == 0 || after < n.wakeAfter {
				n.wakeAfter = after
			}
		}
	}
	return n
}

// wake sends the wake-ups that were stored in slots, those of the same second in one message.
func (r *run) wake(ctx context.Context) error {
	due := map[int64][]state.Key{}
	for _, res := range r.result {
		if !res.wake.IsZero() {
			second := res.wake.Unix()
			if res.wake.Nanosecond() > 0 {
				second++
			}
			due[second] = append(due[second], res.instance)
		}
	}
	seconds := make([]int64, 0, len(due))
	for second := range due {
		seconds = append(seconds, second)
	}
	slices.SortFunc(seconds, cmp.Compare[int64])
	for _, second := range seconds {
		delay := max(0, time.Unix(second, 0).Sub(r.Now()))
		for chunk := range slices.Chunk(sortedUnique(due[second]), wakeup.MaxInstances) {
			w := wakeup.Wakeup{EnvironmentID: r.snapshot.Environment.ID, Instances: chunk}
			if err := wakeup.Send(ctx, r.Wakeups, delay, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// do carries out one action. An error ends the pass; what went wrong with one host alone does not.
func (r *run) do(ctx context.Context, a daemon.Action, res *result) error {
	err := r.doOne(ctx, a, res)
	if errors.Is(err, table.ErrConflict) {
		// Another driver was faster with this host: what it did is in the next snapshot.
		res.changed = true
		return nil
	}
	return err
}

func (r *run) doOne(ctx context.Context, a daemon.Action, res *result) error {
	switch a.Kind {
	case daemon.Start:
		return r.start(ctx, a, res)
	case daemon.Replay:
		return r.launch(ctx, a, *a.Slot, res)
	case daemon.Surge:
		return r.surge(ctx, a, res)
	case daemon.Stop, daemon.StopFormer:
		return r.stop(ctx, a, res)
	case daemon.Restop:
		return r.restop(ctx, a, res)
	case daemon.StopStray:
		return r.stopStray(ctx, a, res)
	case daemon.SetAttribute, daemon.DeleteAttribute:
		return r.attribute(ctx, a, res)
	case daemon.HandOver:
		return r.handOver(ctx, a, res)
	case daemon.Resolve:
		return r.resolve(ctx, a, res)
	case daemon.Observe:
		_, err := r.keep(ctx, *a.Slot, res)
		return err
	case daemon.Forget:
		if err := r.Daemon.DeleteSlot(ctx, *a.Slot); err != nil {
			return err
		}
		res.changed = r.snapshot.Environment.Status != daemon.EnvironmentActive // the last one lets it finish
		r.note(a, res)
		return nil
	case daemon.Advance:
		return r.advance(ctx, a, res)
	case daemon.Wake:
		res.wakeAll = a.At
		return nil
	case daemon.Finish:
		return r.finish(ctx)
	}
	return nil
}

// keep stores a slot, and sees to the wake-up that it names if it is a new one.
func (r *run) keep(ctx context.Context, slot daemon.Slot, res *result) (daemon.Slot, error) {
	stored, err := r.Daemon.PutSlot(ctx, slot)
	if err == nil {
		r.wakeFor(stored, res)
	}
	return stored, err
}

// wakeFor sends the slot's wake-up unless the snapshot shows that it was sent before.
func (r *run) wakeFor(slot daemon.Slot, res *result) {
	if slot.WakeAt == nil || !slot.WakeAt.After(r.Now().Add(-time.Second)) {
		return
	}
	for _, before := range r.snapshot.Slots {
		if before.Host == slot.Host && before.WakeAt != nil && before.WakeAt.Equal(*slot.WakeAt) {
			return
		}
	}
	if instance, ok := instanceKey(slot); ok {
		res.wake, res.instance = *slot.WakeAt, instance
	}
}
