package daemon

import "time"

// DeploymentStatus is where a deployment is. pending, running and completed are the words of Blox v0.3.0.
type DeploymentStatus string

const (
	// DeploymentPending: the scheduler has not worked on it yet.
	DeploymentPending DeploymentStatus = "pending"
	// DeploymentRunning: hosts are getting the revision.
	DeploymentRunning DeploymentStatus = "running"
	// DeploymentPaused: nothing is replaced until somebody resumes it, or promotes its canaries. PausedFor says which.
	DeploymentPaused DeploymentStatus = "paused"
	// DeploymentBaking: every host has the revision, and it is watched for BakeSeconds before it counts.
	DeploymentBaking DeploymentStatus = "baking"
	// DeploymentRollingBack: it failed, or was told to, and hosts are getting revision RollbackTo again.
	DeploymentRollingBack DeploymentStatus = "rollingBack"

	// DeploymentCompleted: every host has had the revision, healthy for minHealthySeconds.
	DeploymentCompleted DeploymentStatus = "completed"
	// DeploymentRolledBack: every host has revision RollbackTo again.
	DeploymentRolledBack DeploymentStatus = "rolledBack"
	// DeploymentFailed: it did harm, or did not get on, and there was nothing to roll back to, or it was not to.
	DeploymentFailed DeploymentStatus = "failed"
	// DeploymentStopped: somebody stopped it, or its environment was deleted. What was updated stays so.
	DeploymentStopped DeploymentStatus = "stopped"
	// DeploymentSuperseded: a newer deployment took its place before it had ended.
	DeploymentSuperseded DeploymentStatus = "superseded"
)

// Ended says that the status will not change again.
func (s DeploymentStatus) Ended() bool {
	switch s {
	case DeploymentCompleted, DeploymentRolledBack, DeploymentFailed, DeploymentStopped, DeploymentSuperseded:
		return true
	case DeploymentPending, DeploymentRunning, DeploymentPaused, DeploymentBaking, DeploymentRollingBack:
	}
	return false
}

// The reasons for which a deployment is paused.
const (
	PausedByPeople = "people"
	PausedByCanary = "canary"
)

// Deployment brings one revision to every host of an environment.
type Deployment struct {
	ID            string           `json:"id"`
	EnvironmentID string           `json:"environmentId"`
	Revision      int              `json:"revision"`
	Token         string           `json:"token"`
	Status        DeploymentStatus `json:"status"`
	// Restart gives every host a new task, also those that run the revision already.
	Restart bool `json:"restart,omitempty"`
	// BasedOn is the environment's last good revision when the deployment was made: what hosts keep, and new ones get, while
	// the deployment is held (Held), and what it rolls back to. 0 if there was none.
	BasedOn int `json:"basedOn,omitempty"`
	// RollbackTo is the revision that hosts get again, once the deployment is rolled back; 0 before.
	RollbackTo int `json:"rollbackTo,omitempty"`
	// Reason says why the status is what it is, where that is not plain: why it failed, who paused it and what for.
	Reason string `json:"reason,omitempty"`
	// PausedFor is why a paused deployment is.
	PausedFor string     `json:"pausedFor,omitempty"`
	CreatedAt time.Time  `json:"createdAt"`
	CreatedBy string     `json:"createdBy,omitempty"`
	StartedAt *time.Time `json:"startedAt,omitempty"`
	EndedAt   *time.Time `json:"endedAt,omitempty"`
	// CanariesSince is since when all canaries have had the revision, healthy; PromotedAt when it was let out to the rest.
	CanariesSince *time.Time `json:"canariesSince,omitempty"`
	PromotedAt    *time.Time `json:"promotedAt,omitempty"`
	// BakingSince is since when every host has had the revision.
	BakingSince *time.Time `json:"bakingSince,omitempty"`
	Counts      Counts     `json:"counts"`
	// Lost counts hosts that left their cluster after this deployment had touched them and before its daemon had been well
	// there: what a new daemon breaks may be the host. LostHosts are their names, at most MaxFailedInstances.
	Lost      int       `json:"lost,omitempty"`
	LostHosts []HostKey `json:"lostHosts,omitempty"`
	// ClocksFrom is when the deployment could last begin to do something about its hosts: when it was begun, resumed, turned
	// back, or its environment thawed. No deadline runs from before. FrozenSince is set while the environment is frozen.
	ClocksFrom  *time.Time `json:"clocksFrom,omitempty"`
	FrozenSince *time.Time `json:"frozenSince,omitempty"`
	// HostlessSince is since when the deployment has had no host, after it had some; nil while it has any, or never had.
	HostlessSince *time.Time `json:"hostlessSince,omitempty"`
	// AlarmsBefore are alarms that had gone off before the deployment began, and have not been quiet since: they are not its
	// doing, and do not fail it.
	AlarmsBefore []string `json:"alarmsBefore,omitempty"`
	// FailedInstances are hosts on which the daemon could not be started or kept, with ECS's own reason. At most
	// MaxFailedInstances, sorted by host.
	FailedInstances []FailedInstance `json:"failedInstances,omitempty"`
	// Progress is for those who watch over deployments.
	Progress Progress `json:"progress,omitzero"`
	// Announced is the status that people were told of last. It is stored after they were told: if the scheduler dies in
	// between, they are told again.
	Announced DeploymentStatus `json:"announced,omitempty"`
	// ToldStuck and ToldBlocked say that people were told of the Progress's StuckSince and BlockedSince.
	ToldStuck   bool `json:"toldStuck,omitempty"`
	ToldBlocked bool `json:"toldBlocked,omitempty"`
	// ToldUnhealthy says that people were told of hosts without a healthy daemon; it is taken back when there are none.
	ToldUnhealthy bool `json:"toldUnhealthy,omitempty"`
	// ToldInactive are the task definitions that people were told of that no task can be run from any more.
	ToldInactive string `json:"toldInactive,omitempty"`
	// RecordVersion rises with every write; writes are conditional on it, for people and the scheduler both write.
	RecordVersion int64 `json:"recordVersion"`
}

// Target is the revision that the deployment brings to the hosts now.
func (d Deployment) Target() int {
	if d.RollbackTo != 0 {
		return d.RollbackTo
	}
	return d.Revision
}

// MaxFailedInstances bounds a deployment's item, which DynamoDB limits to 400 KB.
const MaxFailedInstances = 100

// FailedInstance is a host without a working daemon, and why.
type FailedInstance struct {
	Host   HostKey `json:"host"`
	Reason string  `json:"reason"`
}

// Counts are hosts, as of the scheduler's last look at all of them.
type Counts struct {
	// Desired hosts should run the daemon; Updated have the deployment's revision and Healthy a healthy daemon of any
	// revision; Unavailable are without one by our doing; Failed are those that the deployment failed on, hosts lost
	// under it included; Exempt are without a daemon for reasons of their own.
	Desired     int `json:"desired"`
	Updated     int `json:"updated"`
	Healthy     int `json:"healthy"`
	Unavailable int `json:"unavailable"`
	Failed      int `json:"failed"`
	Exempt      int `json:"exempt"`
}

// StartedByPrefix begins the startedBy of every task that Blox starts; the deployment's id follows.
const StartedByPrefix = "blox/"

// StartedBy is the startedBy of a deployment's tasks: at most 128 characters, as RunTask allows.
func StartedBy(deploymentID string) string { return StartedByPrefix + deploymentID }

// Group is the task group of an environment's tasks, under every method. Under distinctInstance ECS itself then refuses a
// second live task of the environment on a host; a surge leaves that constraint out.
func Group(installation, environmentID string) string {
	return "blox:" + installation + ":" + environmentID
}
