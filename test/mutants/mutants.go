package main

// mutants is the table of known faults, each one a mistake that the design
// warns of by name.
var mutants = []mutant{
	{
		// An older event that comes late overwrites what is newer.
		name: "no version check", file: "internal/table/put.go", killedBy: []int{1},
		old: `c := condition{expression: "#version < :version"`,
		new: `c := condition{expression: "#version <> :version"`,
	},
	{
		// A driver that dies in between leaves a task that nobody knows of.
		name: "claim after the call", file: "internal/drive/start.go", killedBy: []int{2, 5},
		old: "claimed, err := r.Daemon.ClaimSlot(ctx, *a.Slot)\n",
		new: "if _, err := r.runTask(ctx, *a.Slot); err != nil {\n\t\treturn err\n\t}\n\tclaimed, err := r.Daemon.ClaimSlot(ctx, *a.Slot)\n",
	},
	{
		// ECS answers the second attempt with the dead task of the first.
		name: "token without attempt", file: "internal/daemon/slot.go", killedBy: []int{5},
		old: `revision, host, containerInstanceARN, attempt))`,
		new: `revision, host, containerInstanceARN, min(attempt, 1)))`,
	},
	{
		// A stopped task whose event was lost stays alive in STATE.
		name: "RUNNING only listed", file: "internal/ecsapi/list.go", killedBy: []int{5},
		old: `statuses := []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped}`,
		new: `statuses := []types.DesiredStatus{types.DesiredStatusRunning}`,
	},
	{
		// A driver that was paused past its lease spends a budget that it counted long ago, of stops or of surges.
		name: "lease ignored", file: "internal/table/slot.go", killedBy: []int{2, 3},
		old: `ConditionExpression:       aws.String("epoch = :epoch"),`,
		new: `ConditionExpression:       aws.String("epoch >= :epoch"),`,
	},
	{
		// What was stopped a moment ago is not counted: each look spends the whole budget anew.
		name: "budget without memory", file: "internal/daemon/budget.go", killedBy: []int{3},
		old: `b.taken = tally.Unavailable - min(overdue, max(1, b.allowed))`,
		new: `b.taken = min(0, overdue)`,
	},
	{
		// As many hosts as there are may be written off, so that a bad revision takes the whole fleet where no breaker trips.
		name: "written off without a bound", file: "internal/daemon/budget.go", killedBy: []int{3},
		old: `b.taken = tally.Unavailable - min(overdue, max(1, b.allowed))`,
		new: `b.taken = tally.Unavailable - overdue`,
	},
	{
		// A surge begins on every host at once.
		name: "surge without a bound", file: "internal/daemon/budget.go", killedBy: []int{2},
		old: `if b.taken > b.allowed || b.surging >= b.surges {`,
		new: `if b.taken > b.allowed {`,
	},
	{
		// The old daemon of a surge goes before the new one works.
		name: "former stopped too early", file: "internal/daemon/surge.go", killedBy: []int{3},
		old: `case t.slot.Settled(p.minHealthy(), p.now):`,
		new: `case t.slot.State == SlotPlaced:`,
	},
	{
		// A check that fails everywhere at once has every daemon restarted at once.
		name: "restarts of the unhealthy are free", file: "internal/daemon/unhealthy.go", killedBy: []int{3},
		old: `!t.slot.Serving() && !p.roomFor(t, b) {`,
		new: `!t.slot.Serving() && b.allowed < 0 {`,
	},
	{
		// A migration takes every host from its service at once.
		name: "hand-overs are free", file: "internal/daemon/rollout.go", killedBy: []int{3},
		old: `case what == takeItOver && serving && !p.roomFor(t, b), what`,
		new: `case what`,
	},
	{
		// A driver that dies after its call leaves an attribute that nobody knows of.
		name: "attribute without its intent", file: "internal/drive/attribute.go", killedBy: []int{5},
		old: `intent, err := r.Daemon.PutSlotUnderLease(ctx, a.AttributeIntent(r.Now()), r.lease)`,
		new: `intent, err := *a.Slot, error(nil)`,
	},
	{
		// What people pause goes on.
		name: "pause ignored", file: "internal/daemon/hold.go", killedBy: []int{8},
		old: `return "the deployment is " + wordOr(d.Reason, "paused")`,
		new: `return ""`,
	},
	{
		// What people stop goes on.
		name: "stop ignored", file: "internal/daemon/hold.go", killedBy: []int{8},
		old: `return "the deployment was " + wordOr(d.Reason, "stopped")`,
		new: `return ""`,
	},
	{
		// A frozen environment goes on.
		name: "freeze ignored", file: "internal/daemon/freeze.go", killedBy: []int{8},
		old: `return p.Environment.Frozen != nil && p.Environment.Status == EnvironmentActive`,
		new: `return p.Environment.Frozen != nil && p.Environment.Status != EnvironmentActive`,
	},
	{
		// The whole fleet is the canary.
		name: "canaries without a bound", file: "internal/daemon/canary.go", killedBy: []int{8},
		old: `(!p.Full || len(chosen) >= max(1, amount.RoundedUp(desired)))`,
		new: `(!p.Full || len(chosen) > desired)`,
	},
	{
		// A deployment that is to replace nothing does.
		name: "onDelete replaces", file: "internal/daemon/rollout.go", killedBy: []int{8},
		old: `case p.method() == OnDelete:`,
		new: `case p.method() == OnDelete && p.Deployment.RollbackTo != 0:`,
	},
	{
		// What is rolled back to is what came before, and not what was good.
		name: "rollback to the one before", file: "internal/daemon/operate.go", killedBy: []int{5},
		old: `to = d.BasedOn`,
		new: `to = d.Revision - 1`,
	},
	{
		// Hosts outside of the instance group get the daemon.
		name: "instance group ignored", file: "internal/daemon/eligible.go", killedBy: []int{5},
		old: `case !match:`,
		new: `case !match && expression == "":`,
	},
	{
		// A host that was excluded gets the daemon.
		name: "exclusion ignored", file: "internal/daemon/eligible.go", killedBy: []int{5},
		old: `case slices.Contains(r.Selector.Exclude, h.Key.EC2InstanceID):`,
		new: `case len(r.Selector.Exclude) > 1000:`,
	},
	{
		// A released host gets other work, and never its daemon.
		name: "released for good", file: "internal/daemon/release.go", killedBy: []int{5},
		old: `slot.Released, slot.Reason = false, "other work has come to the host"`,
		new: `slot.Reason = "other work has come to the host"`,
	},
	{
		// The environment is gone, and the service still may not have its hosts.
		name: "host not handed back", file: "internal/daemon/handover.go", killedBy: []int{5},
		old: `if t.slot.HandedOver == "" || p.gone(t.key)`,
		new: `if t.slot.HandedOver != "" || p.gone(t.key)`,
	},
	{
		// Who loses the contest for a row believes to have put it: the feed has what the other put, and never its own.
		name: "lost contest for a row", file: "internal/table/feed.go", killedBy: []int{7},
		old: "if err == nil {\n\t\t\t_, err = f.moveHead(",
		new: "if err == nil || errors.Is(err, ErrConflict) {\n\t\t\t_, err = f.moveHead(",
	},
	{
		// A missing row is passed over: a reader that was away for days goes on without what it missed.
		name: "expired position not noticed", file: "internal/table/feed_read.go", killedBy: []int{7},
		old: "if stringOf(item, schema.SortKey) != feedRowSK(row+1) {\n\t\t\t\treturn nil, row, ErrExpired\n\t\t\t}",
		new: "if n, err := strconv.ParseInt(stringOf(item, schema.SortKey), 10, 64); err == nil {\n\t\t\t\trow = n - 1\n\t\t\t}",
	},
	{
		// What changes while the snapshot is read is neither in it nor after it.
		name: "position read after the snapshot", file: "internal/watch/stream.go", killedBy: []int{7},
		old: "if err := s.tell(Line{Type: Bookmark,",
		new: `if s.Snapshot {
		text, err := s.Feed.Position(ctx)
		if err != nil {
			return err
		}
		if s.position, err = table.ParseFeedPosition(text); err != nil {
			return err
		}
		s.next = s.position
	}
	if err := s.tell(Line{Type: Bookmark,`,
	},
	{
		// A reader keeps for ever what has left its filter.
		name: "left the filter, told nobody", file: "internal/watch/memory.go", killedBy: []int{7},
		old: "case known && last.deleted, !known && m.complete, never:",
		new: "case known && last.deleted, !known, never:",
	},
	{
		// The next page begins after what this one had no room for.
		name: "page goes on one late", file: "internal/table/list.go", killedBy: []int{7},
		old: `			if l.full() {
				return l.done(), nil
			}
			l.page.Next = e.place
`,
		new: `			l.page.Next = e.place
			if l.full() {
				return l.done(), nil
			}
`,
	},
	{
		// A task that is told to stop between two pages moves behind the reader's back.
		name: "phase that goes back", file: "internal/table/phase.go", killedBy: []int{7},
		old: "case strings.EqualFold(r.Task.DesiredStatus, state.TaskStopped):\n\t\treturn phaseStopping",
		new: "case strings.EqualFold(r.Task.DesiredStatus, state.TaskStopped):\n\t\treturn phaseStarting",
	},
	{
		// What ended long ago is shown until DynamoDB deletes it.
		name: "visibility ignored", file: "internal/table/read.go", killedBy: []int{7},
		old: "return r.Tombstone == nil || now.Before(r.Tombstone.VisibleUntil)",
		new: "return r.Tombstone == nil || now.After(r.Tombstone.StoppedAt)",
	},
	{
		// One wrong answer of ECS buries a whole cluster.
		name: "absences not held back", file: "internal/reconcile/pass.go", killedBy: []int{5},
		old: "if held.Records > 0 {\n\t\tfor _, record",
		new: "if held.Records < 0 {\n\t\tfor _, record",
	},
	{
		// What reconcile read missing changes before it is buried.
		name: "burial of what has changed", file: "internal/table/put.go", killedBy: []int{1},
		old: "c := unchangedCondition(stored)",
		new: `c := condition{expression: "attribute_exists(pk)"}`,
	},
	{
		// What was taken for gone by mistake, and stands still, stays buried.
		name: "mistaken burial is for good", file: "internal/state/newer.go", killedBy: []int{5},
		old: "return !seen.Ended() && stored.Tombstone.StoppedAt.Before(seen.ObservedAt)",
		new: "return false",
	},
	{
		// An event that comes after its tombstone has expired brings the dead back.
		name: "late event after the tombstone", file: "internal/ingest/write.go", killedBy: []int{1},
		old: "if now.Sub(seen.ObservedAt) > state.TombstoneKeptFor {",
		new: "if now.Sub(seen.ObservedAt) > 1000*state.TombstoneKeptFor {",
	},
	{
		// Clusters of one name in two accounts and regions are one.
		name: "key without account and region", file: "internal/table/state.go", killedBy: []int{5},
		old: `return fmt.Sprintf("%s/%s/%d", cluster, kind, shard)`,
		new: `cluster.Account, cluster.Region = "123456789012", "us-east-1"
	return fmt.Sprintf("%s/%s/%d", cluster, kind, shard)`,
	},
}
