package daemon

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// SlotState is what the scheduler is doing about one host.
type SlotState string

const (
	// SlotIdle: no task of ours is alive on the host; the next attempt may start at RetryAt.
	SlotIdle SlotState = "idle"
	// SlotClaimed: RunTask may or may not have been called with Request. Replaying it is safe.
	SlotClaimed SlotState = "claimed"
	// SlotPlaced: TaskARN is the host's daemon.
	SlotPlaced SlotState = "placed"
	// SlotStopping: StopTask of TaskARN was decided and paid for; it may or may not have been called.
	SlotStopping SlotState = "stopping"
)

// Slot is one host's place in an environment. It is written with a condition on its RecordVersion, before ECS is
// called.
type Slot struct {
	EnvironmentID string    `json:"environmentId"`
	Host          HostKey   `json:"host"`
	State         SlotState `json:"state"`
	// ContainerInstanceARN is the host's registration when it was last looked at.
	ContainerInstanceARN string `json:"containerInstanceArn,omitempty"`
	// Revision and DeploymentID are those of the task claimed, placed or last placed.
	Revision     int    `json:"revision,omitempty"`
	DeploymentID string `json:"deploymentId,omitempty"`
	// Attempt goes into the client token. It rises only when the task of the last one is proven dead: ECS answers a
	// token it has seen with the old task, even a stopped one.
	Attempt int `json:"attempt,omitempty"`
	// Request is the whole RunTask request of a claim, kept to be replayed byte for byte: with the same token and a
	// different parameter ECS answers ConflictException.
	Request   json.RawMessage `json:"request,omitempty"`
	ClaimedAt *time.Time      `json:"claimedAt,omitempty"`

	// TaskHash is the Revision's of the task claimed or placed; empty for a task that was adopted without its slot.
	TaskHash string `json:"taskHash,omitempty"`
	// HealthChecked says that the task definition of the task claimed or placed has a container health check.
	HealthChecked bool `json:"healthChecked,omitempty"`

	TaskARN  string     `json:"taskArn,omitempty"`
	PlacedAt *time.Time `json:"placedAt,omitempty"`
	// HealthySince is when the placed task was first seen healthy in a row.
	HealthySince *time.Time `json:"healthySince,omitempty"`
	// UnhealthySince is since when a host that ought to have a healthy daemon has had none, or none for steadyAfter. It
	// stays while the daemon is healthy, and begins anew if that lasted.
	UnhealthySince *time.Time `json:"unhealthySince,omitempty"`
	// DisconnectedSince is when the host's agent was first seen disconnected in a row.
	DisconnectedSince *time.Time `json:"disconnectedSince,omitempty"`
	// SickSince is since when the health check of the task fails in a row.
	SickSince *time.Time `json:"sickSince,omitempty"`
	// DrainingSince is when the host was first seen DRAINING in a row.
	DrainingSince *time.Time `json:"drainingSince,omitempty"`

	// Disrupted is set when we stop a daemon that was meant to run, and cleared when the host has a healthy one again.
	// While set, the host is paid for from the budget, whichever deployment set it: deployments that overtake each
	// other share one budget.
	Disrupted bool `json:"disrupted,omitempty"`
	// Restarted is set with Disrupted where nothing but the restart of an unhealthy daemon did that: it was broken before.
	Restarted  bool       `json:"restarted,omitempty"`
	StoppingAt *time.Time `json:"stoppingAt,omitempty"`
	StopReason string     `json:"stopReason,omitempty"`

	// Former is the task that a surge found on the host, and that stays until the new one is well; nil is none.
	Former *Former `json:"former,omitempty"`

	// UpdatingSince is since when the host is on its way to DeploymentID's revision: the stop of its old task, or the
	// claim of its first. It is cleared when the daemon has settled, and the per-host deadline runs from it.
	UpdatingSince *time.Time `json:"updatingSince,omitempty"`

	// Attribute is the readiness attribute that was set on the registration AttributeOn; empty is none. AttributeAsked
	// is when ECS was to be asked to set or to delete it; while it is not nil nobody knows whether the host carries it.
	// AttributeError is why it could not be set or deleted, and AttributeRetryAt when it is tried again.
	Attribute        string     `json:"attribute,omitempty"`
	AttributeOn      string     `json:"attributeOn,omitempty"`
	AttributeAsked   *time.Time `json:"attributeAsked,omitempty"`
	AttributeError   string     `json:"attributeError,omitempty"`
	AttributeRetryAt *time.Time `json:"attributeRetryAt,omitempty"`

	// IdleSince is since when nothing but daemons runs on the host, and Released says that its daemon was stopped for
	// that.
	IdleSince *time.Time `json:"idleSince,omitempty"`
	Released  bool       `json:"released,omitempty"`

	// HandedOver is the service that the host was taken over from, and whose attribute it carries; empty is none.
	HandedOver string `json:"handedOver,omitempty"`

	// Failures counts attempts in a row that did not end healthy; RetryAt is when the next may start.
	Failures int        `json:"failures,omitempty"`
	RetryAt  *time.Time `json:"retryAt,omitempty"`
	// Blocked says that ECS found no room or the host unfit (RESOURCE:…, ATTRIBUTE, AGENT): no task was started, and
	// none failed.
	Blocked bool   `json:"blocked,omitempty"`
	Reason  string `json:"reason,omitempty"`
	// Refusals counts starts in a row that ECS found no room for (RESOURCE:…), and RunningTasks is how many tasks ran on
	// the host when the last start was claimed: room is not made before one of them ends.
	Refusals     int `json:"refusals,omitempty"`
	RunningTasks int `json:"runningTasks,omitempty"`

	// WakeAt is when a wake-up for the host is due that was sent already. While it lies ahead no other is sent, or every
	// look at a waiting host would start one more chain of wake-ups.
	WakeAt *time.Time `json:"wakeAt,omitempty"`

	// RecordVersion is 0 for a slot not stored yet and rises by one with every write.
	RecordVersion int64 `json:"recordVersion"`
}

