package ingest

import (
	"time"

	"github.com/blox/blox/internal/functionenv"
)

// Settings are what the function is told by its environment.
type Settings struct {
	Installation      string        // BLOX_INSTALLATION: tells several installations in one account apart
	StateTable        string        // BLOX_STATE_TABLE: name of the STATE table
	EventsDLQURL      string        // BLOX_EVENTS_DLQ_URL: queue of events that can never be stored
	ReconcileQueueURL string        // BLOX_RECONCILE_QUEUE_URL: FIFO queue of requests to reconcile
	VisibleFor        time.Duration // BLOX_RETENTION_DAYS: how long stopped tasks stay visible
}

// SettingsFrom reads the settings. Every one must be there; the error names the
// variable that is not, or what it may be.
func SettingsFrom(getenv func(string) string) (Settings, error) {
	var s Settings
	err := functionenv.Read(getenv,
		functionenv.Installation("BLOX_INSTALLATION", &s.Installation),
		functionenv.Text("BLOX_STATE_TABLE", &s.StateTable),
		functionenv.Text("BLOX_EVENTS_DLQ_URL", &s.EventsDLQURL),
		functionenv.Text("BLOX_RECONCILE_QUEUE_URL", &s.ReconcileQueueURL),
		functionenv.Days("BLOX_RETENTION_DAYS", &s.VisibleFor),
	)
	if err != nil {
		return Settings{}, err
	}
	return s, nil
}
