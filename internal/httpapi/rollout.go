package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/table"
)

// verb is what people may do to the deployment in force.
type verb struct {
	name, summary, description string
	change                     func(dep daemon.Deployment, by daemon.Operator, now time.Time) (daemon.Deployment, error)
}

var verbs = []verb{
	{
		"pause", "Hold the deployment in force", "Nothing more is replaced until it is resumed. Hosts without a daemon still get one.",
		func(dep daemon.Deployment, by daemon.Operator, _ time.Time) (daemon.Deployment, error) {
			return dep.Pause(by)
		},
	},
	{
		"resume", "Let a deployment that was paused go on", "One whose canaries wait is let on by promote.",
		func(dep daemon.Deployment, _ daemon.Operator, now time.Time) (daemon.Deployment, error) {
			return dep.Resume(now)
		},
	},
	{
		"promote", "Let a deployment out of its canaries to all hosts", "It may be promoted before its canaries are well.",
		func(dep daemon.Deployment, _ daemon.Operator, now time.Time) (daemon.Deployment, error) {
			return dep.Promote(now)
		},
	},
	{
		"stop", "End the deployment in force where it is", "Every host keeps what it has. Stopping a stopped one changes nothing.",
		func(dep daemon.Deployment, by daemon.Operator, now time.Time) (daemon.Deployment, error) {
			return dep.Stop(by, now)
		},
	},
}

func (s *server) registerVerbs(api huma.API) {
	errs := []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusUnsupportedMediaType}
	for _, v := range verbs {
		handle(s, api, huma.Operation{
			OperationID: v.name + "Deployment", Method: http.MethodPost, Path: "/v1/environments/{name}/" + v.name, Tags: []string{"deployments"},
			Summary: v.summary, Description: v.description, DefaultStatus: http.StatusOK, Errors: errs,
		}, func(ctx context.Context, in *verbInput) (*changedOutput, error) {
			return s.changeDeployment(ctx, in, v)
		})
	}
}

type verbInput struct {
	EnvironmentPath
	DryRun
	Body *client.Change
}

// changedOutput is a deployment that was changed, or the plan of a dry run.
type changedOutput struct {
	Body orPlan[client.Deployment]
}

func (s *server) changedOutput(ctx context.Context, env daemon.Environment, dep daemon.Deployment) (*changedOutput, error) {
	out, err := s.deploymentOutput(ctx, env, dep)
	if err != nil {
		return nil, err
	}
	return &changedOutput{Body: orPlan[client.Deployment]{Done: &out.Body}}, nil
}

func planned(plan client.Plan, err error) (*changedOutput, error) {
	return &changedOutput{Body: orPlan[client.Deployment]{Plan: &plan}}, err
}

func operator(ctx context.Context, body *client.Change) daemon.Operator {
	by := daemon.Operator{By: callerOf(ctx)}
	if body != nil {
		by.Reason = body.Reason
	}
	return by
}

// changeDeployment applies a verb to the deployment in force, as it is stored at the moment of the write.
func (s *server) changeDeployment(ctx context.Context, in *verbInput, v verb) (*changedOutput, error) {
	by := operator(ctx, in.Body)
	for range writeTries {
		env, dep, err := s.inForce(ctx, in.Name)
		if err != nil {
			return nil, err
		}
		changed, err := v.change(dep, by, s.Now())
		if err != nil {
			return nil, notPossible(err)
		}
		if in.DryRun.DryRun {
			return planned(s.dryRun(ctx, env, func(snapshot *daemon.Snapshot) error { return s.under(ctx, snapshot, changed) }))
		}
		changed, err = s.Daemon.AdvanceDeployment(ctx, changed)
		if errors.Is(err, table.ErrConflict) {
			continue
		}
		if err != nil {
			return nil, err
		}
		s.told(ctx, env, changed, v.name, by)
		s.wake(ctx, env.ID)
		return s.changedOutput(ctx, env, changed)
	}
	return nil, tooBusy(in.Name)
}

// inForce reads an environment that is not being deleted, and its deployment in force.
func (s *server) inForce(ctx context.Context, name string) (daemon.Environment, daemon.Deployment, error) {
	env, err := s.environmentNamed(ctx, name)
	switch {
	case err != nil:
		return env, daemon.Deployment{}, err
	case env.Status != daemon.EnvironmentActive:
		return env, daemon.Deployment{}, conflicted("Environment %s is being deleted: nothing can be done to its deployments any more", env.Name)
	case env.DeploymentID == "":
		return env, daemon.Deployment{}, conflicted("Environment %s has no deployment yet: make one with POST /v1/environments/%s/deployments", env.Name, env.Name)
	}
	dep, err := s.Daemon.Deployment(ctx, env.ID, env.DeploymentID)
	return env, dep, err
}

// notPossible tells the one who asked what can be done instead.
func notPossible(err error) error {
	var not *daemon.NotPossibleError
	if errors.As(err, &not) {
		return conflicted("%s", not)
	}
	return err
}

// told keeps in the timeline what people did. That it is not kept is no reason to refuse what was done.
func (s *server) told(ctx context.Context, env daemon.Environment, dep daemon.Deployment, what string, by daemon.Operator) {
	reason := what
	if by.By != "" {
		reason += " by " + by.By
	}
	if by.Reason != "" {
		reason += ": " + by.Reason
	}
	err := s.Daemon.AppendTimeline(ctx, env.ID, table.TimelineEntry{
		At: s.Now(), DeploymentID: dep.ID, Kind: operated, Reason: reason,
	})
	if err != nil {
		s.Logger.WarnContext(ctx, "keeping a timeline entry failed", "error", err, "environmentId", env.ID,
			"deploymentId", dep.ID, "requestId", requestIDOf(ctx))
	}
}

// operated is the kind of a timeline entry of what people did; the others are the scheduler's actions.
const operated daemon.Kind = "operate"
