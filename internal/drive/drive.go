// Package drive carries out what package daemon decides: it takes an environment's lease, reads a snapshot, calls Plan,
// writes intents, calls ECS and writes down what came of it.
//
// Any step may fail or be the last one before the process dies. What was written before it is enough for the next driver
// to go on: a claim is replayed, a stop is called again, a lease that was not given back makes the next driver look at
// everything.
package drive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/blox/blox/internal/alarms"
	"github.com/blox/blox/internal/announce"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/wakeup"
)

// Config is what a driver works with.
type Config struct {
	State  *table.State
	Daemon *table.Daemon
	// ECS is the API of an account and region.
	ECS func(account, region string) (ecsapi.API, error)
	// Alarms is CloudWatch in an account and region. Without it, deployments that alarms watch over wait for ever.
	Alarms  func(account, region string) (alarms.API, error)
	Wakeups queue.Sender
	Now     func() time.Time
	// NewOwner names one invocation; names are only for people.
	NewOwner     func() string
	Installation string
	Settings     daemon.Settings
	// Modify and Describe are this installation's shares of ECS's call buckets, a second and at once.
	Modify, Describe ecsapi.Share
	// Workers is how many ECS calls run at once. 1 runs everything in the caller's goroutine.
	Workers int
	// Announce takes the events for people, Metrics the numbers for alarms.
	Announce announce.Bus
	Metrics  metrics.Sink
	Log      *slog.Logger
}

// DefaultModify and DefaultDescribe are half of what ECS allows.
var (
	DefaultModify   = ecsapi.ModifyShare(ecsapi.DefaultModifiesPerSecond)
	DefaultDescribe = ecsapi.ReadShare(ecsapi.DefaultReadsPerSecond)
)

// Driver works on environments.
type Driver struct {
	Config
	facts facts
	// revisions were read; definitions says of task definitions whether they are INACTIVE; alarmsRead are states; joined
	// are revisions whose pattern's clusters were looked for; neighbours are tasks on hosts beside daemons.
	revisions   answers[revisionKey, daemon.Revision]
	definitions answers[string, bool]
	alarmsRead  answers[alarmKey, map[string]string]
	joined      answers[revisionKey, bool]
	neighbours  answers[neighbourKey, int]
	// patience is for environments that cannot be worked on.
	patience patience
}

// New is a driver.
func New(c Config) *Driver { return &Driver{Config: c} }

const (
	// leaseHold is how long a lease is held without being renewed. It is renewed before every pass, and a pass makes at
	// most callsAPass calls. The wake-up queue's visibility timeout must be longer: a message that comes back while the
	// lease of its dead driver still runs would leave word with the dead.
	leaseHold = 60 * time.Second
	// callsAPass bounds the ECS calls between two looks at the lease.
	callsAPass = 100
	// passes bounds one invocation; more are the next one's.
	passes = 50
	// fullPeriod is how often the whole of a steady environment is looked at, activePeriod that of one in motion.
	fullPeriod   = 10 * time.Minute
	activePeriod = time.Minute
	// deadlineMargin is kept of the invocation's time for leaving in order.
	deadlineMargin = 10 * time.Second
)

// look says what of an environment is to be looked at: everything, or the hosts of some container instances; nothing if it
// is zero.
type look struct {
	all       bool
	instances []state.Key
}

var everything = look{all: true}

// Drive looks at an environment: at some container instances, or at everything if there are none named. If another
// driver holds the lease, it is left word and will look instead.
func (d *Driver) Drive(ctx context.Context, environmentID string, instances []state.Key) error {
	lease, crashed, err := d.enter(ctx, environmentID, instances)
	if errors.Is(err, errLeftWord) {
		return nil
	}
	if err != nil {
		return err
	}
	at := look{all: len(instances) == 0 || crashed, instances: instances} // nobody knows what a crashed driver was told
	r := &report{Driver: d}
	defer r.measure()
	for range passes {
		if d.short(ctx) {
			break
		}
		next, err := d.pass(ctx, &lease, at)
		r.add(next.seen)
		if err == nil && next.wakeAfter > 0 {
			err = d.wakeAll(ctx, &lease, next.wakeAfter)
		}
		if err != nil {
			return d.abandon(ctx, lease, r, err)
		}
		if next.again {
			at = next.at
			continue
		}
		r.tell(ctx) // under the lease: it stores what was told
		if clean, err := d.Daemon.ReleaseLease(ctx, lease); err != nil || clean {
			d.patience.restore(environmentID)
			return err
		}
		at = look{} // the next pass reads what others left
	}
	r.tell(ctx)
	// There is more to do than one invocation may: the next one begins with a look at everything.
	if err := d.Daemon.YieldLease(ctx, lease); err != nil {
		return err
	}
	return wakeup.Send(ctx, d.Wakeups, time.Second, wakeup.Wakeup{EnvironmentID: environmentID})
}

