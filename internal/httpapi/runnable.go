package httpapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/internal/daemon"
)

// checkRunnable refuses to deploy a revision from whose task definition no task can be run any more: it was ACTIVE when it
// was applied, and deployment tools deregister old ones. What ECS does not answer now is no reason to refuse, least of all
// a rollback; the scheduler finds out.
func (s *server) checkRunnable(ctx context.Context, env daemon.Environment, number int) error {
	if len(env.Clusters) == 0 {
		return nil // those of a pattern are found by the scheduler
	}
	rev, err := s.revisionOf(ctx, env, number)
	if err != nil {
		return err
	}
	place := env.Clusters[0]
	api, err := s.ECS(place.Account, place.Region)
	if err == nil {
		_, err = resolveTaskDefinition(ctx, api, rev.TaskDefinition, place, false)
	}
	var refused huma.StatusError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused) && refused.GetStatus() == http.StatusNotFound:
		return conflicted("Revision %d of environment %s cannot be deployed: %s; apply it with one that is ACTIVE, or deploy another revision",
			number, env.Name, refused)
	}
	s.Logger.WarnContext(ctx, "a task definition is taken to be ACTIVE", "error", err, "environmentId", env.ID,
		"taskDefinition", rev.TaskDefinition, "requestId", requestIDOf(ctx))
	return nil
}
