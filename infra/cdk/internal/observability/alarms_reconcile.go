package observability

import "fmt"

// reconcileAlarms: what Blox knows may be wrong.
func reconcileAlarms(props Props, m metrics) []alarm {
	sweep := float64(props.Settings.ReconcileMinutes)
	return []alarm{
		{
			name: "clusters-unsynced", runbook: "clusters-unsynced",
			means: fmt.Sprintf("Clusters have not been reconciled for over %.0f minutes, or there has been no sweep at all for %.0f. "+
				"Rollouts in those clusters stand still.", 2*sweep, 3*sweep),
			first: "blox doctor lists the age of each cluster's reconcile; then the log group of function reconcile.",
			// Every sweep reports, also that there is nothing: silence means that there was no sweep. A period is as long as
			// the time between two sweeps, so now and then one has none and the next has two; three on end have at least one. See
			// silenceIsBad for the first minutes of an installation.
			metric:    m.blox(clustersUnsynced, statisticMaximum, sweep),
			threshold: 1, periods: 3, silenceIsBad: true,
		},
		{
			name: "absences-held-back", runbook: "absences-held-back",
			means: "More than a fifth of a cluster was missing from ECS's answer at once. Nothing was removed; the next pass must agree.",
			first: "look at the cluster in the ECS console, whether it is being emptied on purpose.",
			// The one pass that holds back is all the warning there is: the next one may believe it. Each pass over a cluster
			// reports, and one that held nothing back must not hide one that did: the sum sees both.
			metric:    m.blox(heldAbsent, statisticSum, 5*minute),
			threshold: 1, periods: 1,
		},
		{
			name: "events-missing", runbook: "events-missing",
			means: "Reconcile keeps finding changes that no event told of: the rule is disabled or changed, or events are lost.",
			first: "whether the EventBridge rule is enabled and was changed by hand, which CloudFormation's drift detection shows and make diff does not.",
			// Without events all other alarms are quiet: nothing arrives, so nothing is late. One period full of drift is
			// normal, after an outage that lost events. What the first pass over a cluster stores is none, and neither are tags,
			// attributes and health, which change without an event.
			metric:    m.blox(driftRepaired, statisticSum, 15*minute),
			threshold: 50, periods: 3,
		},
	}
}

// rolloutAlarms: daemons are not where they should be. Drive reports whenever it looks at the whole of an environment,
// every ten minutes at least; a period of 15 therefore never lacks a report, and the alarm does not flap. All
// environments report under one metric, and the maximum is the worst of them. An environment that was deleted reports
// no more, so silence must be good.
func rolloutAlarms(m metrics) []alarm {
	return []alarm{
		{
			name: "hosts-without-healthy-daemon", runbook: "hosts-without-healthy-daemon",
			means: "Hosts have had no healthy daemon for longer than a start takes.",
			first: "blox describe environment NAME lists the hosts and why; the events on the installation's bus name the environment.",
			// The wait for a start is in the metric already.
			metric:    m.blox(hostsWithoutHealthyDaemon, statisticMaximum, 15*minute),
			threshold: 1, periods: 1,
		},
		{
			name: "deployments-stuck", runbook: "deployments-stuck",
			means: "A deployment is under way and has not moved on for half an hour.",
			first: "blox describe deployment NAME shows what each host waits for.",
			// The half hour is in the metric already.
			metric:    m.blox(deploymentsStuck, statisticMaximum, 15*minute),
			threshold: 1, periods: 1,
		},
		{
			name: "deployments-failed", runbook: "deployments-failed",
			means: "A deployment did harm or did not get on: it rolls back to the last good revision, or stays where it is.",
			first: "the events on the installation's bus name the environment; blox describe environment NAME says why, and what its hosts have now.",
			// Told once for each deployment, when it is decided: the alarm ends by itself.
			metric:    m.blox(deploymentsFailed, statisticSum, 5*minute),
			threshold: 1, periods: 1,
		},
		{
			name: "environments-blocked", runbook: "environments-blocked",
			means:     "The task definition of an environment is INACTIVE: ECS starts no task of it any more, so that no new host gets its daemon.",
			first:     "the log of function drive names the environment; apply it with a task definition that is ACTIVE, or with copyTaskDefinition.",
			metric:    m.blox(environmentsBlocked, statisticMaximum, 15*minute),
			threshold: 1, periods: 1,
		},
	}
}
