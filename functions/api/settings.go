package api

import (
	"time"

	"github.com/blox/blox/internal/functionenv"
	"github.com/blox/blox/internal/member"
)

// The two functions that the API's binary is deployed as.
const (
	HandlerAPI    = "api"
	HandlerStream = "stream"
)

// Settings are what the functions are told by their environment.
type Settings struct {
	Handler      string        // BLOX_HANDLER: HandlerAPI or HandlerStream
	StateTable   string        // BLOX_STATE_TABLE: name of the STATE table
	Installation string        // BLOX_INSTALLATION: tells several installations in one account apart
	Version      string        // BLOX_VERSION: the version that was deployed
	VisibleFor   time.Duration // BLOX_RETENTION_DAYS: how long stopped tasks stay visible
	// Settings are BLOX_ACCOUNT, AWS_REGION, BLOX_MEMBERS and BLOX_EXTERNAL_ID: where environments may be. Of them
	// HandlerStream is told the first two, and has no members.
	member.Settings

	// Of HandlerAPI only.
	DaemonTable       string // BLOX_DAEMON_TABLE: name of the DAEMON table
	WakeupQueueURL    string // BLOX_WAKEUP_QUEUE_URL: queue of the scheduler's wake-ups
	ReconcileQueueURL string // BLOX_RECONCILE_QUEUE_URL: FIFO queue of requests to reconcile
	// What the scheduler is told, too: the API plans as it does.
	ReconcilePeriod time.Duration // BLOX_RECONCILE_MINUTES: how often clusters are reconciled
	ReadsPerSecond  float64       // BLOX_ECS_READS_PER_SECOND: share of ECS's reads in each account and region
}

// SettingsFrom reads the settings. Every one of the handler's must be there; the error names the variable that is not, or
// what it may be.
func SettingsFrom(getenv func(string) string) (Settings, error) {
	var s Settings
	err := functionenv.Read(getenv,
		functionenv.OneOf("BLOX_HANDLER", &s.Handler, HandlerAPI, HandlerStream),
		functionenv.Text("BLOX_STATE_TABLE", &s.StateTable),
		functionenv.Installation("BLOX_INSTALLATION", &s.Installation),
		functionenv.Text("BLOX_VERSION", &s.Version),
		functionenv.Days("BLOX_RETENTION_DAYS", &s.VisibleFor),
	)
	if err == nil && s.Handler == HandlerAPI {
		err = s.Read(getenv,
			functionenv.Text("BLOX_DAEMON_TABLE", &s.DaemonTable),
			functionenv.Text("BLOX_WAKEUP_QUEUE_URL", &s.WakeupQueueURL),
			functionenv.Text("BLOX_RECONCILE_QUEUE_URL", &s.ReconcileQueueURL),
			functionenv.Minutes("BLOX_RECONCILE_MINUTES", &s.ReconcilePeriod),
			functionenv.CallsPerSecond("BLOX_ECS_READS_PER_SECOND", &s.ReadsPerSecond),
		)
	} else if err == nil {
		err = s.ReadHome(getenv)
	}
	if err != nil {
		return Settings{}, err
	}
	return s, nil
}
