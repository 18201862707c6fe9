package daemon

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func aClaim() Slot {
	return Slot{
		EnvironmentID: "env", Host: hostKey(1), State: SlotClaimed, Revision: 2, DeploymentID: "d-2", Attempt: 3,
		Request: json.RawMessage(`{"count":1}`), ClaimedAt: ago(time.Second), RecordVersion: 7,
	}
}

func TestStarted(t *testing.T) {
	settings := DefaultSettings()

	placed := Started(aClaim(), StartResult{TaskARN: "task"}, settings, t0)
	require.Equal(t, SlotPlaced, placed.State)
	require.Equal(t, "task", placed.TaskARN)
	require.Equal(t, 3, placed.Attempt, "the attempt is not spent while its task may live")
	require.Nil(t, placed.Request)
	require.Equal(t, t0.Add(settings.EventGrace), *placed.WakeAt, "the event is waited for, not for ever")

	refused := Started(aClaim(), StartResult{Refused: "RESOURCE:MEMORY", Blocked: true}, settings, t0)
	require.Equal(t, SlotIdle, refused.State)
	require.Equal(t, 4, refused.Attempt, "ECS said that it started nothing")
	require.True(t, refused.Blocked)
	require.Equal(t, "RESOURCE:MEMORY", refused.Reason)
	require.True(t, refused.RetryAt.After(t0), "a full host is not asked again at once")

	unknown := Started(aClaim(), StartResult{Delay: time.Second}, settings, t0)
	require.Equal(t, SlotClaimed, unknown.State)
	require.Equal(t, 3, unknown.Attempt)
	require.JSONEq(t, `{"count":1}`, string(unknown.Request), "the replay must be the same to the byte")
	require.Equal(t, t0.Add(time.Second), *unknown.RetryAt)
}

func TestResolved(t *testing.T) {
	live := &Task{ARN: "task", DesiredStatus: StatusRunning, LastStatus: StatusRunning}
	dead := &Task{ARN: "task", DesiredStatus: StatusStopped, LastStatus: StatusStopped, StopCode: "EssentialContainerExited"}
	slot := func(state SlotState, age time.Duration) Slot {
		s := aClaim()
		if state != SlotClaimed {
			s = s.place("task", t0.Add(-age))
			s.State = state
		}
		return s
	}
	for name, c := range map[string]struct {
		slot  Slot
		found *Task
		want  SlotState
		spent bool
	}{
		"a claim whose task lives is placed":                  {slot(SlotClaimed, 0), live, SlotPlaced, false},
		"a claim that brought nothing is spent":               {slot(SlotClaimed, 0), nil, SlotIdle, true},
		"a placed task that lives stays":                      {slot(SlotPlaced, time.Hour), live, SlotPlaced, false},
		"a placed task that is dead is buried":                {slot(SlotPlaced, time.Hour), dead, SlotIdle, true},
		"MISSING proves nothing about a young task":           {slot(SlotPlaced, time.Minute), nil, SlotPlaced, false},
		"MISSING proves an old task dead":                     {slot(SlotPlaced, 5*time.Minute), nil, SlotIdle, true},
		"a stopping task that is dead makes room":             {slot(SlotStopping, time.Hour), dead, SlotIdle, true},
		"a stopping task that lives is waited for":            {slot(SlotStopping, time.Hour), live, SlotStopping, false},
		"a stopping task that ECS forgot has stopped by then": {slot(SlotStopping, time.Hour), nil, SlotIdle, true},
	} {
		t.Run(name, func(t *testing.T) {
			after := Resolved(c.slot, c.found, DefaultSettings(), t0)
			require.Equal(t, c.want, after.State)
			require.Equal(t, c.spent, after.Attempt > c.slot.Attempt)
			if after.State != SlotIdle {
				require.True(t, after.WakeAt.After(t0), "an answer that proves nothing is asked for again")
			}
		})
	}
}

func TestAStopOfOursIsNoFailure(t *testing.T) {
	s := aClaim().place("task", t0)
	s.State, s.StopReason = SlotStopping, "replaced"
	after := Resolved(s, &Task{LastStatus: StatusStopped, DesiredStatus: StatusStopped}, DefaultSettings(), t0)
	require.Zero(t, after.Failures)
	require.Nil(t, after.RetryAt, "the next one may start at once")
}
