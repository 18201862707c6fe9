package httpapi

import (
	"context"
	"errors"
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

type createEnvironmentInput struct {
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

func (s *server) createEnvironment(ctx context.Context, in *createEnvironmentInput) (*environmentOutput, error) {
	d, err := s.define(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	env, err := s.storeNew(ctx, in.Body.Name, d)
	if errors.Is(err, table.ErrExists) {
		return nil, conflicted("An environment with name %s already exists, or is still being deleted: "+
			"update it with PUT /v1/environments/%s, or choose another name", in.Body.Name, in.Body.Name)
	}
	if err != nil {
		return nil, err
	}
	return s.environmentOutput(ctx, env)
}

func (s *server) storeNew(ctx context.Context, name string, d definition) (daemon.Environment, error) {
	now := s.Now()
	env := daemon.Environment{
		ID: s.NewID(), Name: name, Status: daemon.EnvironmentActive, Clusters: d.clusters, Partition: d.partition,
		Revision: 1, DeploymentToken: s.NewID(), CreatedAt: now, UpdatedAt: now,
	}
	rev := d.revision(env.ID, 1)
	rev.CreatedAt = now
	return env, s.Daemon.CreateEnvironment(ctx, env, rev)
}

type putEnvironmentInput struct {
	EnvironmentPath
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

func (s *server) putEnvironment(ctx context.Context, in *putEnvironmentInput) (*environmentOutput, error) {
	d, err := s.define(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	for range writeTries {
		env, err := s.put(ctx, in, d)
		if errors.Is(err, table.ErrConflict) || errors.Is(err, table.ErrExists) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return s.environmentOutput(ctx, env)
	}
	return nil, tooBusy(in.Name)
}

func tooBusy(name string) error {
	return conflicted("Environment %s was changed by others again and again: read it, and try again", name)
}

// put decides once, on what is stored now.
func (s *server) put(ctx context.Context, in *putEnvironmentInput, d definition) (daemon.Environment, error) {
	base := in.Body.BaseRevision
	env, err := s.Daemon.EnvironmentByName(ctx, in.Name)
	if errors.Is(err, table.ErrNotFound) {
		if base != nil && *base != 0 {
			return env, conflicted("Environment %s does not exist, and baseRevision is %d: leave it out, or give 0, to create it", in.Name, *base)
		}
		return s.storeNew(ctx, in.Name, d)
	}
	if err != nil {
		return env, err
	}
	if env.Status != daemon.EnvironmentActive {
		return env, conflicted("Environment %s is being deleted: try again when GET /v1/environments/%s answers 404", env.Name, env.Name)
	}
	if base != nil && *base != env.Revision {
		return env, conflicted("baseRevision is %d, and the current revision of environment %s is %d: read it, and make the change from there",
			*base, env.Name, env.Revision)
	}
	if !sameClusters(env.Clusters, d.clusters) {
		return env, conflicted("Environment %s is on other clusters, which cannot be changed: delete it and create it anew", env.Name)
	}
	rev, err := s.Daemon.Revision(ctx, env.ID, env.Revision)
	if err != nil {
		return env, err
	}
	if d.same(rev) {
		return env, nil
	}
	env.Revision++
	env.DeploymentToken, env.UpdatedAt = s.NewID(), s.Now()
	next := d.revision(env.ID, env.Revision)
	next.CreatedAt = env.UpdatedAt
	return env, s.Daemon.UpdateEnvironment(ctx, env, &next)
}

func sameClusters(a, b []state.ClusterKey) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.SortFunc(a, state.ClusterKey.Compare)
	slices.SortFunc(b, state.ClusterKey.Compare)
	return slices.Equal(a, b)
}

type deleteEnvironmentInput struct {
	EnvironmentPath
	TerminateTasks string `query:"terminateTasks" enum:"true,false" doc:"true stops the environment's tasks, false leaves them running without an owner. Needed if there are any."`
}

type deleteEnvironmentOutput struct {
	ContentType string `header:"Content-Type"`
}

func (s *server) deleteEnvironment(ctx context.Context, in *deleteEnvironmentInput) (*deleteEnvironmentOutput, error) {
	done := &deleteEnvironmentOutput{ContentType: "application/json; charset=UTF-8"}
	for range writeTries {
		env, err := s.environmentNamed(ctx, in.Name)
		if isNotFound(err) {
			return done, nil
		}
		if err != nil {
			return nil, err
		}
		err = s.markDeleting(ctx, env, in.TerminateTasks)
		if errors.Is(err, table.ErrConflict) {
			continue
		}
		if err != nil {
			return nil, err
		}
		s.wake(ctx, env.ID)
		return done, nil
	}
	return nil, tooBusy(in.Name)
}

// markDeleting leaves the rest to the scheduler, which takes the tasks away first and the environment last.
func (s *server) markDeleting(ctx context.Context, env daemon.Environment, terminate string) error {
	keep := terminate == "false"
	if env.Status == daemon.EnvironmentDeleting && (terminate == "" || env.KeepTasks == keep) {
		return nil
	}
	if terminate == "" {
		running, err := s.tasksOf(ctx, env)
		if err != nil {
			return err
		}
		if running > 0 {
			return conflicted("Environment %s has tasks on %d hosts: give terminateTasks=true to stop them, or "+
				"terminateTasks=false to leave them running without an owner", env.Name, running)
		}
	}
	env.Status, env.KeepTasks, env.UpdatedAt = daemon.EnvironmentDeleting, keep, s.Now()
	return s.Daemon.UpdateEnvironment(ctx, env, nil)
}

// tasksOf counts the hosts that have a task of the environment, or may have one: slots are claimed before ECS is asked.
func (s *server) tasksOf(ctx context.Context, env daemon.Environment) (int, error) {
	slots, err := s.Daemon.Slots(ctx, env.ID)
	if err != nil {
		return 0, err
	}
	return len(slots) - len(slices.DeleteFunc(slots, func(slot daemon.Slot) bool { return slot.State != daemon.SlotIdle })), nil
}

// wake makes the scheduler look at the whole environment now. A lost wake-up costs time only: the next tick finds the
// environment due.
func (s *server) wake(ctx context.Context, environmentID string) {
	if err := wakeup.Send(ctx, s.Wakeups, 0, wakeup.Wakeup{EnvironmentID: environmentID}); err != nil {
		s.Logger.WarnContext(ctx, "sending a wake-up failed; the next tick will do its work", "error", err,
			"environmentId", environmentID, "requestId", requestIDOf(ctx))
	}
}
