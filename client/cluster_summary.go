package client

import "time"

// ClusterSummary is what was in a cluster when the last reconcile counted.
type ClusterSummary struct {
	CountedAt time.Time       `json:"countedAt" doc:"The counts are of this moment."`
	Tasks     TaskSummary     `json:"tasks"`
	Instances InstanceSummary `json:"instances"`
}

// TaskSummary counts living tasks.
type TaskSummary struct {
	Total         int           `json:"total" doc:"Living tasks: all that ECS has and that have not stopped."`
	ByStatus      []Count       `json:"byStatus" nullable:"false" doc:"Living tasks by lastStatus: none is STOPPED."`
	Families      []FamilyCount `json:"families" nullable:"false" doc:"The task definition families with most tasks."`
	OtherFamilies int           `json:"otherFamilies,omitempty" doc:"Tasks of all other families."`
}

// FamilyCount counts the tasks of a task definition family.
type FamilyCount struct {
	Family         string          `json:"family" doc:"Empty for tasks that name no task definition."`
	Count          int             `json:"count"`
	Revisions      []RevisionCount `json:"revisions" nullable:"false" doc:"The revisions with most tasks."`
	OtherRevisions int             `json:"otherRevisions,omitempty" doc:"Tasks of all other revisions."`
}

// RevisionCount counts the tasks of one revision of a family.
type RevisionCount struct {
	Revision int `json:"revision"`
	Count    int `json:"count"`
}

// InstanceSummary counts the container instances that ECS has.
type InstanceSummary struct {
	Total              int           `json:"total" doc:"Container instances that ECS has: none that was deregistered."`
	ByStatus           []Count       `json:"byStatus" nullable:"false" doc:"Of those that ECS has: none is INACTIVE."`
	ByAgentVersion     []Count       `json:"byAgentVersion" nullable:"false" doc:"The commonest versions of the ECS agent."`
	OtherAgentVersions int           `json:"otherAgentVersions,omitempty" doc:"Container instances with all other versions."`
	AgentDisconnected  int           `json:"agentDisconnected" doc:"Container instances whose agent is not connected."`
	WithOnlyDaemons    int           `json:"withOnlyDaemons" doc:"ACTIVE container instances that run Blox daemons and nothing else: what could be scaled in."`
	Resources          []ResourceSum `json:"resources" nullable:"false" doc:"By name."`
}

// Count is how many have a name.
type Count struct {
	Name  string `json:"name" doc:"Empty where ECS told none; other sums up what is beyond the length of the list."`
	Count int    `json:"count"`
}

// ResourceSum is how much of a resource the container instances have.
type ResourceSum struct {
	Name       string  `json:"name" doc:"CPU in CPU units, MEMORY in MiB, GPU in pieces, and so on."`
	Registered float64 `json:"registered"`
	Remaining  float64 `json:"remaining" doc:"What no task has taken. That of hosts that take no more tasks counts as well."`
}
