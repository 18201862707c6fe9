package client

import "time"

// Counts are hosts, as of the scheduler's last look at all of them.
type Counts struct {
	Desired     int `json:"desired" doc:"Hosts that should run the daemon."`
	Updated     int `json:"updated" doc:"Hosts that have the deployment's revision."`
	Healthy     int `json:"healthy" doc:"Hosts with a healthy daemon of any revision."`
	Unavailable int `json:"unavailable" doc:"Hosts that are without a healthy daemon by the deployment's own doing."`
	Failed      int `json:"failed" doc:"Hosts that the deployment failed on, hosts lost under it included."`
	Exempt      int `json:"exempt" doc:"Hosts that are without a healthy daemon for reasons of their own."`
}

// The statuses of a deployment. The last five do not change again.
const (
	DeploymentPending     = "pending"
	DeploymentRunning     = "running"
	DeploymentPaused      = "paused"
	DeploymentBaking      = "baking"
	DeploymentRollingBack = "rollingBack"

	DeploymentCompleted  = "completed"
	DeploymentRolledBack = "rolledBack"
	DeploymentFailed     = "failed"
	DeploymentStopped    = "stopped"
	DeploymentSuperseded = "superseded"
)

// The reasons for which a deployment is paused: somebody paused it, or its canaries wait to be promoted.
const (
	PausedByPeople = "people"
	PausedByCanary = "canary"
)

// Deployment brings one revision of an environment to every host.
type Deployment struct {
	ID              string   `json:"id"`
	Status          string   `json:"status" enum:"pending,running,paused,baking,rollingBack,completed,rolledBack,failed,stopped,superseded" doc:"superseded: a newer deployment took over; stopped: by somebody, or because the environment was deleted."`
	TaskDefinition  string   `json:"taskDefinition" doc:"ARN of the revision's task definition."`
	EnvironmentName string   `json:"environmentName"`
	FailedInstances []string `json:"failedInstances" nullable:"false" doc:"Hosts where the daemon could not be started or kept: EC2 instance id, colon, ECS's reason."`

	EnvironmentID   string     `json:"environmentId"`
	Revision        int        `json:"revision"`
	DeploymentToken string     `json:"deploymentToken"`
	Reason          string     `json:"reason,omitempty" doc:"Why the status is what it is, where that is not plain."`
	PausedFor       string     `json:"pausedFor,omitempty" enum:"people,canary" doc:"Why a paused deployment is: somebody paused it (resume), or its canaries wait (promote)."`
	Restart         bool       `json:"restart,omitempty" doc:"Every host gets a new task, also those that run the revision already."`
	BasedOn         int        `json:"basedOn,omitempty" doc:"The last good revision when the deployment was made: what it rolls back to."`
	RollbackTo      int        `json:"rollbackTo,omitempty" doc:"The revision that hosts get again, once the deployment is rolled back."`
	Counts          Counts     `json:"counts"`
	Lost            int        `json:"lost,omitempty" doc:"Hosts that left their cluster under the deployment before its daemon had been well there."`
	CreatedAt       time.Time  `json:"createdAt"`
	CreatedBy       string     `json:"createdBy,omitempty" doc:"ARN of whoever made it."`
	StartedAt       *time.Time `json:"startedAt,omitempty"`
	EndedAt         *time.Time `json:"endedAt,omitempty"`
	CanariesSince   *time.Time `json:"canariesSince,omitempty" doc:"Since when all canaries have had the revision, healthy."`
	PromotedAt      *time.Time `json:"promotedAt,omitempty" doc:"When it was let out to the rest of the hosts."`
	BakingSince     *time.Time `json:"bakingSince,omitempty" doc:"Since when every host has had the revision."`
}

// Ended says that the deployment's status will not change again.
func (d Deployment) Ended() bool {
	switch d.Status {
	case DeploymentCompleted, DeploymentRolledBack, DeploymentFailed, DeploymentStopped, DeploymentSuperseded:
		return true
	}
	return false
}

// TimelineEntry is one thing that the scheduler did for a deployment, and why.
type TimelineEntry struct {
	At      time.Time `json:"at"`
	Kind    string    `json:"kind" doc:"What was done, such as start, stop, observe or advance; operate is what people did."`
	Host    string    `json:"host,omitempty" doc:"EC2 instance id; absent for what concerns all hosts."`
	TaskARN string    `json:"taskARN,omitempty"`
	Reason  string    `json:"reason,omitempty"`
}

// Timeline holds the newest entries of a deployment's timeline, newest first.
type Timeline struct {
	Items []TimelineEntry `json:"items" nullable:"false" doc:"Newest first. Entries are kept for 30 days."`
}

// DeploymentPage is a page of deployments, newest first.
type DeploymentPage struct {
	Items     []Deployment `json:"items" nullable:"false"`
	NextToken string       `json:"nextToken,omitempty" doc:"Give it as nextToken to get the next page."`
}
