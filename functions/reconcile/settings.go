package reconcile

import (
	"time"

	"github.com/blox/blox/internal/functionenv"
	"github.com/blox/blox/internal/member"
)

// Settings are what the function is told by its environment.
type Settings struct {
	// Settings are BLOX_ACCOUNT, AWS_REGION, BLOX_MEMBERS and BLOX_EXTERNAL_ID: the accounts and regions to reconcile.
	member.Settings
	Installation      string        // BLOX_INSTALLATION: tells several installations in one account apart
	StateTable        string        // BLOX_STATE_TABLE: name of the STATE table
	DaemonTable       string        // BLOX_DAEMON_TABLE: name of the DAEMON table, which holds the budget of ECS calls
	ReconcileQueueURL string        // BLOX_RECONCILE_QUEUE_URL: its own FIFO queue
	VisibleFor        time.Duration // BLOX_RETENTION_DAYS: how long stopped tasks stay visible
	Period            time.Duration // BLOX_RECONCILE_MINUTES: how often the schedule asks for sweeps
	ReadsPerSecond    float64       // BLOX_ECS_READS_PER_SECOND: share of ECS's reads in each account and region
}

// SettingsFrom reads the settings. Every one must be there; the error names the
// variable that is not, or what it may be.
func SettingsFrom(getenv func(string) string) (Settings, error) {
	var s Settings
	err := s.Read(getenv,
		functionenv.Installation("BLOX_INSTALLATION", &s.Installation),
		functionenv.Text("BLOX_STATE_TABLE", &s.StateTable),
		functionenv.Text("BLOX_DAEMON_TABLE", &s.DaemonTable),
		functionenv.Text("BLOX_RECONCILE_QUEUE_URL", &s.ReconcileQueueURL),
		functionenv.Days("BLOX_RETENTION_DAYS", &s.VisibleFor),
		functionenv.Minutes("BLOX_RECONCILE_MINUTES", &s.Period),
		functionenv.CallsPerSecond("BLOX_ECS_READS_PER_SECOND", &s.ReadsPerSecond),
	)
	if err != nil {
		return Settings{}, err
	}
	return s, nil
}
