package httpapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/table"
)

func (s *server) registerFreeze(api huma.API) {
	errs := []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusUnsupportedMediaType}
	handle(s, api, huma.Operation{
		OperationID: "freezeEnvironment", Method: http.MethodPost, Path: "/v1/environments/{name}/freeze", Tags: []string{"environments"},
		Summary:       "Keep the scheduler's hands off an environment",
		Description:   "Nothing of it is started or stopped until it is thawed, or deleted. Freezing a frozen one keeps the first time and reason.",
		DefaultStatus: http.StatusOK, Errors: errs,
	}, s.freeze)
	handle(s, api, huma.Operation{
		OperationID: "thawEnvironment", Method: http.MethodPost, Path: "/v1/environments/{name}/thaw", Tags: []string{"environments"},
		Summary: "End a freeze", DefaultStatus: http.StatusOK, Errors: errs,
	}, s.thaw)
}

type freezeInput struct {
	EnvironmentPath
	Body *client.Change
}

func (s *server) freeze(ctx context.Context, in *freezeInput) (*environmentOutput, error) {
	by := operator(ctx, in.Body)
	return s.setFrozen(ctx, in.Name, "freeze", by, &daemon.Freeze{At: s.Now(), By: by.By, Reason: by.Reason})
}

func (s *server) thaw(ctx context.Context, in *freezeInput) (*environmentOutput, error) {
	return s.setFrozen(ctx, in.Name, "thaw", operator(ctx, in.Body), nil)
}

func (s *server) setFrozen(ctx context.Context, name, what string, by daemon.Operator, frozen *daemon.Freeze) (*environmentOutput, error) {
	for range writeTries {
		env, err := s.environmentNamed(ctx, name)
		if err != nil {
			return nil, err
		}
		if env.Status != daemon.EnvironmentActive {
			return nil, conflicted("Environment %s is being deleted, which a freeze does not hold", env.Name)
		}
		if (env.Frozen == nil) == (frozen == nil) {
			return s.environmentOutput(ctx, env)
		}
		env.Frozen, env.UpdatedAt = frozen, s.Now()
		err = s.Daemon.UpdateEnvironment(ctx, env, nil)
		if errors.Is(err, table.ErrConflict) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if env.DeploymentID != "" {
			s.told(ctx, env, daemon.Deployment{ID: env.DeploymentID}, what, by)
		}
		s.wake(ctx, env.ID)
		return s.environmentOutput(ctx, env)
	}
	return nil, tooBusy(name)
}
