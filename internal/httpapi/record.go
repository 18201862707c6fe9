package httpapi

import (
	"context"
	"errors"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// record reads one record, and before it a position in the feed that is surely part of it.
func (s *server) record(ctx context.Context, kind state.Kind, path EntityPath) (r state.Record, position string, err error) {
	key, guessed, err := s.entityKey(ctx, kind, path)
	if err != nil {
		return r, "", err
	}
	if position, err = s.recentPosition(ctx); err != nil {
		return r, "", err
	}
	r, err = s.State.Get(ctx, key, s.Now())
	if errors.Is(err, table.ErrNotFound) {
		what := "Task"
		if kind == state.KindContainerInstance {
			what = "Instance"
		}
		if guessed {
			return r, "", notFound("%s not found: "+unknownCluster, what, key.Cluster.Name)
		}
		err = notFound("%s not found: cluster %s has no %s %s that is stored", what, key.Cluster.ARN(""), kind.ARNKind(), key.ID)
	}
	return r, position, err
}
