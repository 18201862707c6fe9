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
	DryRun
	Body *client.Change
}

func (s *server) freeze(ctx context.Context, in *freezeInput) (*writtenOutput, error) {
	by := operator(ctx, in.Body)
	return s.setFrozen(ctx, in, "freeze", by, &daemon.Freeze{At: s.Now(), By: by.By, Reason: by.Reason})
}

func (s *server) thaw(ctx context.Context, in *freezeInput) (*writtenOutput, error) {
	return s.setFrozen(ctx, in, "thaw", operator(ctx, in.Body), nil)
}

func (s *server) setFrozen(ctx context.Context, in *freezeInput, what string, by daemon.Operator, frozen *daemon.Freeze) (*writtenOutput, error) {
	for range writeTries {
		env, err := s.environmentNamed(ctx, in.Name)
		if err != nil {
			return nil, err
		}
		if env.Status != daemon.EnvironmentActive {
			return nil, conflicted("Environment %s is being deleted, which a freeze does not hold", env.Name)
		}
		if in.DryRun.DryRun {
			return s.frozenDryRun(ctx, env, frozen)
		}
		if (env.Frozen == nil) == (frozen == nil) {
			return s.writtenOutput(ctx, env)
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
		return s.writtenOutput(ctx, env)
	}
	return nil, tooBusy(in.Name)
}

func (s *server) frozenDryRun(ctx context.Context, env daemon.Environment, frozen *daemon.Freeze) (*writtenOutput, error) {
	plan, err := s.dryRun(ctx, env, func(snapshot *daemon.Snapshot) error {
		snapshot.Environment.Frozen = frozen
		return nil
	})
	return &writtenOutput{Body: orPlan[client.Environment]{Plan: &plan}}, err
}
