package announce

import (
	"context"
	"log/slog"
)

// Log is a Bus for those who have none: what needs somebody to look becomes a warning in the log. A change of a
// deployment's state is nothing to warn of.
type Log struct{ Logger *slog.Logger }

// Put logs.
func (l Log) Put(ctx context.Context, events []Event) error {
	for _, e := range events {
		if e.DetailType != DeploymentStateChange {
			l.Logger.WarnContext(ctx, e.DetailType, "environment", e.Detail.EnvironmentName,
				"deploymentId", e.Detail.DeploymentID, "revision", e.Detail.Revision, "reason", e.Detail.Reason)
		}
	}
	return nil
}
