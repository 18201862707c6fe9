package sim

import (
	"context"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/drive"
)

type schedulerOf struct{ *drive.Driver }

func (schedulerOf) SnapshotOf(context.Context, daemon.Environment, daemon.Revision) (daemon.Snapshot, error) {
	return daemon.Snapshot{}, nil
}
