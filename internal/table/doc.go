// Package table keeps Blox's two DynamoDB tables: STATE (type State) and DAEMON (type Daemon).
//
// Every write that could undo another one carries a condition, so that any number of functions may run at once, be
// killed anywhere and be retried. What the items look like is in the files that write them; package schema defines the
// tables themselves, and says what its indexes project and cost.
//
// # What a write costs
//
// In write units of 1 KB; an item is the size of its names and values. Details are compressed with a dictionary
// (package dictionary), so that the median running task's item is under 1 KB with all its index keys.
//
//	a new task                5: the table, byPhase, byInstance (when placed), byStartedBy, byGroup
//	a newer version           1: while it stays in its phase
//	  that enters a phase     3: an entry of byPhase is deleted and one put
//	  that stops the task     9: and two each of byInstance, byStartedBy, byGroup; 10 if the item is over 1 KB
//	a duplicate, a stale one  1: a refused condition costs what the item has
//	a task's five events      19: 5 for the table, 5 byPhase, 3 each of byInstance, byStartedBy, byGroup
//
// Of the DAEMON table, whose items are one unit but for environments and deployments with much in them: a change of an
// environment 4 and a consistent read, a new deployment 8 (transactions cost twice), its progress 1, a timeline entry 1,
// also in a batch.
//
// # What a read costs
//
// In read units of 4 KB, consistent. A get is 1. A list costs 1 for each record that it looks at (BatchGetItem rounds
// each item up), and at least 1 for each query: one for each of a cluster's 8 shards by phase, one by a value's index,
// which costs half. What it looks at and does not return is counted in Page.Examined:
//
//	tasks by status, desired status,      nothing but what is in the same phases
//	  stopped since and until
//	tasks by group or service, live       nothing
//	  or stopped, since and until
//	tasks by startedBy or by container    nothing
//	  instance, likewise
//	container instances by EC2 instance   nothing
//	container instances by status         those that are here, or of INACTIVE, those that are gone
//	every other filter                    what the above leave of the cluster
package table
