package httpapi

import (
	"context"
	"errors"
	"fmt"
	"time"

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
		return s.definitionDryRun(ctx, name, d, nil, in.Force)
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
func (s *server) definitionDryRun(ctx context.Context, name string, d definition, base *int, force bool) (*writtenOutput, error) {
	env, before, err := s.standing(ctx, name, d, base)
	if err != nil {
		return nil, err
	}
	if err := s.checkEffects(ctx, env, before, d.content, force); err != nil {
		return nil, err
	}
	plan, err := s.planOfDefinition(ctx, env, before, d)
	return &writtenOutput{Body: orPlan[client.Environment]{Plan: &plan}}, err
}

// checkEffects refuses what a revision would do outside of its environment. before is the one that it follows; nil is none.
func (s *server) checkEffects(ctx context.Context, env daemon.Environment, before *daemon.Revision, rev daemon.Revision, force bool) error {
	if before == nil || before.MigrateFrom != rev.MigrateFrom {
		if err := s.checkMigration(ctx, rev); err != nil {
			return err
		}
	}
	if force || before != nil && samePlacement(env, *before, rev) { // what it places already, it was let place
		return nil
	}
	if before != nil {
		if err := s.checkLeavesAll(ctx, env, *before, rev); err != nil {
			return err
		}
	}
	return s.checkOverlap(ctx, env.Name, rev)
}

func (s *server) storeNew(ctx context.Context, name string, d definition, force bool) (daemon.Environment, error) {
	err := s.checkEffects(ctx, daemon.Environment{Name: name}, nil, d.content, force)
	if err != nil {
		return daemon.Environment{}, err
	}
	if d, err = s.copied(ctx, name, d); err != nil {
		return daemon.Environment{}, err
	}
	env, rev, err := s.made(ctx, name, d)
	if err != nil {
		return env, err
	}
	return env, s.Daemon.CreateEnvironment(ctx, env, rev)
}

// made is a new environment with its first revision, not stored yet.
func (s *server) made(ctx context.Context, name string, d definition) (daemon.Environment, daemon.Revision, error) {
	now := s.Now()
	env := daemon.Environment{
		ID: s.NewID(), Name: name, Status: daemon.EnvironmentActive, Clusters: d.clusters, Partition: d.partition,
		Revision: 1, DeploymentToken: s.NewID(), CreatedAt: now, UpdatedAt: now,
	}
	var err error
	if env.FormerIDs, err = s.former(ctx, name, now); err != nil {
		return env, daemon.Revision{}, err
	}
	rev := d.revision(env.ID, 1)
	rev.CreatedAt = now
	return env, rev, nil
}

// former are the environments that a new one of the name takes over from: the last one, if its tasks were left running when
// it was deleted and that is still known, and those from which that one had taken over.
func (s *server) former(ctx context.Context, name string, now time.Time) ([]string, error) {
	last, err := s.Daemon.DeletedEnvironment(ctx, name, now)
	if errors.Is(err, table.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for an environment %s that was deleted: %w", name, err)
	}
	if !last.Environment.KeepTasks {
		return nil, nil
	}
	ids := append([]string{last.Environment.ID}, last.Environment.FormerIDs...)
	return ids[:min(len(ids), daemon.MaxFormerIDs)], nil
}
