package drive

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/event/eventtest"
)

func announcing(r *daemon.Revision) { r.ReadinessAttribute = "blox.log-agent" }

func TestTheReadinessAttributeFollowsTheDaemon(t *testing.T) {
	w := newWorld(t, announcing)
	w.host(1)
	w.look()
	require.Empty(t, w.ecs.attributes)
	w.runs(1)
	w.look()
	registration := w.slot(1).ContainerInstanceARN
	require.Equal(t, map[string]map[string]string{registration: {"blox.log-agent": "ready"}}, w.ecs.attributes)
	require.Equal(t, "blox.log-agent", w.slot(1).Attribute)
	require.Equal(t, registration, w.slot(1).AttributeOn)

	w.daemonIs(1, w.slot(1).TaskARN, 4, "STOPPED", "STOPPED", "log-agent:1")
	w.look() // a new one is started first
	w.look()
	require.Empty(t, w.ecs.attributes[registration])
	require.Empty(t, w.slot(1).Attribute)
	entries, err := w.daemon.Timeline(t.Context(), "env", "d-1", 100)
	require.NoError(t, err)
	require.Contains(t, asJSON(t, entries), string(daemon.SetAttribute))
	require.Contains(t, asJSON(t, entries), string(daemon.DeleteAttribute))
}

func TestAnAttributeThatECSDoesNotTakeIsTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		refuse error
		want   string
	}{
		"a full host":         {&types.AttributeLimitExceededException{Message: aws.String("too many")}, "the host has ECS's limit of ten custom attributes"},
		"a host that is gone": {&types.TargetNotFoundException{}, targetGone},
		"no way to ECS":       {errors.New("no route"), "no route"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, announcing)
			w.ecs.refuse = c.refuse
			w.completes()
			slot := w.slot(1)
			require.Contains(t, slot.AttributeError, c.want)
			require.Equal(t, c.refuse.Error() == "no route", slot.AttributeAsked != nil, "an error of the way proves nothing")
			require.Equal(t, slot.AttributeAsked != nil, slot.Attribute != "")
			require.Equal(t, w.now.Add(daemon.DefaultSettings().AttributeRetry), *slot.AttributeRetryAt)
			require.Equal(t, daemon.DeploymentCompleted, w.deployment("d-1").Status, "the deployment does not wait for it")

			w.ecs.refuse = nil
			w.look()
			require.Empty(t, w.ecs.attributes, "not yet")
			w.now = w.now.Add(5 * time.Minute)
			w.look()
			require.Equal(t, "blox.log-agent", w.slot(1).Attribute)
			require.Empty(t, w.slot(1).AttributeError)
			require.Nil(t, w.slot(1).AttributeAsked)
		})
	}
}

func TestTheAttributeOfAHostThatHasLeftNeedsNoDeletion(t *testing.T) {
	w := newWorld(t, announcing)
	w.completes()
	w.ecs.refuse = &types.TargetNotFoundException{}
	w.daemonIs(1, w.slot(1).TaskARN, 4, "STOPPED", "STOPPED", "log-agent:1")
	w.look()
	w.look()
	require.Empty(t, w.slot(1).Attribute)
	require.Empty(t, w.slot(1).AttributeError)
}

// A driver that dies between ECS's answer and what it would have stored has left word before; so has one that loses the slot
// to another driver.
func TestAnAttributeIsNotForgottenWithTheDriverThatSetIt(t *testing.T) {
	for name, disturb := range map[string]func(*world, context.CancelFunc){
		"it dies": func(_ *world, die context.CancelFunc) { die() },
		"another driver writes the slot": func(w *world, _ context.CancelFunc) {
			_, err := w.daemon.PutSlot(w.t.Context(), w.slot(1))
			require.NoError(w.t, err)
		},
		"its answer is lost": func(w *world, _ context.CancelFunc) { w.ecs.refuse = context.DeadlineExceeded },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, announcing)
			w.host(1)
			w.look()
			w.runs(1)
			ctx, die := context.WithCancel(t.Context())
			defer die()
			calls := 0
			w.ecs.changed = func() error {
				calls++
				require.Equal(t, "blox.log-agent", w.slot(1).Attribute, "stored before the call")
				require.Equal(t, w.now, *w.slot(1).AttributeAsked)
				disturb(w, die)
				return w.ecs.refuse
			}
			if err := w.driver.Drive(ctx, "env", nil); ctx.Err() == nil {
				require.NoError(t, err)
			}
			require.NotNil(t, w.slot(1).AttributeAsked, "nobody knows")
			require.Equal(t, 1, calls)

			w.ecs.changed, w.ecs.refuse = nil, nil
			w.daemonIs(1, w.slot(1).TaskARN, 4, "STOPPED", "STOPPED", "log-agent:1")
			w.look()
			w.look()
			require.NotEmpty(t, w.ecs.attributes[w.slot(1).ContainerInstanceARN], "a call may still be on its way")
			w.now = w.now.Add(5 * time.Minute)
			w.look()
			require.Empty(t, w.ecs.attributes[w.slot(1).ContainerInstanceARN], "it is taken back all the same")
			require.Empty(t, w.slot(1).Attribute)
			require.Nil(t, w.slot(1).AttributeAsked)
		})
	}
}