// wakeAll sends a wake-up for the whole environment, unless one is under way that comes no later.
func (d *Driver) wakeAll(ctx context.Context, lease *table.Lease, after time.Duration) (err error) {
	now := d.Now()
	at := now.Add(after)
	if known := time.UnixMilli(lease.WakeAt); known.After(now) && !known.After(at) {
		return nil
	}
	// Remembered first: a wake-up that is then not sent costs time until the tick, one that is not remembered multiplies.
	if *lease, err = d.Daemon.SetWake(ctx, *lease, at); err != nil {
		return err
	}
	return wakeup.Send(ctx, d.Wakeups, after, wakeup.Wakeup{EnvironmentID: lease.EnvironmentID})
}

// short says that the invocation's time is nearly up.
func (d *Driver) short(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < deadlineMargin
}

// enterTries bounds the dance between taking a lease and leaving word to its holder, who may give it back in between.
const enterTries = 5

// errLeftWord says that another driver holds the lease and will look.
var errLeftWord = errors.New("left word with the lease's holder")

// enter takes the lease, or leaves word and says so (errLeftWord). crashed says that the last holder did not give the
// lease back.
func (d *Driver) enter(ctx context.Context, environmentID string, instances []state.Key) (lease table.Lease, crashed bool, err error) {
	owner := d.NewOwner()
	for range enterTries {
		now := d.Now()
		lease, crashed, err = d.Daemon.AcquireLease(ctx, environmentID, owner, now, leaseHold)
		if err == nil || !errors.Is(err, table.ErrConflict) {
			return lease, crashed, err
		}
		err = d.Daemon.MarkDirty(ctx, environmentID, instances, now)
		if err == nil {
			return table.Lease{}, false, errLeftWord
		}
		if !errors.Is(err, table.ErrConflict) {
			return table.Lease{}, false, err
		}
	}
	return table.Lease{}, false, fmt.Errorf("environment %s: the lease changed hands %d times", environmentID, enterTries)
}

// abandon lets go of an environment that cannot be worked on now. The error makes the queue bring the wake-up again,
// and the lease, not given back in order, makes whoever takes it next look at everything. If another driver has taken
// the lease already, it has the work, too.
func (d *Driver) abandon(ctx context.Context, lease table.Lease, r *report, err error) error {
	free := context.WithoutCancel(ctx)
	if errors.Is(err, table.ErrConflict) && errors.Is(d.Daemon.CheckLease(free, lease), table.ErrConflict) {
		return nil
	}
	d.Log.Error("environment abandoned", "environmentId", lease.EnvironmentID, "error", err)
	d.putOff(free, lease.EnvironmentID)
	if !d.short(ctx) && ctx.Err() == nil {
		r.tell(ctx)
	}
	return errors.Join(
		fmt.Errorf("driving environment %s: %w", lease.EnvironmentID, err),
		d.Daemon.YieldLease(free, lease),
	)
}

// next says what is to be done after a pass.
type next struct {
	// again asks for another pass at once.
	again bool
	at    look
	// wakeAfter asks for a look at everything later.
	wakeAfter time.Duration
	// seen is the whole of the environment, if that was looked at.
	seen *daemon.Snapshot
}

// pass is one snapshot, one plan and its actions.
func (d *Driver) pass(ctx context.Context, lease *table.Lease, at look) (next, error) {
	renewed, dirt, err := d.Daemon.RenewLease(ctx, *lease, d.Now(), leaseHold)
	if err != nil {
		return next{}, err
	}
	*lease = renewed
	at = look{all: at.all || dirt.All, instances: slices.Concat(at.instances, dirt.Instances)}
	if !at.all && len(at.instances) == 0 {
		return next{}, nil
	}
	snapshot, err := d.snapshot(ctx, lease.EnvironmentID, at)
	if errors.Is(err, table.ErrNotFound) {
		return next{}, d.Daemon.DropLease(ctx, *lease) // the environment was deleted
	}
	if err != nil {
		return next{}, err
	}
	plan, err := d.plan(ctx, &snapshot)
	if err != nil {
		return next{}, err
	}
	return d.act(ctx, *lease, snapshot, at, plan)
}
