package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/table"
)

type deleteEnvironmentInput struct {
	EnvironmentPath
	DryRun
	TerminateTasks string `query:"terminateTasks" enum:"true,false" doc:"true stops the environment's tasks, false leaves them running without an owner. Needed if there are any."`
}

// deleteEnvironmentOutput has no body but that of a dry run.
type deleteEnvironmentOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *server) deleteEnvironment(ctx context.Context, in *deleteEnvironmentInput) (*deleteEnvironmentOutput, error) {
	done := &deleteEnvironmentOutput{ContentType: "application/json; charset=UTF-8"}
	for range writeTries {
		env, err := s.environmentNamed(ctx, in.Name)
		if isNotFound(err) && !in.DryRun.DryRun {
			return done, nil
		}
		if err != nil {
			return nil, err
		}
		env, change, err := s.deleting(ctx, env, in.TerminateTasks)
		if err != nil {
			return nil, err
		}
		if in.DryRun.DryRun {
			done.Body, err = s.deletionDryRun(ctx, env)
			return done, err
		}
		if change {
			err = s.Daemon.UpdateEnvironment(ctx, env, nil)
		}
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

func (s *server) deletionDryRun(ctx context.Context, env daemon.Environment) ([]byte, error) {
	plan, err := s.dryRun(ctx, env, func(snapshot *daemon.Snapshot) error {
		snapshot.Environment.Status, snapshot.Environment.KeepTasks, snapshot.Full = env.Status, env.KeepTasks, true
		return nil
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(plan)
}

// deleting is the environment as it is to be for its deletion: the rest is the scheduler's, which takes the tasks away first
// and the environment last. change says that it is not so yet.
func (s *server) deleting(ctx context.Context, env daemon.Environment, terminate string) (deleting daemon.Environment, change bool, err error) {
	keep := terminate == "false"
	if env.Status == daemon.EnvironmentDeleting && (terminate == "" || env.KeepTasks == keep) {
		return env, false, nil
	}
	if terminate == "" {
		running, err := s.tasksOf(ctx, env)
		if err != nil {
			return env, false, err
		}
		if running > 0 {
			return env, false, conflicted("Environment %s has tasks on %d hosts: give terminateTasks=true to stop them, or "+
				"terminateTasks=false to leave them running without an owner", env.Name, running)
		}
	}
	env.Status, env.KeepTasks, env.UpdatedAt = daemon.EnvironmentDeleting, keep, s.Now()
	return env, true, nil
}

// tasksOf counts the hosts that have a task of the environment, or may have one: slots are claimed before ECS is asked.
func (s *server) tasksOf(ctx context.Context, env daemon.Environment) (int, error) {
	slots, err := s.Daemon.Slots(ctx, env.ID)
	if err != nil {
		return 0, err
	}
	return len(slots) - len(slices.DeleteFunc(slots, func(slot daemon.Slot) bool { return slot.State != daemon.SlotIdle })), nil
}
