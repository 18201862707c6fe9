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
		// A driver that was paused past its lease spends a budget that it counted long ago.
		name: "lease ignored", file: "internal/table/slot.go", killedBy: []int{3},
		old: `ConditionExpression:       aws.String("epoch = :epoch"),`,
		new: `ConditionExpression:       aws.String("epoch >= :epoch"),`,
	},
	{
		// What was stopped a moment ago looks healthy until its event comes.
		name: "budget from STATE only", file: "internal/daemon/rollout.go", killedBy: []int{3},
		old: `AllowedUnavailable(tally.Desired-tally.Exempt) - tally.Unavailable`,
		new: `AllowedUnavailable(tally.Desired-tally.Exempt) - func() (down int) {
		for _, key := range p.keys {
			works := slices.ContainsFunc(p.tasks[key], func(t Task) bool {
				return t.Live() && t.LastStatus == StatusRunning && t.Health != "UNHEALTHY"
			})
			if p.wanted(key) && !works {
				down++
			}
		}
		return down
	}()`,
	},
}
