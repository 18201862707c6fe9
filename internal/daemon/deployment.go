package daemon

import "time"

// DeploymentStatus is where a deployment is. The first three words are those of Blox v0.3.0.
type DeploymentStatus string

// A deployment is pending until the scheduler first works on it, running until every host has its revision, then
// completed. A newer deployment makes an unfinished one superseded; deleting the environment makes it stopped.
const (
	DeploymentPending    DeploymentStatus = "pending"
	DeploymentRunning    DeploymentStatus = "running"
	DeploymentCompleted  DeploymentStatus = "completed"
	DeploymentSuperseded DeploymentStatus = "superseded"
	DeploymentStopped    DeploymentStatus = "stopped"
)

// Ended says that the status will not change again.
func (s DeploymentStatus) Ended() bool {
	return s == DeploymentCompleted || s == DeploymentSuperseded || s == DeploymentStopped
}

// Deployment brings one revision to every host of an environment.
type Deployment struct {
	ID            string           `json:"id"`
	EnvironmentID string           `json:"environmentId"`
	Revision      int              `json:"revision"`
	Token         string           `json:"token"`
	Status        DeploymentStatus `json:"status"`
	CreatedAt     time.Time        `json:"createdAt"`
	StartedAt     *time.Time       `json:"startedAt,omitempty"`
	EndedAt       *time.Time       `json:"endedAt,omitempty"`
	Counts        Counts           `json:"counts"`
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
	// revision; Unavailable are without one by our doing; Exempt are without one for reasons of their own.
	Desired     int `json:"desired"`
	Updated     int `json:"updated"`
	Healthy     int `json:"healthy"`
	Unavailable int `json:"unavailable"`
	Exempt      int `json:"exempt"`
}

// StartedByPrefix begins the startedBy of every task that Blox starts; the deployment's id follows.
const StartedByPrefix = "blox/"

// StartedBy is the startedBy of a deployment's tasks: at most 128 characters, as RunTask allows.
func StartedBy(deploymentID string) string { return StartedByPrefix + deploymentID }

// Group is the task group of an environment's tasks. Under distinctInstance ECS itself then refuses a second live
// task of the environment on a host.
func Group(installation, environmentID string) string {
	return "blox:" + installation + ":" + environmentID
}
