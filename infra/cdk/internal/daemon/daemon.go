// Package daemon makes what drives Blox when no one asks: the queues of reconcile and of the scheduler, the schedules,
// and what invokes the functions behind them.
package daemon

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/infra/cdk/internal/queues"
	"github.com/blox/blox/infra/cdk/internal/settings"
)

const (
	// reconcileVisibilitySeconds is above the reconcile function's timeout: a pass over a cluster that is still at work is
	// not begun by another.
	reconcileVisibilitySeconds = 360
	// wakeupVisibilitySeconds is above the drive function's timeout, and above the 60 seconds of an environment's lease: a
	// wake-up of a driver that died comes again when the lease can be taken.
	wakeupVisibilitySeconds = 90
	maxReceives             = 5
	// retentionDays is short because old requests are worth nothing: schedules renew them.
	retentionDays = 1
)

// Daemon is the queues. Run adds what moves them.
type Daemon struct {
	scope constructs.Construct

	// Reconcile holds requests to reconcile: sweeps, in a group for each account and region, and what they and others ask of
	// a cluster, in a group for each cluster.
	Reconcile            awssqs.Queue
	ReconcileDeadLetters awssqs.Queue
	// Wakeups holds the scheduler's wake-ups, many of them delayed.
	Wakeups            awssqs.Queue
	WakeupsDeadLetters awssqs.Queue
	// StreamFailures holds where in the stream records lie that dispatch could not work on. They are gone from the stream
	// after a day.
	StreamFailures awssqs.Queue
	// ScheduleDeadLetters holds what EventBridge Scheduler could not invoke.
	ScheduleDeadLetters awssqs.Queue
}

// Props is what Daemon needs.
type Props struct {
	Settings *settings.Settings
}

// New makes the queues.
func New(scope constructs.Construct, id string, props Props) *Daemon {
	d := &Daemon{scope: constructs.NewConstruct(scope, jsii.String(id))}
	d.Reconcile, d.ReconcileDeadLetters = queues.New(d.scope, "Reconcile", queues.Props{
		VisibilitySeconds: reconcileVisibilitySeconds, MaxReceives: maxReceives, RetentionDays: retentionDays,
		FIFO: "blox-" + props.Settings.Installation + "-reconcile",
	})
	d.Wakeups, d.WakeupsDeadLetters = queues.New(d.scope, "Wakeups", queues.Props{
		VisibilitySeconds: wakeupVisibilitySeconds, MaxReceives: maxReceives, RetentionDays: retentionDays,
	})
	d.StreamFailures = queues.NewDead(d.scope, "StreamFailures")
	d.ScheduleDeadLetters = queues.NewDead(d.scope, "ScheduleDeadLetters")
	return d
}
