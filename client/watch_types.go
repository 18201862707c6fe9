package client

// WatchEventType says what an event of a watch tells.
type WatchEventType string

// The types of events.
const (
	// WatchSnapshot: a snapshot begins. What was known before and is not told again until the bookmark is to be dropped.
	WatchSnapshot WatchEventType = "SNAPSHOT"
	// WatchUpdated: this is what the task or container instance is now, whether it was known before or not.
	WatchUpdated WatchEventType = "UPDATED"
	// WatchDeleted: it does not match the filter any more, or is gone. It may never have been told.
	WatchDeleted WatchEventType = "DELETED"
	// WatchBookmark: the snapshot, if there is one, is complete; changes follow.
	WatchBookmark WatchEventType = "BOOKMARK"
	// WatchHeartbeat: everything up to the event's position is told.
	WatchHeartbeat WatchEventType = "HEARTBEAT"
	// WatchEnd: this answer is over; go on from its position. Client does.
	WatchEnd WatchEventType = "END"
	// WatchError: this answer is over because of an error. Client returns it.
	WatchError WatchEventType = "ERROR"
)

// WatchEvent is what events about tasks and about container instances have in common.
type WatchEvent struct {
	Type          WatchEventType `json:"type" enum:"SNAPSHOT,UPDATED,DELETED,BOOKMARK,HEARTBEAT,END,ERROR" doc:"SNAPSHOT: one begins. UPDATED: what it is now. DELETED: it does not match the filter any more, or is gone. BOOKMARK: the snapshot is complete, changes follow. HEARTBEAT: nothing new. END: go on from entityVersion. ERROR: see error."`
	EntityVersion string         `json:"entityVersion,omitempty" doc:"Watch from here to miss nothing after this line. Absent until the snapshot is complete: before, only a new snapshot is complete."`
	ClusterARN    string         `json:"clusterARN,omitempty" doc:"The cluster, on UPDATED and DELETED."`
	ID            string         `json:"id,omitempty" doc:"The id within its cluster, on UPDATED and DELETED."`
	Error         *WatchProblem  `json:"error,omitempty" doc:"On ERROR."`
}

// WatchProblem is a problem document within a watch.
type WatchProblem struct {
	Status int    `json:"status" doc:"As an HTTP status. 410: the position is too old, list again. 413: the snapshot does not fit into one answer."`
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

// TaskWatchEvent is one event of a watch of tasks.
type TaskWatchEvent struct {
	WatchEvent
	Task *Task `json:"task,omitempty" doc:"On UPDATED; on DELETED what it is now, unless nothing is known of it any more."`
}

// InstanceWatchEvent is one event of a watch of container instances.
type InstanceWatchEvent struct {
	WatchEvent
	Instance *ContainerInstance `json:"instance,omitempty" doc:"On UPDATED; on DELETED what it is now, unless nothing is known of it any more."`
}

// PollEnd says where a poll goes on: one of the two is set.
type PollEnd struct {
	EntityVersion string `json:"entityVersion,omitempty" doc:"Ask again from here to miss nothing after this answer."`
	NextToken     string `json:"nextToken,omitempty" doc:"There is more that belongs to this answer: ask again with it, instead of entityVersion and with the same filters."`
}

// TaskPoll is what one poll of tasks tells: what a watch tells, without HEARTBEAT, END and ERROR.
type TaskPoll struct {
	Items []TaskWatchEvent `json:"items" nullable:"false"`
	PollEnd
}

// InstancePoll is what one poll of container instances tells, as TaskPoll does of tasks.
type InstancePoll struct {
	Items []InstanceWatchEvent `json:"items" nullable:"false"`
	PollEnd
}
