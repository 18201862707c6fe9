package httpapi

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/table"
)

// maxAskedAfter is how many environments one page asks after a deployment: nothing but the environment itself knows its
// deployments, and each costs a read.
const maxAskedAfter = 400

// startedByPage is the id of the environment among those that has the deployment which is in a task's startedBy; there is
// one at most. more is the name up to which environments were asked, if there are others.
func (s *server) startedByPage(
	ctx context.Context, entries []table.DirectoryEntry, startedBy string,
) (ids []string, more string, err error) {
	deployment, ours := strings.CutPrefix(startedBy, daemon.StartedByPrefix)
	if !ours || deployment == "" {
		return nil, "", nil
	}
	if len(entries) > maxAskedAfter {
		entries = entries[:maxAskedAfter]
		more = entries[len(entries)-1].Name
	}
	has := make([]bool, len(entries))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for i, entry := range entries {
		group.Go(func() error {
			_, err := s.Daemon.Deployment(ctx, entry.ID, deployment)
			has[i] = err == nil
			if errors.Is(err, table.ErrNotFound) {
				return nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, "", err
	}
	for i, entry := range entries {
		if has[i] {
			return []string{entry.ID}, "", nil
		}
	}
	return nil, more, nil
}
