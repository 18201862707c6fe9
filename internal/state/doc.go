// Package state is the pure core of cluster state: what a task, a container
// instance and a cluster are, which of two records of the same thing is newer,
// and which records a filter picks.
//
// It decides only. It has no clock, no random number and no AWS client, so the
// same input always gives the same answer: the ingest and reconcile functions,
// the API and the simulation share it.
//
// The rule behind everything here: ECS gives every task and every container
// instance a counter, `version`, which it raises with each change that causes
// an event. Events are delivered at least once and in any order, so arrival
// tells nothing and the counter tells all. DescribeTasks and
// DescribeContainerInstances answer with the same counter.
package state
