package doctor

import (
	"fmt"
	"time"

	"github.com/blox/blox/client"
)

// judgeReconciles judges how long ago the clusters were reconciled. After two periods Blox stops no task in them.
func judgeReconciles(clusters []client.Cluster, now time.Time, period time.Duration) []Result {
	if len(clusters) == 0 {
		return []Result{warn(checkReconcile, "no cluster is known yet",
			"if the account has ECS clusters, look at the log of the reconcile function: its schedule lists them every "+roughly(period))}
	}
	var results []Result
	var oldest time.Duration
	for _, c := range clusters {
		name := c.Name + " (" + c.Account + ", " + c.Region + ")"
		if c.LastReconciledAt == nil {
			results = append(results, fail(checkReconcile, name+" was never wholly reconciled",
				"wait for one period ("+roughly(period)+"); then look at the reconcile function's log and at its queue's dead letters. "+
					"Until then nothing is started or stopped in the cluster"))
			continue
		}
		age := now.Sub(*c.LastReconciledAt)
		oldest = max(oldest, age)
		if age > 2*period {
			results = append(results, fail(checkReconcile, fmt.Sprintf("%s was last reconciled %s ago; the period is %s", name, roughly(age), roughly(period)),
				"look at the reconcile function's log, its schedule and its queue's dead letters: calls of ECS may be throttled or denied. "+
					"Until then no daemon is stopped in the cluster, so rollouts wait (is the period another? --stack finds it, or --reconcile-minutes says it)"))
		}
		if c.AbsentHeldBack > 0 {
			results = append(results, warn(checkReconcile, fmt.Sprintf("%s: %d tasks and instances are missing in ECS at once, too many to believe at the first look", name, c.AbsentHeldBack),
				"the next reconcile decides; if the cluster did not lose that much, look at what ECS lists"))
		}
	}
	if len(results) == 0 {
		return []Result{ok(checkReconcile, "%s, each reconciled within the last %s", counted(len(clusters), "cluster", "clusters"), roughly(oldest))}
	}
	return bounded(results)
}

// counted is a number of things, in words that fit it.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