func TestAttributesSpendCallsToo(t *testing.T) {
	w := newWorld(t, announcing)
	for n := range 3 {
		w.host(n)
	}
	w.look()
	for n := range 3 {
		w.runs(n)
	}
	w.driver.Modify = ecsapi.Share{PerSecond: 0.001, Burst: 2}
	w.now = w.now.Add(time.Minute)
	w.look()
	require.LessOrEqual(t, len(w.ecs.attributes), 2)
	w.driver.Modify = DefaultModify
	w.now = w.now.Add(time.Minute)
	w.look()
	require.Len(t, w.ecs.attributes, 3)
}

func TestAHostIsTakenOverFromAServiceWithoutStoppingItsTask(t *testing.T) {
	w := newWorld(t, func(r *daemon.Revision) { r.MigrateFrom = "log-agent" })
	w.host(1)
	w.other("theirs", 1, eventtest.Group("service:log-agent"))
	w.look()
	registration := w.slot(1).ContainerInstanceARN
	require.Equal(t, map[string]map[string]string{registration: {"blox.handover": "log-agent"}}, w.ecs.attributes)
	require.Equal(t, "log-agent", w.slot(1).HandedOver)
	require.True(t, w.slot(1).Disrupted, "it is paid for")
	require.Empty(t, w.ecs.requests, "our task starts when theirs is gone")

	w.other("theirs", 1, eventtest.Group("service:log-agent"), eventtest.Version(2), eventtest.LastStatus("STOPPED"))
	w.look()
	require.Len(t, w.ecs.requests, 1)
	require.Empty(t, w.ecs.stopped, "a service's task is ECS's to stop")
}

// The slot is stored before ECS is asked, so a host that could not be marked is marked later.
func TestAHostThatCouldNotBeTakenOverIsTakenOverLater(t *testing.T) {
	w := newWorld(t, func(r *daemon.Revision) { r.MigrateFrom = "log-agent" })
	w.host(1)
	w.other("theirs", 1, eventtest.Group("service:log-agent"))
	w.ecs.refuse = errors.New("no route")
	w.look()
	require.Empty(t, w.ecs.attributes)
	require.Equal(t, "log-agent", w.slot(1).HandedOver)
	w.ecs.refuse = nil
	w.now = w.now.Add(time.Minute)
	w.look()
	require.Len(t, w.ecs.attributes, 1)
}

// The service would start its daemon on a host that joins, so the host is taken from it before ours is started.
func TestAHostThatJoinsAMigrationIsTakenFirst(t *testing.T) {
	w := newWorld(t, func(r *daemon.Revision) { r.MigrateFrom = "log-agent" })
	w.host(1)
	w.ecs.refuse = &types.AttributeLimitExceededException{Message: aws.String("too many")}
	w.look()
	require.Equal(t, "the host has ECS's limit of ten custom attributes", w.slot(1).AttributeError)
	require.Equal(t, "log-agent", w.slot(1).HandedOver, "a deletion is to make sure that it does not carry it")
	w.now = w.now.Add(time.Minute)
	w.look()
	require.Empty(t, w.ecs.requests, "it may not be handed over")

	w.ecs.refuse = nil
	w.now = w.now.Add(5 * time.Minute)
	require.NoError(t, w.state.PutSync(t.Context(), syncedAt(w.now)))
	w.look()
	require.Equal(t, map[string]map[string]string{w.slot(1).ContainerInstanceARN: {"blox.handover": "log-agent"}}, w.ecs.attributes)
	require.Empty(t, w.slot(1).AttributeError)
	require.Empty(t, w.ecs.requests, "a task that the service started before may not be known yet")
	w.now = w.now.Add(31 * time.Second)
	w.look()
	require.Len(t, w.ecs.requests, 1)
}

func TestAFullHostThatCannotBeTakenOverSaysSo(t *testing.T) {
	w := newWorld(t, func(r *daemon.Revision) { r.MigrateFrom = "log-agent" })
	w.host(1)
	w.other("theirs", 1, eventtest.Group("service:log-agent"))
	w.ecs.refuse = &types.AttributeLimitExceededException{Message: aws.String("too many")}
	w.look()
	require.Equal(t, "the host has ECS's limit of ten custom attributes", w.slot(1).AttributeError)
	require.Equal(t, w.now.Add(5*time.Minute), *w.slot(1).AttributeRetryAt)
}
