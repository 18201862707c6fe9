package client

import (
	"encoding/json"
	"time"
)

// RevisionContent is what a revision says: what runs, where, and how it may be rolled out.
type RevisionContent struct {
	InstanceGroup        InstanceGroup `json:"instanceGroup"`
	Clusters             []string      `json:"clusters" nullable:"false" doc:"ARNs."`
	ClusterPattern       string        `json:"clusterPattern,omitempty"`
	TaskDefinition       string        `json:"taskDefinition" doc:"ARN of the task definition, with its revision."`
	SourceTaskDefinition string        `json:"sourceTaskDefinition,omitempty" doc:"ARN of the one that taskDefinition is a private copy of (copyTaskDefinition)."`
	CopyTaskDefinition   bool          `json:"copyTaskDefinition,omitempty"`
	LaunchType           string        `json:"launchType" enum:"EC2,EXTERNAL"`

	NetworkConfiguration *NetworkConfiguration `json:"networkConfiguration,omitempty"`
	Overrides            json.RawMessage       `json:"overrides,omitempty" doc:"ECS's taskOverride."`
	EnableExecuteCommand bool                  `json:"enableExecuteCommand,omitempty"`
	EnableECSManagedTags bool                  `json:"enableECSManagedTags,omitempty"`
	PropagateTags        string                `json:"propagateTags,omitempty"`
	Tags                 map[string]string     `json:"tags,omitempty"`

	DeploymentConfiguration DeploymentConfiguration `json:"deploymentConfiguration"`

	ReadinessAttribute string `json:"readinessAttribute,omitempty"`
	DrainPriority      int    `json:"drainPriority,omitempty"`
	ReleaseIdleHosts   bool   `json:"releaseIdleHosts,omitempty"`
	MigrateFrom        string `json:"migrateFrom,omitempty"`
}

// The statuses of an environment. A deleted one is shown for 24 hours.
const (
	EnvironmentActive   = "ACTIVE"
	EnvironmentDeleting = "DELETING"
	EnvironmentDeleted  = "DELETED"
)

// Environment is a named daemon on one or several clusters; its content is that of its newest revision.
type Environment struct {
	Name            string `json:"name"`
	DeploymentToken string `json:"deploymentToken" doc:"Deploys the newest revision. A new revision brings a new token."`
	RevisionContent
	Health string `json:"health" enum:"healthy,unhealthy" doc:"healthy if every host that should run the daemon has a healthy one, as of the deployment in force; healthy before the first deployment."`

	ID               string     `json:"id" doc:"UUID. A name used again is another environment."`
	Status           string     `json:"status" enum:"ACTIVE,DELETING,DELETED"`
	Frozen           *Freeze    `json:"frozen,omitempty" doc:"Set while nothing of the environment is started or stopped."`
	Revision         int        `json:"revision" doc:"Number of the newest revision, from 1."`
	LastGoodRevision int        `json:"lastGoodRevision,omitempty" doc:"Number of the last revision whose deployment completed."`
	DeploymentID     string     `json:"deploymentId,omitempty" doc:"The deployment in force."`
	DeploymentStatus string     `json:"deploymentStatus,omitempty"`
	DeployedRevision int        `json:"deployedRevision,omitempty" doc:"Number of the revision that the deployment in force brings to the hosts; while it rolls back, the one that they get again."`
	Counts           *Counts    `json:"counts,omitempty"`
	Group            string     `json:"group" doc:"The ECS task group of the environment's tasks: a filter for listTasks."`
	FormerIDs        []string   `json:"formerIds,omitempty" doc:"Ids of environments of this name that were deleted and whose tasks were left running: this one took them over."`
	CreatedAt        time.Time  `json:"createdAt"`
	UpdatedAt        time.Time  `json:"updatedAt"`
	DeletedAt        *time.Time `json:"deletedAt,omitempty" doc:"When the last of the environment was gone. What its revisions said is not kept."`
}

// Freeze says who froze an environment, when and why.
type Freeze struct {
	At     time.Time `json:"at"`
	By     string    `json:"by,omitempty" doc:"ARN of whoever did it."`
	Reason string    `json:"reason,omitempty"`
}

// EnvironmentPage is a page of environments, by name.
type EnvironmentPage struct {
	Items     []Environment `json:"items" nullable:"false"`
	NextToken string        `json:"nextToken,omitempty" doc:"Give it as nextToken to get the next page."`
}
