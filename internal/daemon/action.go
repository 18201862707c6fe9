package daemon

import "time"

// Kind says what an Action asks of the shell.
type Kind string

const (
	// Start: store the slot (state claimed), then call RunTask with its request.
	Start Kind = "start"
	// Replay: call RunTask again with the request that the slot keeps. Nothing is stored first.
	Replay Kind = "replay"
	// Stop: store the slot (state stopping) in a transaction that checks the lease's epoch, then call StopTask.
	Stop Kind = "stop"
	// Restop: call StopTask again for a slot that is stopping already.
	Restop Kind = "restop"
	// Surge: store the slot (state claimed, with a Former) in a transaction that checks the lease's epoch, then call
	// RunTask with its request: the host is to have two tasks for a while.
	Surge Kind = "surge"
	// StopFormer: store the slot in a transaction that checks the lease's epoch, then call StopTask for TaskARN, its
	// Former's task.
	StopFormer Kind = "stopFormer"
	// SetAttribute: store what AttributeIntent gives in a transaction that checks the lease's epoch, then call
	// PutAttributes for Attribute on the slot's registration, then store the slot; if the call fails, what
	// AttributeFailed gives.
	SetAttribute Kind = "setAttribute"
	// DeleteAttribute: the same with DeleteAttributes.
	DeleteAttribute Kind = "deleteAttribute"
	// HandOver: store the slot in a transaction that checks the lease's epoch, then set Attribute on the host, which
	// takes it away from the ECS service that had the daemon there before.
	HandOver Kind = "handOver"
	// StopStray: call StopTask for a task of ours that no slot owns. No slot is written; the lease is checked first.
	StopStray Kind = "stopStray"
	// Resolve: ask ECS what became of a claim or a task that the stored state does not show. TaskARN is set if that is
	// the slot's Former; the answer then goes to ResolvedFormer, not to Resolved.
	Resolve Kind = "resolve"
	// Observe: store the slot; nothing is asked of ECS.
	Observe Kind = "observe"
	// Forget: delete the slot.
	Forget Kind = "forget"
	// Advance: store the deployment.
	Advance Kind = "advance"
	// Wake: look at the whole environment again at At. Wake-ups for one host are in its slot (WakeAt).
	Wake Kind = "wake"
	// Finish: the environment is being deleted and nothing of it is left; delete it.
	Finish Kind = "finish"
)

// Action is one step that Plan decided. Actions are carried out in order; each stands on its own, so that the shell may
// stop after any of them.
type Action struct {
	Kind Kind    `json:"kind"`
	Host HostKey `json:"host,omitzero"`
	// Slot is the slot to store, its RecordVersion the one that must be stored now.
	Slot *Slot `json:"slot,omitempty"`
	// TaskARN is the task to stop.
	TaskARN string `json:"taskArn,omitempty"`
	// Attribute is the custom attribute to set or delete.
	Attribute *Attribute `json:"attribute,omitempty"`
	// unchanged is the slot before the attribute is changed.
	unchanged *Slot
	// Deployment is the deployment to store.
	Deployment *Deployment `json:"deployment,omitempty"`
	At         time.Time   `json:"at,omitzero"`
	// Reason is for people: it goes to the timeline and into StopTask's reason.
	Reason string `json:"reason,omitempty"`
}

// Attribute is a custom attribute of a container instance.
type Attribute struct {
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
}
