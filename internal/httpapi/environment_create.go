package httpapi

import (
	"context"
	"errors"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/table"
)

type createEnvironmentInput struct {
	DryRun
	Forced
	Body client.EnvironmentDefinition
}

// Resolve checks the definition, and what a create wants beyond an update.
func (in *createEnvironmentInput) Resolve(ctx huma.Context) []error {
	errs := serverOf(ctx).checkDefinition(in.Body)
	if in.Body.Name == "" {
		errs = append(errs, wrong("body.name", nil, "name is required: 1 to 30 letters, digits, hyphens or underscores"))
	}
	if in.Body.BaseRevision != nil {
		errs = append(errs, wrong("body.baseRevision", *in.Body.BaseRevision, "only an update (PUT) takes a base revision"))
	}
	return errs
}

// writtenOutput is an environment that was written, or the plan of a dry run.
type writtenOutput struct {
	Body orPlan[client.Environment]
}

func (s *server) writtenOutput(ctx context.Context, env daemon.Environment) (*writtenOutput, error) {
	view, err := s.environmentView(ctx, env)
	return &writtenOutput{Body: orPlan[client.Environment]{Done: &view}}, err
}

func (s *server) createEnvironment(ctx context.Context, in *createEnvironmentInput) (*writtenOutput, error) {
	d, err := s.define(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	name := in.Body.Name
	_, err = s.Daemon.EnvironmentByName(ctx, name)
	if err == nil {
		return nil, nameTaken(name)
	}
	if !errors.Is(err, table.ErrNotFound) {
		return nil, err
	}
	if in.DryRun.DryRun {
		return s.definitionDryRun(ctx, name, in.Body, d, in.Force)
	}
	env, err := s.storeNew(ctx, name, d, in.Force)
	if errors.Is(err, table.ErrExists) {
		return nil, nameTaken(name)
	}
	if err != nil {
		return nil, err
	}
	return s.writtenOutput(ctx, env)
}

func nameTaken(name string) error {
	return conflicted("An environment with name %s already exists, or is still being deleted: "+
		"update it with PUT /v1/environments/%s, or choose another name", name, name)
}

// definitionDryRun is the plan of a definition that is deployed, once it has passed the checks of a write.
func (s *server) definitionDryRun(
	ctx context.Context, name string, body client.EnvironmentDefinition, d definition, force bool,
) (*writtenOutput, error) {
	if !force {
		if err := s.checkOverlap(ctx, name, d.content); err != nil {
			return nil, err
		}
	}
	plan, err := s.planOfDefinition(ctx, name, body)
	return &writtenOutput{Body: orPlan[client.Environment]{Plan: &plan}}, err
}

// prepared is the definition when all is done for a revision of it to be stored: what it would do to others is checked, and
// its private task definition is there.
func (s *server) prepared(ctx context.Context, name string, d definition, force bool) (definition, error) {
	if !force {
		if err := s.checkOverlap(ctx, name, d.content); err != nil {
			return d, err
		}
	}
	return s.copied(ctx, name, d)
}

func (s *server) storeNew(ctx context.Context, name string, d definition, force bool) (daemon.Environment, error) {
	if err := s.checkMigration(ctx, d.content); err != nil {
		return daemon.Environment{}, err
	}
	d, err := s.prepared(ctx, name, d, force)
	if err != nil {
		return daemon.Environment{}, err
	}
	now := s.Now()
	env := daemon.Environment{
		ID: s.NewID(), Name: name, Status: daemon.EnvironmentActive, Clusters: d.clusters, Partition: d.partition,
		Revision: 1, DeploymentToken: s.NewID(), CreatedAt: now, UpdatedAt: now,
	}
	rev := d.revision(env.ID, 1)
	rev.CreatedAt = now
	return env, s.Daemon.CreateEnvironment(ctx, env, rev)
}
