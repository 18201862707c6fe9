package scheduler

import (
	"time"

	"github.com/blox/blox/internal/functionenv"
)

// The two functions that the scheduler's binary is deployed as.
const (
	HandlerDispatch = "dispatch"
	HandlerDrive    = "drive"
)

// Settings are what the function is told by its environment.
type Settings struct {
	Handler        string        // BLOX_HANDLER: HandlerDispatch or HandlerDrive
	StateTable     string        // BLOX_STATE_TABLE: name of the STATE table
	DaemonTable    string        // BLOX_DAEMON_TABLE: name of the DAEMON table
	WakeupQueueURL string        // BLOX_WAKEUP_QUEUE_URL: its own queue of wake-ups
	Installation   string        // BLOX_INSTALLATION: tells several installations in one account apart
	VisibleFor     time.Duration // BLOX_RETENTION_DAYS: how long stopped tasks stay visible
}

// SettingsFrom reads the settings. Every one must be there; the error names the variable that is not, or what it may be.
func SettingsFrom(getenv func(string) string) (Settings, error) {
	var s Settings
	err := functionenv.Read(getenv,
		functionenv.OneOf("BLOX_HANDLER", &s.Handler, HandlerDispatch, HandlerDrive),
		functionenv.Text("BLOX_STATE_TABLE", &s.StateTable),
		functionenv.Text("BLOX_DAEMON_TABLE", &s.DaemonTable),
		functionenv.Text("BLOX_WAKEUP_QUEUE_URL", &s.WakeupQueueURL),
		functionenv.Text("BLOX_INSTALLATION", &s.Installation),
		functionenv.Days("BLOX_RETENTION_DAYS", &s.VisibleFor),
	)
	if err != nil {
		return Settings{}, err
	}
	return s, nil
}
