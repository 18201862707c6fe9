package client

import "time"

// InstanceGroup says where an environment's hosts are.
type InstanceGroup struct {
	Cluster string `json:"cluster" minLength:"1" maxLength:"2048" doc:"A cluster's name or ARN; answers give the ARN."`
}

// DeploymentConfiguration bounds a rollout. In answers both are set; in requests nil is the default.
type DeploymentConfiguration struct {
	MinimumHealthyPercent *int `json:"minimumHealthyPercent,omitempty" minimum:"0" maximum:"100" doc:"Percentage of the hosts that keep a healthy daemon during a rollout; at least one host may always be replaced. 50 if not given."`
	MinHealthySeconds     *int `json:"minHealthySeconds,omitempty" minimum:"0" maximum:"3600" doc:"How long a daemon must have been healthy before it counts. 10 if not given."`
}

// EnvironmentDefinition is what an environment is to be: the body of a create, and with BaseRevision of an update.
type EnvironmentDefinition struct {
	Name                    string                   `json:"name,omitempty" pattern:"^[a-zA-Z0-9_-]{1,30}$" patternDescription:"1 to 30 letters, digits, hyphens or underscores" doc:"1 to 30 letters, digits, hyphens or underscores; unique."`
	InstanceGroup           *InstanceGroup           `json:"instanceGroup,omitempty" doc:"Where the hosts are: one cluster. Give this or clusters."`
	Clusters                []string                 `json:"clusters,omitempty" nullable:"false" minItems:"1" maxItems:"50" doc:"Where the hosts are: clusters by name or ARN. Give this or instanceGroup."`
	TaskDefinition          string                   `json:"taskDefinition" minLength:"1" maxLength:"2048" doc:"FAMILY, FAMILY:REVISION or ARN. A family alone is resolved once, to its newest revision."`
	LaunchType              string                   `json:"launchType,omitempty" enum:"EC2,EXTERNAL" doc:"EC2 if not given."`
	DeploymentConfiguration *DeploymentConfiguration `json:"deploymentConfiguration,omitempty"`
	BaseRevision            *int                     `json:"baseRevision,omitempty" minimum:"0" doc:"Updates only: the revision that this update is made from, 0 if the environment is to be new. If it is not the newest any more, the update is refused."`
}

// Environment is a named daemon on one or several clusters.
type Environment struct {
	Name            string        `json:"name"`
	DeploymentToken string        `json:"deploymentToken" doc:"Deploys the current revision. A new revision brings a new token."`
	InstanceGroup   InstanceGroup `json:"instanceGroup"`
	TaskDefinition  string        `json:"taskDefinition" doc:"ARN of the current revision's task definition."`
	Health          string        `json:"health" enum:"healthy,unhealthy" doc:"healthy if every host that should run the daemon has a healthy one, as of the deployment in force; healthy before the first deployment."`

	ID                      string                  `json:"id" doc:"UUID. A name used again is another environment."`
	Status                  string                  `json:"status" enum:"ACTIVE,DELETING"`
	Clusters                []string                `json:"clusters" nullable:"false" doc:"ARNs."`
	LaunchType              string                  `json:"launchType" enum:"EC2,EXTERNAL"`
	DeploymentConfiguration DeploymentConfiguration `json:"deploymentConfiguration"`
	Revision                int                     `json:"revision" doc:"Number of the current revision, from 1."`
	LastGoodRevision        int                     `json:"lastGoodRevision,omitempty" doc:"Number of the last revision whose deployment completed."`
	DeploymentID            string                  `json:"deploymentId,omitempty" doc:"The deployment in force."`
	DeploymentStatus        string                  `json:"deploymentStatus,omitempty"`
	DeployedRevision        int                     `json:"deployedRevision,omitempty" doc:"Number of the revision that the deployment in force brings to the hosts."`
	Counts                  *Counts                 `json:"counts,omitempty"`
	Group                   string                  `json:"group" doc:"The ECS task group of the environment's tasks: a filter for listTasks."`
	CreatedAt               time.Time               `json:"createdAt"`
	UpdatedAt               time.Time               `json:"updatedAt"`
}

// EnvironmentPage is a page of environments, by name.
type EnvironmentPage struct {
	Items     []Environment `json:"items" nullable:"false"`
	NextToken string        `json:"nextToken,omitempty" doc:"Give it as nextToken to get the next page."`
}

// Counts are hosts, as of the scheduler's last look at all of them.
type Counts struct {
	Desired     int `json:"desired" doc:"Hosts that should run the daemon."`
	Updated     int `json:"updated" doc:"Hosts that have the deployment's revision."`
	Healthy     int `json:"healthy" doc:"Hosts with a healthy daemon of any revision."`
	Unavailable int `json:"unavailable" doc:"Hosts that are without a healthy daemon by the deployment's own doing."`
	Failed      int `json:"failed" doc:"Hosts that the deployment failed on, hosts lost under it included."`
	Exempt      int `json:"exempt" doc:"Hosts that are without a healthy daemon for reasons of their own."`
}

// The statuses of a deployment. The last three do not change again.
const (
	DeploymentPending    = "pending"
	DeploymentRunning    = "running"
	DeploymentCompleted  = "completed"
	DeploymentSuperseded = "superseded"
	DeploymentStopped    = "stopped"
)

// Deployment brings one revision of an environment to every host.
type Deployment struct {
	ID              string   `json:"id"`
	Status          string   `json:"status" enum:"pending,running,completed,superseded,stopped" doc:"superseded: a newer deployment took over; stopped: the environment was deleted."`
	TaskDefinition  string   `json:"taskDefinition"`
	EnvironmentName string   `json:"environmentName"`
	FailedInstances []string `json:"failedInstances" nullable:"false" doc:"Hosts where the daemon could not be started or kept: EC2 instance id, colon, ECS's reason."`

	EnvironmentID   string     `json:"environmentId"`
	Revision        int        `json:"revision"`
	DeploymentToken string     `json:"deploymentToken"`
	Counts          Counts     `json:"counts"`
	CreatedAt       time.Time  `json:"createdAt"`
	StartedAt       *time.Time `json:"startedAt,omitempty"`
	EndedAt         *time.Time `json:"endedAt,omitempty"`
}

// Ended says that the deployment's status will not change again.
func (d Deployment) Ended() bool {
	return d.Status == DeploymentCompleted || d.Status == DeploymentSuperseded || d.Status == DeploymentStopped
}

// TimelineEntry is one thing that the scheduler did for a deployment, and why.
type TimelineEntry struct {
	At      time.Time `json:"at"`
	Kind    string    `json:"kind" doc:"What was done, such as start, stop, observe or advance."`
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
