package scheduler

import (
	"errors"
	"time"

	"github.com/blox/blox/internal/functionenv"
	"github.com/blox/blox/internal/member"
)

// The two functions that the scheduler's binary is deployed as.
const (
	HandlerDispatch = "dispatch"
	HandlerDrive    = "drive"
)

// Settings are what both functions are told by their environment.
type Settings struct {
	Handler        string           // BLOX_HANDLER: HandlerDispatch or HandlerDrive
	StateTable     string           // BLOX_STATE_TABLE: name of the STATE table
	DaemonTable    string           // BLOX_DAEMON_TABLE: name of the DAEMON table
	WakeupQueueURL string           // BLOX_WAKEUP_QUEUE_URL: its own queue of wake-ups
	Installation   string           // BLOX_INSTALLATION: tells several installations in one account apart
	VisibleFor     time.Duration    // BLOX_RETENTION_DAYS: how long stopped tasks stay visible
	Drive          DriveSettings    // zero for HandlerDispatch
	Dispatch       DispatchSettings // zero for HandlerDrive
}

// DispatchSettings are what HandlerDispatch is told besides.
type DispatchSettings struct {
	EventBus       string // BLOX_EVENT_BUS: name of the installation's bus
	ForwardChanges bool   // BLOX_FORWARD_CHANGES: whether each change of the state is put there
}

// DriveSettings are what HandlerDrive is told besides.
type DriveSettings struct {
	// Settings are BLOX_ACCOUNT, AWS_REGION, BLOX_MEMBERS and BLOX_EXTERNAL_ID: where tasks may be started.
	member.Settings
	ReconcilePeriod   time.Duration // BLOX_RECONCILE_MINUTES: how often clusters are reconciled
	ReadsPerSecond    float64       // BLOX_ECS_READS_PER_SECOND: share of ECS's reads in each account and region
	ModifiesPerSecond float64       // BLOX_ECS_MODIFIES_PER_SECOND: the same of RunTask and StopTask
	EventBus          string        // BLOX_EVENT_BUS: name of the bus for people's events
}

// SettingsFrom reads the settings. Every one of the handler's must be there; the error names the variable that is not, or
// what it may be.
func SettingsFrom(getenv func(string) string) (Settings, error) {
	var s Settings
	err := functionenv.Read(getenv,
		functionenv.OneOf("BLOX_HANDLER", &s.Handler, HandlerDispatch, HandlerDrive),
		functionenv.Text("BLOX_STATE_TABLE", &s.StateTable),
		functionenv.Text("BLOX_DAEMON_TABLE", &s.DaemonTable),
		functionenv.Text("BLOX_WAKEUP_QUEUE_URL", &s.WakeupQueueURL),
		functionenv.Installation("BLOX_INSTALLATION", &s.Installation),
		functionenv.Days("BLOX_RETENTION_DAYS", &s.VisibleFor),
	)
	if err == nil && s.Handler == HandlerDrive {
		err = s.Drive.Read(getenv,
			functionenv.Minutes("BLOX_RECONCILE_MINUTES", &s.Drive.ReconcilePeriod),
			functionenv.CallsPerSecond("BLOX_ECS_READS_PER_SECOND", &s.Drive.ReadsPerSecond),
			functionenv.CallsPerSecond("BLOX_ECS_MODIFIES_PER_SECOND", &s.Drive.ModifiesPerSecond),
			functionenv.Text("BLOX_EVENT_BUS", &s.Drive.EventBus),
		)
	}
	if err == nil && s.Handler == HandlerDispatch {
		err = functionenv.Read(getenv,
			functionenv.Text("BLOX_EVENT_BUS", &s.Dispatch.EventBus),
			functionenv.Parsed("BLOX_FORWARD_CHANGES", &s.Dispatch.ForwardChanges, parseSwitch),
		)
	}
	if err != nil {
		return Settings{}, err
	}
	return s, nil
}

// parseSwitch is stricter than strconv.ParseBool, for which "t" and "1" are true as well: a setting has one spelling.
func parseSwitch(value string) (bool, error) {
	switch value {
	case "true":
		return true, nil
	case "false":
		return false, nil
	default:
		return false, errors.New("allowed are true and false")
	}
}
