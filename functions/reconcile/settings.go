package reconcile

import (
	"time"

	"github.com/blox/blox/internal/functionenv"
)

// Settings are what the function is told by its environment.
type Settings struct {
	Account           string        // BLOX_ACCOUNT: the account it runs in, 12 digits
	Region            string        // AWS_REGION: set by Lambda
	StateTable        string        // BLOX_STATE_TABLE: name of the STATE table
	DaemonTable       string        // BLOX_DAEMON_TABLE: name of the DAEMON table, which holds the budget of ECS calls
	ReconcileQueueURL string        // BLOX_RECONCILE_QUEUE_URL: its own FIFO queue
	VisibleFor        time.Duration // BLOX_RETENTION_DAYS: how long stopped tasks stay visible
}

// SettingsFrom reads the settings. Every one must be there; the error names the
// variable that is not, or what it may be.
func SettingsFrom(getenv func(string) string) (Settings, error) {
	var s Settings
	err := functionenv.Read(getenv,
		functionenv.Text("BLOX_ACCOUNT", &s.Account),
		functionenv.Text("AWS_REGION", &s.Region),
		functionenv.Text("BLOX_STATE_TABLE", &s.StateTable),
		functionenv.Text("BLOX_DAEMON_TABLE", &s.DaemonTable),
		functionenv.Text("BLOX_RECONCILE_QUEUE_URL", &s.ReconcileQueueURL),
		functionenv.Days("BLOX_RETENTION_DAYS", &s.VisibleFor),
	)
	if err != nil {
		return Settings{}, err
	}
	return s, nil
}
