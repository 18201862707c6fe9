package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/table"
)

// What makes a new deployment of a revision that is there already.

func (s *server) registerRedeployments(api huma.API) {
	errs := []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict}
	handle(s, api, huma.Operation{
		OperationID: "restartEnvironment", Method: http.MethodPost, Path: "/v1/environments/{name}/restart", Tags: []string{"deployments"},
		Summary: "Give every host a new task of the revision that is deployed", DefaultStatus: http.StatusOK, Errors: errs,
	}, s.restart)
	handle(s, api, huma.Operation{
		OperationID: "rollBackEnvironment", Method: http.MethodPost, Path: "/v1/environments/{name}/rollback", Tags: []string{"deployments"},
		Summary: "Bring an older revision back",
		Description: "A deployment that has not ended is turned back, by default to the last good revision. Otherwise a new " +
			"deployment of the older revision is made: by default of the one that was good before. A revision whose deployment failed, was " +
			"stopped or was rolled back is deployed again by its number.",
		DefaultStatus: http.StatusOK, Errors: errs,
	}, s.rollBack)
}

// ChosenToken is the token of a deployment that needs none of the environment's.
type ChosenToken struct {
	DeploymentToken string `query:"deploymentToken" doc:"A UUID of the caller's, by which the request may be repeated: it answers with the same deployment. One is made if none is given."`
}

// Resolve checks the token's form.
func (in *ChosenToken) Resolve(huma.Context) []error {
	if in.DeploymentToken == "" || tokenRegexp.MatchString(in.DeploymentToken) {
		return nil
	}
	return []error{wrong("query.deploymentToken", shorten(in.DeploymentToken), "this is no UUID: leave it out, or give one that matches %s", tokenPattern)}
}

// token is the caller's, or a new one.
func (s *server) token(in ChosenToken) string {
	if in.DeploymentToken == "" {
		return s.NewID()
	}
	return strings.ToLower(in.DeploymentToken)
}

type restartInput struct {
	EnvironmentPath
	DryRun
	ChosenToken
}

func (s *server) restart(ctx context.Context, in *restartInput) (*changedOutput, error) {
	token := s.token(in.ChosenToken)
	for range writeTries {
		env, before, err := s.inForce(ctx, in.Name)
		if err != nil {
			return nil, err
		}
		out, err := s.redeploy(ctx, env, daemon.Deployment{Revision: before.Target(), Token: token, Restart: true}, in.DryRun.DryRun)
		if !errors.Is(err, table.ErrConflict) {
			return out, err
		}
	}
	return nil, tooBusy(in.Name)
}

// redeploy makes a deployment, or its plan, unless its token has made one before. ErrConflict: the environment changed.
func (s *server) redeploy(ctx context.Context, env daemon.Environment, dep daemon.Deployment, dry bool) (*changedOutput, error) {
	if strings.EqualFold(dep.Token, env.DeploymentToken) {
		return nil, badRequest(wrong("query.deploymentToken", dep.Token, "this is the environment's token, which deploys its newest revision: "+
			"give another, or none"))
	}
	made, err := s.Daemon.DeploymentByToken(ctx, env.ID, dep.Token)
	switch {
	case err == nil && dry:
		return planned(s.dryRun(ctx, env, nil))
	case err == nil:
		return s.changedOutput(ctx, env, made)
	case !errors.Is(err, table.ErrNotFound):
		return nil, err
	}
	if err := s.checkRunnable(ctx, env, dep.Revision); err != nil {
		return nil, err
	}
	dep = s.newDeployment(ctx, env, dep)
	if dry {
		return planned(s.dryRun(ctx, env, func(snapshot *daemon.Snapshot) error { return s.under(ctx, snapshot, dep) }))
	}
	if err := s.Daemon.CreateDeployment(ctx, env, dep); err != nil {
		return nil, err
	}
	s.wake(ctx, env.ID)
	return s.changedOutput(ctx, env, dep)
}

// newDeployment is a deployment with what every new one has.
func (s *server) newDeployment(ctx context.Context, env daemon.Environment, dep daemon.Deployment) daemon.Deployment {
	dep.ID, dep.EnvironmentID, dep.Status, dep.BasedOn = s.NewID(), env.ID, daemon.DeploymentPending, env.LastGoodRevision
	dep.CreatedAt, dep.CreatedBy = s.Now(), callerOf(ctx)
	return dep
}

