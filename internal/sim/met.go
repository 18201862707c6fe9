package sim

// MustMeet is what 200 runs together must have met: without it they would hold for want of anything that could break
// them.
var MustMeet = []string{
	// What Blox does.
	"action start", "action stop", "action resolve", "action forget", "action advance",
	"action surge", "action stopFormer", "action setAttribute", "action deleteAttribute", "action handOver",
	"daemon stopped by us: replaced by", "daemon stopped by us: restarted", "daemon stopped by us: its health ",
	"daemon stopped by us: its success", "daemon stopped by us: overtaken b",
	"start replayed", "stop repeated", "environment removed", "sweep completed",
	"slot none to claimed", "slot idle to claimed", "slot claimed to placed", "slot claimed to idle", "slot claimed to stopping",
	"slot placed to stopping", "slot placed to idle", "slot stopping to idle", "slot deleted",
	"two daemons on a host", "surge begun", "surge over", "surge whose new daemon died",
	"host handed over", "host handed back", "host released", "released host needed again", "canary reached",
	"readiness attribute set", "readiness attribute deleted", "attribute of a full host",
	"attempt failed three times in a row", "hosts written off after their deadline",
	// What becomes of deployments.
	"deployment paused for canary", "deployment paused for people", "deployment paused to running",
	"deployment running to baking", "deployment baking to completed", "deployment running to completed",
	"deployment running to failed", "deployment running to stopped", "deployment running to superseded",
	"deployment running to rollingBack", "deployment rolls back by itself", "deployment rollingBack to rolledBack",
	// How ECS refuses a start.
	"ECS answered RunTask with AGENT", "ECS answered RunTask with RESOURCE:PORTS", "ECS answered RunTask with RESOURCE:MEMORY",
	"ECS answered RunTask with MemberOf placement constraint unsatisfied.",
	// Who was faster.
	"conflict on lease", "conflict on slot", "conflict on deployment", "conflict on feed", "conflict on budget",
	"conflict on task", "conflict on instance",
	// What goes wrong.
	"crash of drive", "crash of dispatch", "crash of ingest", "crash of reconcile", "crash of api",
	"an invocation paused past its lease", "a deployment overtakes a paused stop", "a paused stop goes on after its lease was taken",
	"fault: dynamodb call refused", "fault: dynamodb call lost", "fault: dynamodb call twice", "fault: dynamodb call then dies",
	"fault: ecs call refused", "fault: ecs call lost", "fault: ecs call twice", "fault: ecs call then dies",
	"fault: sqs call refused", "fault: sqs call lost", "fault: sqs call twice", "fault: sqs call then dies",
	"event dropped", "event doubled", "event late", "event delivered after a newer one", "malformed event",
	"event lost while the bus was down", "event held while the bus was down",
	"message delivered twice by its queue", "message delivered again to drive", "message delivered again to ingest",
	"message delivered again to reconcile", "stream batch delivered again", "schedule fired twice",
	// What people and machines do.
	"operator: host joins", "operator: hosts join in a burst", "operator: host leaves", "operator: host stops and comes back",
	"operator: host drains", "operator: host drains no more", "operator: agent away", "operator: agent registers anew",
	"operator: deployment", "operator: deployment overtaken", "operator: environment deleted", "operator: ordinary task",
	"operator: daemon stopped by hand", "operator: image breaks", "operator: ECS lists nothing",
	"operator: three bad updates in a row", "operator: bad update that nobody stops", "operator: all daemons turn unhealthy",
	"operator: host changes its ring", "operator: host full of attributes",
	"operator: daemon turns unhealthy", "operator: task definition deregistered", "operator: alarm goes off",
	"api: pause done", "api: resume done", "api: promote done", "api: stop done", "api: rollback done", "api: restart done",
	"api: freeze done", "api: thaw done",
	// What readers do, and what befalls them.
	"watch: list", "watch: list without a position", "watch: snapshot", "watch: poll", "watch: answer of a poll lost",
	"watch: slow reader", "watch: from an older position", "watch: position expired", "watch: begins anew",
	"watch: wakes up after days", "watch: reader leaves within a stream", "watch: cut off within a snapshot",
	"watch: told what left the filter", "watch: told by a snapshot what left the filter",
	"watch: ended at the state of a fresh list", "crash of watch",
	"query: get", "query: list", "query: list by an index that may lag", "query: sorted list", "query: listed what changed meanwhile",
	// What befalls the feed.
	"a dispatcher dies between a row and the head", "stream batch at two dispatchers at once", "feed repeats itself",
	// ECS that answers nothing.
	"ECS answers nothing about a cluster", "absences held back", "taken for gone while it lives",
	"a second pass agreed that many are gone", "tasks stop while they are taken for gone",
	"taken for gone, and back by a later Describe",
	// The second account and region.
	"member: task", "member: host joins", "member: away", "member: event lost while it was away", "ECS of the member is away",
	"member: back after everything else was at rest",
	// Days.
	"days pass", "row of the feed expired", "tombstone expired", "event days late", "event about what expired",
}

// NotMet gives what MustMeet names and met does not have.
func NotMet(met map[string]int) []string {
	var missing []string
	for _, what := range MustMeet {
		if met[what] == 0 {
			missing = append(missing, what)
		}
	}
	return missing
}
