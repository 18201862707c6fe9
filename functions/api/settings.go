package api

import (
	"time"

	"github.com/blox/blox/internal/functionenv"
)

// Settings are what the function is told by its environment.
type Settings struct {
	StateTable     string        // BLOX_STATE_TABLE: name of the STATE table
	DaemonTable    string        // BLOX_DAEMON_TABLE: name of the DAEMON table
	WakeupQueueURL string        // BLOX_WAKEUP_QUEUE_URL: queue of the scheduler's wake-ups
	Installation   string        // BLOX_INSTALLATION: tells several installations in one account apart
	Account        string        // BLOX_ACCOUNT: the account that the function runs in, 12 digits
	Region         string        // AWS_REGION: the region that the function runs in; Lambda sets it
	Version        string        // BLOX_VERSION: the version that was deployed
	VisibleFor     time.Duration // BLOX_RETENTION_DAYS: how long stopped tasks stay visible
}

// SettingsFrom reads the settings. Every one must be there; the error names the variable that is not, or what it may be.
func SettingsFrom(getenv func(string) string) (Settings, error) {
	var s Settings
	err := functionenv.Read(getenv,
		functionenv.Text("BLOX_STATE_TABLE", &s.StateTable),
		functionenv.Text("BLOX_DAEMON_TABLE", &s.DaemonTable),
		functionenv.Text("BLOX_WAKEUP_QUEUE_URL", &s.WakeupQueueURL),
		functionenv.Text("BLOX_INSTALLATION", &s.Installation),
		functionenv.Text("BLOX_ACCOUNT", &s.Account),
		functionenv.Text("AWS_REGION", &s.Region),
		functionenv.Text("BLOX_VERSION", &s.Version),
		functionenv.Days("BLOX_RETENTION_DAYS", &s.VisibleFor),
	)
	if err != nil {
		return Settings{}, err
	}
	return s, nil
}
