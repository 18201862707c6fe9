package drive

import (
	"context"
	"time"

	"github.com/blox/blox/internal/daemon"
)

// revisionKey names a revision; environments' ids are never used again.
type revisionKey struct {
	environmentID string
	number        int
}

// revision reads a revision once in a process: it never changes.
func (d *Driver) revision(ctx context.Context, environmentID string, number int) (daemon.Revision, error) {
	key := revisionKey{environmentID, number}
	if revision, ok := d.revisions.recall(key, time.Time{}); ok {
		return revision, nil
	}
	revision, err := d.Daemon.Revision(ctx, environmentID, number)
	if err == nil {
		d.revisions.remember(key, revision, d.Now())
	}
	return revision, err
}
