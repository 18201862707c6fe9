package daemon

import (
	"testing"

	"github.com/stretchr/testify/require"
)

var allStatuses = []DeploymentStatus{
	DeploymentPending, DeploymentRunning, DeploymentPaused, DeploymentBaking, DeploymentRollingBack, DeploymentCompleted,
	DeploymentRolledBack, DeploymentFailed, DeploymentStopped, DeploymentSuperseded,
}

func TestWhatPeopleMayDoToADeployment(t *testing.T) {
	alice := Operator{By: "alice", Reason: "sale"}
	for name, c := range map[string]struct {
		do   func(Deployment) (Deployment, error)
		want map[DeploymentStatus]DeploymentStatus // what it becomes; refused if not in it
	}{
		"pause": {func(d Deployment) (Deployment, error) { return d.Pause(alice) }, map[DeploymentStatus]DeploymentStatus{
			DeploymentPending: DeploymentPaused, DeploymentRunning: DeploymentPaused, DeploymentBaking: DeploymentPaused,
			DeploymentPaused: DeploymentPaused,
		}},
		"resume": {func(d Deployment) (Deployment, error) { return d.Resume(t0) }, map[DeploymentStatus]DeploymentStatus{
			DeploymentPaused: DeploymentRunning,
		}},
		"promote": {func(d Deployment) (Deployment, error) { return d.Promote(t0) }, map[DeploymentStatus]DeploymentStatus{
			DeploymentPending: DeploymentPending, DeploymentRunning: DeploymentRunning, DeploymentBaking: DeploymentBaking,
			DeploymentPaused: DeploymentPaused,
		}},
		"stop": {func(d Deployment) (Deployment, error) { return d.Stop(alice, t0) }, map[DeploymentStatus]DeploymentStatus{
			DeploymentPending: DeploymentStopped, DeploymentRunning: DeploymentStopped, DeploymentBaking: DeploymentStopped,
			DeploymentPaused: DeploymentStopped, DeploymentRollingBack: DeploymentStopped, DeploymentStopped: DeploymentStopped,
		}},
		"roll back": {func(d Deployment) (Deployment, error) { return d.RollBack(0, "it is bad", t0) }, map[DeploymentStatus]DeploymentStatus{
			DeploymentPending: DeploymentRollingBack, DeploymentRunning: DeploymentRollingBack, DeploymentBaking: DeploymentRollingBack,
			DeploymentPaused: DeploymentRollingBack, DeploymentRollingBack: DeploymentRollingBack,
		}},
	} {
		for _, status := range allStatuses {
			t.Run(name+" "+string(status), func(t *testing.T) {
				d := Deployment{ID: "d-2", Revision: 2, BasedOn: 1, Status: status, PausedFor: PausedByPeople, StartedAt: &t0, BakingSince: &t0}
				if status == DeploymentRollingBack {
					d.RollbackTo = 1
				}
				got, err := c.do(d)
				want, ok := c.want[status]
				if !ok {
					var refused *NotPossibleError
					require.ErrorAs(t, err, &refused)
					require.Equal(t, status, refused.Status)
					require.NotEmpty(t, refused.Allows)
					require.Equal(t, d, got, "it stays as it was")
					return
				}
				require.NoError(t, err)
				require.Equal(t, want, got.Status)
			})
		}
	}
}

func TestAResumedDeploymentHasItsTimeAgain(t *testing.T) {
	d := Deployment{Status: DeploymentPaused, PausedFor: PausedByPeople, Reason: "paused", StartedAt: ago(9), BakingSince: ago(5), Progress: Progress{StuckSince: ago(1)}}
	got, err := d.Resume(t0)
	require.NoError(t, err)
	require.Equal(t, Deployment{Status: DeploymentRunning, StartedAt: ago(9), ClocksFrom: &t0, Progress: Progress{At: &t0}}, got)
}

