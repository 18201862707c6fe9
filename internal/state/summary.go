package state

import "time"

// Summary counts what lives in a cluster. It is small enough to be a part of the
// cluster's item: every list has a bound, and what is beyond it is summed.
type Summary struct {
	// CountedAt is when the records were as they were counted.
	CountedAt time.Time `json:"countedAt"`
	// LastEventAt is the time of the newest event of any record that a reconcile has
	// looked at, the zero time if none was told by an event. The last event of
	// something that ECS does not list any more may be newer.
	LastEventAt time.Time       `json:"lastEventAt,omitzero"`
	Tasks       TaskSummary     `json:"tasks"`
	Instances   InstanceSummary `json:"instances"`
}

// TaskSummary counts tasks.
type TaskSummary struct {
	Total    int     `json:"total"`
	ByStatus []Count `json:"byStatus"` // by lastStatus
	// Families are the largest; OtherFamilies counts the tasks of the rest.
	Families      []FamilyCount `json:"families"`
	OtherFamilies int           `json:"otherFamilies,omitempty"`
}

// FamilyCount counts the tasks of a task definition family.
type FamilyCount struct {
	// Family is empty for tasks that name no task definition.
	Family string `json:"family"`
	Count  int    `json:"count"`
	// Revisions are those with most tasks; OtherRevisions counts the tasks of the
	// rest.
	Revisions      []RevisionCount `json:"revisions"`
	OtherRevisions int             `json:"otherRevisions,omitempty"`
}

// RevisionCount counts the tasks of one revision of a family.
type RevisionCount struct {
	Revision int `json:"revision"`
	Count    int `json:"count"`
}

// InstanceSummary counts container instances.
type InstanceSummary struct {
	Total    int     `json:"total"`
	ByStatus []Count `json:"byStatus"`
	// ByAgentVersion has the commonest versions, OtherAgentVersions counts the
	// rest.
	ByAgentVersion     []Count `json:"byAgentVersion"`
	OtherAgentVersions int     `json:"otherAgentVersions,omitempty"`
	// AgentDisconnected counts those whose agent is not connected.
	AgentDisconnected int `json:"agentDisconnected"`
	// WithOnlyDaemons counts the ACTIVE ones that run at least one Blox daemon and
	// nothing else. Summarize leaves it out: it does not know daemons.
	WithOnlyDaemons int `json:"withOnlyDaemons"`
	// Resources are sorted by name. OtherResources counts the names that are left
	// out; ECS itself has fewer than the bound.
	Resources      []ResourceSum `json:"resources"`
	OtherResources int           `json:"otherResources,omitempty"`
}

// Count is how many have a name. The name is empty where ECS told none, and
// "other" sums up those that are beyond the bound of a list that names no other
// place for them.
type Count struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// ResourceSum is how much of a resource the container instances registered, and
// how much of it is not taken by tasks: CPU in CPU units, MEMORY in MiB, GPU in
// pieces. Hosts that take no more tasks count as well.
type ResourceSum struct {
	Name       string  `json:"name"`
	Registered float64 `json:"registered"`
	Remaining  float64 `json:"remaining"`
}