// Former is a task that serves on while its successor starts. It is not started again: if it ends, it is gone.
type Former struct {
	TaskARN      string `json:"taskArn"`
	TaskHash     string `json:"taskHash,omitempty"`
	Revision     int    `json:"revision"`
	DeploymentID string `json:"deploymentId,omitempty"`
	// HealthChecked and HealthySince are as the Slot's; without the latter it is a task that does not work.
	HealthChecked bool       `json:"healthChecked,omitempty"`
	HealthySince  *time.Time `json:"healthySince,omitempty"`
	PlacedAt      *time.Time `json:"placedAt,omitempty"`
	// StoppingAt is when its stop was decided; nil before.
	StoppingAt *time.Time `json:"stoppingAt,omitempty"`
}

// ClientToken is the idempotency token of one attempt: 64 characters, RunTask's limit. It holds no clock and no random
// number, so that any driver, on any day, asks for the same task with the same token. The registration is in it because
// a host that left and came back starts again at the first attempt: ECS would answer a token that it knows with a task
// that stopped long ago.
func ClientToken(environmentID string, revision int, host HostKey, containerInstanceARN string, attempt int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%s\n%s\n%d", environmentID, revision, host, containerInstanceARN, attempt))
	return hex.EncodeToString(sum[:])
}

// Healthy says that the host's daemon works, as far as the slot remembers.
func (s Slot) Healthy() bool { return s.State == SlotPlaced && s.HealthySince != nil }

// Serving says that the host has a healthy daemon: its own, or the former one that stays until that is well.
func (s Slot) Serving() bool {
	return s.Healthy() || s.Former != nil && s.Former.HealthySince != nil && s.Former.StoppingAt == nil
}

// Settled says that the daemon has been healthy for long enough to count.
func (s Slot) Settled(minHealthy time.Duration, now time.Time) bool {
	return s.Healthy() && now.Sub(*s.HealthySince) >= minHealthy
}

// steadyAfter is how long a daemon must be healthy for its host not to count as without one the moment before. Shorter,
// and a host whose daemon crashes at every start would never count at all.
const steadyAfter = time.Minute

// unwell is the slot when its daemon stops being healthy, if it was.
func (s Slot) unwell(now time.Time) Slot {
	if s.Settled(steadyAfter, now) {
		s.UnhealthySince = &now
	}
	return s
}

// vacate is the slot after its task is proven dead: the attempt is spent, the host may get a new one at retryAt.
func (s Slot) vacate(failed bool, reason string, now time.Time) Slot {
	s = s.unwell(now)
	s.State, s.Request, s.ClaimedAt = SlotIdle, nil, nil
	s.TaskARN, s.PlacedAt, s.HealthySince, s.SickSince = "", nil, nil, nil
	s.StoppingAt, s.StopReason = nil, ""
	s.Blocked, s.Reason, s.RetryAt = false, reason, nil
	s.Attempt++
	if failed {
		s.Failures++
		s = s.retry(now.Add(backoff(s.Failures)))
	}
	return s
}

// stopped is the slot after the task that we stopped is proven dead. That is no failure of the attempt, unless it was
// stopped because it did not work.
func (s Slot) stopped(now time.Time) Slot {
	return s.vacate(s.StopReason == reasonUnhealthy, s.StopReason, now)
}

// retry is the slot with its next step put off until then.
func (s Slot) retry(at time.Time) Slot {
	s.RetryAt, s.WakeAt = &at, &at
	return s
}

// wakeBy is the slot with a wake-up due at the latest then.
func (s Slot) wakeBy(at, now time.Time) Slot {
	if s.WakeAt == nil || !s.WakeAt.After(now) || s.WakeAt.After(at) {
		s.WakeAt = &at
	}
	return s
}

// Back-off after failures in a row: at once the first time, since most daemons die of something that passes, then
// doubling from firstBackoff to maxBackoff. The bound is the DaemonSet controller's.
const (
	firstBackoff = 2 * time.Second
	maxBackoff   = 15 * time.Minute
)

func backoff(failures int) time.Duration {
	if failures <= 1 {
		return 0
	}
	if failures > 12 { // 2 s doubled twelve times is past the bound
		return maxBackoff
	}
	return min(firstBackoff<<(failures-2), maxBackoff)
}