func TestADeploymentThatWasPausedBeforeItBeganIsStillToBegin(t *testing.T) {
	paused, err := Deployment{Status: DeploymentPending}.Pause(Operator{})
	require.NoError(t, err)
	resumed, err := paused.Resume(t0)
	require.NoError(t, err)
	require.Equal(t, DeploymentPending, resumed.Status)

	s := alarmed(many(fixture(), 1, 2, running(1)), alarmFiring)
	s.Deployment = &resumed
	begun := advanced(s, t0)
	require.Equal(t, DeploymentRunning, begun.Status, "its alarms had gone off before it began")
	require.Equal(t, t0, *begun.StartedAt)

	back, err := Deployment{Status: DeploymentPending, Revision: 2, BasedOn: 1}.RollBack(0, "it is bad", t0)
	require.NoError(t, err)
	require.Equal(t, t0, *back.StartedAt, "going back is the first thing that it does")
}

func TestCanariesArePromotedAndNotResumed(t *testing.T) {
	d := Deployment{Status: DeploymentPaused, PausedFor: PausedByCanary, CanariesSince: ago(1)}
	_, err := d.Resume(t0)
	require.ErrorContains(t, err, "its canaries wait to be promoted")
	promoted, err := d.Promote(t0)
	require.NoError(t, err)
	require.Equal(t, DeploymentRunning, promoted.Status)
	require.Equal(t, t0, *promoted.PromotedAt)

	paused, err := d.Pause(Operator{By: "alice"})
	require.NoError(t, err)
	resumed, err := paused.Resume(t0)
	require.NoError(t, err)
	require.Nil(t, resumed.PromotedAt, "its canaries wait again")
}

func TestARollbackGoesToTheLastGoodRevisionUnlessTold(t *testing.T) {
	d := Deployment{Status: DeploymentRunning, Revision: 5, BasedOn: 3, Progress: Progress{Desired: 10, Remaining: 2, Departed: 1, StuckSince: ago(1)}}
	back, err := d.RollBack(0, "breaker", t0)
	require.NoError(t, err)
	require.Equal(t, 3, back.Target())
	require.Equal(t, Progress{At: &t0}, back.Progress, "it is counted anew")
	back, err = d.RollBack(4, "told to", t0)
	require.NoError(t, err)
	require.Equal(t, 4, back.Target())
	_, err = d.RollBack(5, "told to", t0)
	require.ErrorContains(t, err, "revision 5 is the one that it brings")
	d.BasedOn = 0
	_, err = d.RollBack(0, "breaker", t0)
	require.ErrorContains(t, err, "no deployment of the environment has completed before")
}

func TestWhatAStuckDeploymentWaitsFor(t *testing.T) {
	d := Deployment{Revision: 2, CreatedAt: t0, Counts: Counts{Desired: 10, Updated: 4}}
	for want, change := range map[string]func(*Deployment){
		"waits for its canaries to be promoted: 2 canaries are well; 6 of 10 hosts are left": func(d *Deployment) {
			d.Status, d.PausedFor, d.Reason = DeploymentPaused, PausedByCanary, "2 canaries are well"
		},
		"waits to be resumed: paused by alice: sale; 6 of 10 hosts are left": func(d *Deployment) {
			d.Status, d.PausedFor, d.Reason = DeploymentPaused, PausedByPeople, "paused by alice: sale"
		},
		"rolling back to revision 1: no host was updated since 2026-11-20T09:00:00Z, 6 of 10 are left": func(d *Deployment) {
			d.Status, d.RollbackTo = DeploymentRollingBack, 1
		},
		"its bake time is over, and 6 of 10 hosts are not well, or its alarms could not be read": func(d *Deployment) { d.Status = DeploymentBaking },
		"no host was updated since 2026-11-20T09:00:00Z, 6 of 10 are left; on i-001: RESOURCE:MEMORY": func(d *Deployment) {
			d.Status, d.FailedInstances = DeploymentRunning, []FailedInstance{{hostKey(1), "RESOURCE:MEMORY"}}
		},
	} {
		one := d
		change(&one)
		require.Equal(t, want, one.StuckReason())
	}
}
