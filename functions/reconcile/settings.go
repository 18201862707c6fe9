package reconcile

import (
	"fmt"
	"strconv"
	"time"
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

const maxRetentionDays = 3650

// SettingsFrom reads the settings. Every one must be there; the error names the
// variable that is not, or what it may be.
func SettingsFrom(getenv func(string) string) (Settings, error) {
	var s Settings
	for _, variable := range []struct {
		name string
		into *string
	}{
		{"BLOX_ACCOUNT", &s.Account},
		{"AWS_REGION", &s.Region},
		{"BLOX_STATE_TABLE", &s.StateTable},
		{"BLOX_DAEMON_TABLE", &s.DaemonTable},
		{"BLOX_RECONCILE_QUEUE_URL", &s.ReconcileQueueURL},
	} {
		if *variable.into = getenv(variable.name); *variable.into == "" {
			return Settings{}, fmt.Errorf("environment variable %s is not set", variable.name)
		}
	}
	days, err := strconv.Atoi(getenv("BLOX_RETENTION_DAYS"))
	if err != nil || days < 1 || days > maxRetentionDays {
		return Settings{}, fmt.Errorf("environment variable BLOX_RETENTION_DAYS is %q: allowed are 1 to %d days", getenv("BLOX_RETENTION_DAYS"), maxRetentionDays)
	}
	s.VisibleFor = time.Duration(days) * 24 * time.Hour
	return s, nil
}
