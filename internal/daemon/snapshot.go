package daemon

import (
	"time"

	"github.com/blox/blox/internal/state"
)

// Snapshot is all that Plan knows. Slots are read consistently under the lease; hosts and tasks may lag behind ECS by
// the age of the newest event, and every rule that reads them must hold when they do.
type Snapshot struct {
	Environment Environment
	// Deployment is the one in force; nil before the first, and then nothing is started.
	Deployment *Deployment
	// Revision is the deployment's target. Base is the one that hosts keep, and new ones get, while the deployment is held;
	// nil if there is none, or it is the target.
	Revision Revision
	Base     *Revision
	// From is the deployment's own revision once the deployment is rolled back, and another the target; nil before.
	From *Revision
	// Installation tells several Blox installations in one account apart.
	Installation string

	// Hosts are those of the environment's clusters: all of them when Full, else those named in the wake-up.
	Hosts []Host
	Slots []Slot
	// Tasks are the environment's own, live or stopped, as stored.
	Tasks []Task
	// Full says that Hosts, Slots and Tasks are complete. Only then may anything be replaced, advanced or finished.
	Full bool

	// Alarms are the states of the CloudWatch alarms that the deployment is watched by, by name: OK, ALARM,
	// INSUFFICIENT_DATA, or empty for one that does not exist. Nil if they were not read.
	Alarms map[string]string
	// Inactive are the task definitions, by ARN, that ECS has as INACTIVE or deleted, of those of Revision and Base.
	Inactive map[string]bool

	// Clusters say how fresh the knowledge of each cluster is.
	Clusters map[state.ClusterKey]Freshness
	// Settings are the installation's.
	Settings Settings
}

// Freshness is how much can be known of a cluster.
type Freshness struct {
	// SyncedAt is when the last complete reconcile began; zero if there was none: then nothing may be done at all.
	SyncedAt time.Time
	// Gone says that ECS has the cluster no more: nothing is to be waited for there.
	Gone bool
	// Doubtful says that the last reconcile missed so much that it was not believed yet.
	Doubtful bool
	// IngestLag is how old events were when they were stored, lately.
	IngestLag time.Duration
}

// Settings are bounds that the installation sets.
type Settings struct {
	// ReconcilePeriod is how often a cluster is reconciled; stops need a reconcile younger than two periods.
	ReconcilePeriod time.Duration
	// MaxIngestLag forbids stops when events arrive later than that.
	MaxIngestLag time.Duration
	// ClaimMaxAge is how old a claim may be and still be replayed. ECS keeps a token for at most 24 hours.
	ClaimMaxAge time.Duration
	// EventGrace is how long the event of a change may be missing before ECS is asked.
	EventGrace time.Duration
	// RecheckPeriod is how often something that waits for events is looked at without one.
	RecheckPeriod time.Duration
	// DisconnectedGrace is how long an agent may be disconnected before its daemon stops counting as healthy. Agents
	// reconnect several times an hour in normal life.
	DisconnectedGrace time.Duration
	// DrainDeadline is how long a DRAINING host may wait for its other tasks before the daemon is stopped anyway.
	DrainDeadline time.Duration
	// HealthGrace is how long a host may be without a healthy daemon before people are to know. A start takes time: the
	// pull of an image, a health check's start period of up to five minutes, the end of the daemon that is replaced.
	HealthGrace time.Duration
	// UnhealthyGrace is how long the health check of a daemon may fail in a row before the daemon is restarted. ECS stops
	// tasks of services for that; one of RunTask it leaves UNHEALTHY for ever.
	UnhealthyGrace time.Duration
	// IdleGrace is how long a host may run nothing but daemons before it is released, if the revision says so: the gap
	// between two pieces of work is no reason.
	IdleGrace time.Duration
	// AttributeRetry is how long after a failed try a custom attribute is set or deleted again.
	AttributeRetry time.Duration
	// StuckAfter is how long a deployment may not come forward before people are to know.
	StuckAfter time.Duration
}

// DefaultSettings fit an installation that reconciles every five minutes.
func DefaultSettings() Settings {
	return Settings{
		ReconcilePeriod:   5 * time.Minute,
		MaxIngestLag:      2 * time.Minute,
		ClaimMaxAge:       30 * time.Minute,
		EventGrace:        30 * time.Second,
		RecheckPeriod:     5 * time.Minute,
		DisconnectedGrace: 2 * time.Minute,
		DrainDeadline:     48 * time.Hour,
		HealthGrace:       10 * time.Minute,
		UnhealthyGrace:    time.Minute,
		IdleGrace:         15 * time.Minute,
		AttributeRetry:    5 * time.Minute,
		StuckAfter:        30 * time.Minute,
	}
}
