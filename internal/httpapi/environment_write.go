package httpapi

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/wakeup"
)

// writeTries is how often a write is decided anew when somebody else was faster.
const writeTries = 4

// Forced is what a request takes that may be refused for what other environments do.
type Forced struct {
	Force bool `query:"force" doc:"true lets the environment place a task definition on hosts where another one places one of that family already, and lets a change take the daemon from every host."`
}

type putEnvironmentInput struct {
	EnvironmentPath
	DryRun
	Forced
	Body client.EnvironmentDefinition
}

// Resolve checks the definition, and that path and body name the same environment.
func (in *putEnvironmentInput) Resolve(ctx huma.Context) []error {
	errs := serverOf(ctx).checkDefinition(in.Body)
	if err := daemon.ValidateName(in.Name); err != nil {
		errs = append(errs, wrong("path.name", shorten(in.Name), "%s", err))
	}
	if in.Body.Name != "" && in.Body.Name != in.Name {
		errs = append(errs, wrong("body.name", shorten(in.Body.Name), "the path names environment %s: an environment cannot be renamed", shorten(in.Name)))
	}
	return errs
}

func (s *server) putEnvironment(ctx context.Context, in *putEnvironmentInput) (*writtenOutput, error) {
	d, err := s.define(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	if in.DryRun.DryRun {
		return s.definitionDryRun(ctx, in.Name, d, in.Body.BaseRevision, in.Force)
	}
	for range writeTries {
		env, err := s.put(ctx, in, d)
		if errors.Is(err, table.ErrConflict) || errors.Is(err, table.ErrExists) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return s.writtenOutput(ctx, env)
	}
	return nil, tooBusy(in.Name)
}

func tooBusy(name string) error {
	return conflicted("Environment %s was changed by others again and again: read it, and try again", name)
}

// put decides once, on what is stored now.
func (s *server) put(ctx context.Context, in *putEnvironmentInput, d definition) (daemon.Environment, error) {
	env, before, err := s.standing(ctx, in.Name, d, in.Body.BaseRevision)
	if err != nil {
		return env, err
	}
	if before == nil {
		return s.storeNew(ctx, in.Name, d, in.Force)
	}
	if err := s.checkEffects(ctx, env, before, d.content, in.Force); err != nil {
		return env, err
	}
	if d, err = s.copied(ctx, env.Name, d); err != nil {
		return env, err
	}
	if d.same(env, *before) {
		return env, nil
	}
	env.Revision++
	env.DeploymentToken, env.UpdatedAt = s.NewID(), s.Now()
	next := d.revision(env.ID, env.Revision)
	next.CreatedAt = env.UpdatedAt
	env.Clusters = union(env.Clusters, d.clusters)
	if err := s.Daemon.UpdateEnvironment(ctx, env, &next); err != nil {
		return env, err
	}
	env.RecordVersion++ // as it is stored now
	return env, nil
}

// standing is what a definition would follow: the environment of that name, and its newest revision. Without one before is
// nil, and of the environment only the name is known.
func (s *server) standing(ctx context.Context, name string, d definition, base *int) (env daemon.Environment, before *daemon.Revision, err error) {
	env, err = s.Daemon.EnvironmentByName(ctx, name)
	if errors.Is(err, table.ErrNotFound) {
		if base != nil && *base != 0 {
			return env, nil, conflicted("Environment %s does not exist, and baseRevision is %d: leave it out, or give 0, to create it", name, *base)
		}
		return daemon.Environment{Name: name}, nil, nil
	}
	if err != nil {
		return env, nil, err
	}
	if err := checkUpdate(env, d, base); err != nil {
		return env, nil, err
	}
	rev, err := s.Daemon.Revision(ctx, env.ID, env.Revision)
	if err != nil {
		return env, nil, fmt.Errorf("reading revision %d of environment %s: %w", env.Revision, name, err)
	}
	return env, &rev, nil
}

// checkUpdate says why an environment cannot be given a definition.
func checkUpdate(env daemon.Environment, d definition, base *int) error {
	if env.Status != daemon.EnvironmentActive {
		return conflicted("Environment %s is being deleted: try again when GET /v1/environments/%s answers 404", env.Name, env.Name)
	}
	if base != nil && *base != env.Revision {
		return conflicted("baseRevision is %d, and the current revision of environment %s is %d: read it, and make the change from there",
			*base, env.Name, env.Revision)
	}
	if len(env.Clusters) > 0 && !samePlace(env.Clusters[0], d.clusters[0]) {
		// Older revisions, which it may be rolled back to, have task definitions of the old place.
		return conflicted("Environment %s is in account %s, region %s, and cannot move to another: delete it and create it anew",
			env.Name, env.Clusters[0].Account, env.Clusters[0].Region)
	}
	if n := len(union(env.Clusters, d.clusters)); n > table.MaxClusters {
		return conflicted("Environment %s would have tasks in %d clusters until the change is deployed: allowed are %d", env.Name, n, table.MaxClusters)
	}
	return nil
}

// union keeps the clusters that the environment may have tasks on: the scheduler drops those that it has none on any more.
func union(have, more []state.ClusterKey) []state.ClusterKey {
	all := slices.Clone(have)
	for _, cluster := range more {
		if !slices.Contains(all, cluster) {
			all = append(all, cluster)
		}
	}
	return all
}

// wake makes the scheduler look at the whole environment now. A lost wake-up costs time only: the next tick finds the
// environment due.
func (s *server) wake(ctx context.Context, environmentID string) {
	if err := wakeup.Send(ctx, s.Wakeups, 0, wakeup.Wakeup{EnvironmentID: environmentID}); err != nil {
		s.Logger.WarnContext(ctx, "sending a wake-up failed; the next tick will do its work", "error", err,
			"environmentId", environmentID, "requestId", requestIDOf(ctx))
	}
}
