package httpapi

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/table"
)

// tokenPattern is that of Blox v0.3.0, in any case.
const tokenPattern = `^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`

var tokenRegexp = regexp.MustCompile(tokenPattern)

type createDeploymentInput struct {
	EnvironmentPath
	DeploymentToken string `query:"deploymentToken" doc:"Required: the UUID that the environment shows as deploymentToken."`
	DryRun
}

// Resolve checks the token's form.
func (in *createDeploymentInput) Resolve(huma.Context) []error {
	if tokenRegexp.MatchString(in.DeploymentToken) {
		return nil
	}
	what := "this is no UUID"
	if in.DeploymentToken == "" {
		what = "the deployment token is missing"
	}
	return []error{wrong("query.deploymentToken", shorten(in.DeploymentToken),
		"%s: give the environment's deploymentToken, which matches %s", what, tokenPattern)}
}

type deploymentOutput struct{ Body client.Deployment }

func (s *server) createDeployment(ctx context.Context, in *createDeploymentInput) (*changedOutput, error) {
	token := strings.ToLower(in.DeploymentToken)
	for range writeTries {
		env, err := s.environmentNamed(ctx, in.Name)
		if err != nil {
			return nil, err
		}
		out, err := s.deploy(ctx, env, token, in.DryRun.DryRun)
		if !errors.Is(err, table.ErrConflict) {
			return out, err
		}
	}
	return nil, tooBusy(in.Name)
}

// deploy gives the token's deployment, and makes it if there is none yet, or tells its plan.
func (s *server) deploy(ctx context.Context, env daemon.Environment, token string, dry bool) (*changedOutput, error) {
	if !strings.EqualFold(token, env.DeploymentToken) {
		return nil, badRequest(wrong("query.deploymentToken", token,
			"Token '%s' is outdated and does not match the environment token '%s'", token, env.DeploymentToken))
	}
	if env.Status != daemon.EnvironmentActive {
		return nil, conflicted("Environment %s is being deleted: it takes no deployments any more", env.Name)
	}
	dep, err := s.Daemon.DeploymentByToken(ctx, env.ID, token)
	made := err == nil
	switch {
	case made:
	case errors.Is(err, table.ErrNotFound):
		if err := s.checkRunnable(ctx, env, env.Revision); err != nil {
			return nil, err
		}
		dep = s.newDeployment(ctx, env, daemon.Deployment{Revision: env.Revision, Token: token})
	default:
		return nil, err
	}
	if dry {
		return planned(s.dryRun(ctx, env, func(snapshot *daemon.Snapshot) error {
			if made {
				return nil
			}
			return s.under(ctx, snapshot, dep)
		}))
	}
	if !made {
		if err := s.Daemon.CreateDeployment(ctx, env, dep); err != nil {
			return nil, err
		}
	}
	s.wake(ctx, env.ID)
	return s.changedOutput(ctx, env, dep)
}

func (s *server) deploymentOutput(ctx context.Context, env daemon.Environment, dep daemon.Deployment) (*deploymentOutput, error) {
	views, err := s.deploymentViews(ctx, env, []daemon.Deployment{dep})
	if err != nil {
		return nil, err
	}
	return &deploymentOutput{Body: views[0]}, nil
}

type getDeploymentInput struct {
	EnvironmentPath
	ID string `path:"id" maxLength:"255" doc:"The deployment's id."`
}

func (s *server) getDeployment(ctx context.Context, in *getDeploymentInput) (*deploymentOutput, error) {
	env, dep, err := s.deploymentOf(ctx, in.Name, in.ID)
	if err != nil {
		return nil, err
	}
	return s.deploymentOutput(ctx, env, dep)
}

type listDeploymentsInput struct {
	EnvironmentPath
	Limit     int    `query:"limit" minimum:"1" maximum:"100" default:"100" doc:"Most items of a page."`
	NextToken string `query:"nextToken" maxLength:"2048" doc:"From the page before."`
	// Clients generated from v0.3.0's description send it with every call of this path.
	DeploymentToken string `query:"deploymentToken" deprecated:"true" doc:"Ignored; accepted for clients of Blox v0.3.0."`
}

type listDeploymentsOutput struct{ Body client.DeploymentPage }

func (s *server) listDeployments(ctx context.Context, in *listDeploymentsInput) (*listDeploymentsOutput, error) {
	env, err := s.environmentNamed(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	list := listFingerprint("deployments", env.ID)
	after, err := nameAfter(in.NextToken, list)
	if err != nil {
		return nil, badRequest(wrong("query.nextToken", shorten(in.NextToken), "%s", err))
	}
	page, next, err := s.Daemon.Deployments(ctx, env.ID, in.Limit, after)
	if err != nil {
		return nil, err
	}
	out := &listDeploymentsOutput{}
	if out.Body.Items, err = s.deploymentViews(ctx, env, page); err != nil {
		return nil, err
	}
	if next != "" {
		out.Body.NextToken, err = encodeToken(pageToken{List: list, ID: next})
	}
	return out, err
}