type rollBackInput struct {
	EnvironmentPath
	DryRun
	ChosenToken
	To int `query:"to" minimum:"0" doc:"Number of the revision to bring back; 0, or none, is the last good one."`
}

func (s *server) rollBack(ctx context.Context, in *rollBackInput) (*changedOutput, error) {
	token := s.token(in.ChosenToken)
	for range writeTries {
		env, dep, err := s.inForce(ctx, in.Name)
		if err != nil {
			return nil, err
		}
		if in.To != 0 {
			if _, err := s.revisionOf(ctx, env, in.To); err != nil {
				return nil, err
			}
		}
		out, err := s.rolledBackBefore(ctx, env, in, token)
		if out != nil || err != nil {
			return out, err
		}
		if dep.Status.Ended() {
			out, err = s.redeployOlder(ctx, env, dep, in, token)
		} else {
			out, err = s.turnBack(ctx, env, dep, in)
		}
		if !errors.Is(err, table.ErrConflict) {
			return out, err
		}
	}
	return nil, tooBusy(in.Name)
}

// rolledBackBefore answers a request that was made before, as the deployment that it made is now; nil if it made none. A
// repetition must not turn that one back: it would undo what was asked for.
func (s *server) rolledBackBefore(ctx context.Context, env daemon.Environment, in *rollBackInput, token string) (*changedOutput, error) {
	if in.DeploymentToken == "" || strings.EqualFold(token, env.DeploymentToken) {
		return nil, nil
	}
	made, err := s.Daemon.DeploymentByToken(ctx, env.ID, token)
	switch {
	case errors.Is(err, table.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case in.DryRun.DryRun:
		return planned(s.dryRun(ctx, env, nil))
	}
	return s.changedOutput(ctx, env, made)
}

// turnBack makes a deployment that has not ended bring the older revision back.
func (s *server) turnBack(ctx context.Context, env daemon.Environment, dep daemon.Deployment, in *rollBackInput) (*changedOutput, error) {
	by := daemon.Operator{By: callerOf(ctx)}
	why := "undone"
	if by.By != "" {
		why += " by " + by.By
	}
	turned, err := dep.RollBack(in.To, why, s.Now())
	if err != nil {
		return nil, notPossible(err)
	}
	if err := s.checkRunnable(ctx, env, turned.RollbackTo); err != nil {
		return nil, err
	}
	if in.DryRun.DryRun {
		return planned(s.dryRun(ctx, env, func(snapshot *daemon.Snapshot) error { return s.under(ctx, snapshot, turned) }))
	}
	if turned, err = s.Daemon.AdvanceDeployment(ctx, turned); err != nil {
		return nil, err
	}
	s.told(ctx, env, turned, "rollback", by)
	s.wake(ctx, env.ID)
	return s.changedOutput(ctx, env, turned)
}

// redeployOlder makes a new deployment of an older revision. What was rolled back to that revision already stays as it is,
// so that the request may be repeated.
func (s *server) redeployOlder(
	ctx context.Context, env daemon.Environment, ended daemon.Deployment, in *rollBackInput, token string,
) (*changedOutput, error) {
	if ended.Status == daemon.DeploymentRolledBack && (in.To == 0 || in.To == ended.RollbackTo) {
		if in.DryRun.DryRun {
			return planned(s.dryRun(ctx, env, nil))
		}
		return s.changedOutput(ctx, env, ended)
	}
	to := in.To
	if to == 0 {
		to = goodBefore(env, ended)
	}
	switch {
	case to == 0:
		return nil, conflicted("Environment %s has no good revision before the one that is deployed, %d: say which by to", env.Name, ended.Target())
	case to == ended.Target() && ended.Status != daemon.DeploymentFailed && ended.Status != daemon.DeploymentStopped:
		return nil, conflicted("Revision %d of environment %s is the one that is deployed: restart gives every host a new task of it", to, env.Name)
	}
	return s.redeploy(ctx, env, daemon.Deployment{Revision: to, Token: token}, in.DryRun.DryRun)
}

// goodBefore is the revision that was good before an ended deployment: what a completed one was based on, and otherwise the
// last good one. 0 is none.
func goodBefore(env daemon.Environment, ended daemon.Deployment) int {
	if ended.Status != daemon.DeploymentCompleted {
		return env.LastGoodRevision
	}
	if ended.BasedOn == ended.Target() {
		return 0 // a restart: it came from the same
	}
	return ended.BasedOn
}
