package drive

import (
	"context"

	"github.com/blox/blox/internal/wakeup"
)

// Tick wakes the environments that are due. With nothing due it costs one query of the directory.
func (d *Driver) Tick(ctx context.Context) error {
	directory, err := d.Daemon.Directory(ctx)
	if err != nil {
		return err
	}
	now := d.Now().UnixMilli()
	var due []wakeup.Wakeup
	for _, entry := range directory {
		if entry.DueAt <= now {
			due = append(due, wakeup.Wakeup{EnvironmentID: entry.ID})
		}
	}
	if len(due) == 0 {
		return nil
	}
	return wakeup.Send(ctx, d.Wakeups, 0, due...)
}
