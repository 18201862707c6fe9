package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/table"
)

// Scheduler is what the scheduler knows. The API asks it so that a plan is made from exactly what the scheduler would
// make it from.
type Scheduler interface {
	// Snapshot reads all that is known of an environment. table.ErrNotFound says that there is none.
	Snapshot(ctx context.Context, environmentID string) (daemon.Snapshot, error)
	// SnapshotOf reads what would be known of an environment if it were like this and ran that revision. It need not be stored,
	// and the snapshot has no deployment.
	SnapshotOf(ctx context.Context, env daemon.Environment, rev daemon.Revision) (daemon.Snapshot, error)
	// Conditions reads what a snapshot's deployment depends on outside of its hosts: the states of its alarms, and its task
	// definitions that are INACTIVE.
	Conditions(ctx context.Context, s daemon.Snapshot) (alarms map[string]string, inactive map[string]bool)
}

// DryRun is what every changing request takes.
type DryRun struct {
	DryRun bool `query:"dryRun" doc:"true stores nothing and does nothing: the answer is a Plan of what the request would bring about."`
}

// orPlan is the body of an answer to a request that may be a dry run: the plan if there is one.
type orPlan[T any] struct {
	Done *T
	Plan *client.Plan
}

// MarshalJSON writes the one that there is.
func (b orPlan[T]) MarshalJSON() ([]byte, error) {
	if b.Plan != nil {
		return json.Marshal(b.Plan)
	}
	return json.Marshal(b.Done)
}

// Schema describes both.
func (orPlan[T]) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[T](), true, ""), r.Schema(reflect.TypeFor[client.Plan](), true, ""),
	}}
}

func (s *server) registerPlan(api huma.API) {
	handle(s, api, huma.Operation{
		OperationID: "planEnvironment", Method: http.MethodPost, Path: "/v1/environments/{name}/plan", Tags: []string{"environments"},
		Summary: "Tell what the scheduler would do",
		Description: "Without a body: at its next look, and from there on. With a definition: what it would do if the environment had " +
			"that definition, and it were deployed. Nothing is stored or done. What others do on the same hosts is not looked at: PUT with " +
			"dryRun=true refuses what a PUT would refuse.",
		DefaultStatus: http.StatusOK, MaxBodyBytes: maxBodyBytes,
		Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusUnsupportedMediaType},
	}, s.planEnvironment)
}

type planInput struct {
	EnvironmentPath
	Body *client.EnvironmentDefinition
}

// Resolve checks the definition, if there is one.
func (in *planInput) Resolve(ctx huma.Context) []error {
	if in.Body == nil {
		return nil
	}
	put := putEnvironmentInput{EnvironmentPath: in.EnvironmentPath, Body: *in.Body}
	return put.Resolve(ctx)
}

type planOutput struct{ Body client.Plan }

func (s *server) planEnvironment(ctx context.Context, in *planInput) (*planOutput, error) {
	plan, err := s.planAsked(ctx, in)
	if err != nil {
		return nil, err
	}
	return &planOutput{Body: plan}, nil
}

func (s *server) planAsked(ctx context.Context, in *planInput) (client.Plan, error) {
	if in.Body == nil {
		env, err := s.environmentNamed(ctx, in.Name)
		if err != nil {
			return client.Plan{}, err
		}
		return s.dryRun(ctx, env, nil)
	}
	d, err := s.define(ctx, *in.Body)
	if err != nil {
		return client.Plan{}, err
	}
	env, before, err := s.standing(ctx, in.Name, d, in.Body.BaseRevision)
	if err != nil {
		return client.Plan{}, err
	}
	return s.planOfDefinition(ctx, env, before, d)
}

// planOfDefinition is the plan of an environment that is given a definition which is then deployed. before is its newest
// revision; nil is that there is no environment of that name yet.
func (s *server) planOfDefinition(ctx context.Context, env daemon.Environment, before *daemon.Revision, d definition) (client.Plan, error) {
	d, err := s.copyFound(ctx, env.Name, d)
	if err != nil {
		return client.Plan{}, err
	}
	if before == nil {
		return s.planOfNew(ctx, env.Name, d)
	}
	rev := *before
	if !d.same(env, rev) {
		rev = d.revision(env.ID, env.Revision+1)
		rev.CreatedAt = s.Now()
		env.Clusters = union(env.Clusters, d.clusters)
	}
	return s.dryRun(ctx, env, func(snapshot *daemon.Snapshot) error {
		if in := snapshot.Deployment; in != nil && in.Revision == rev.Number {
			return nil // it is deployed already: its token gives this deployment again
		}
		snapshot.Environment.Clusters = env.Clusters
		return s.underNew(ctx, snapshot, rev)
	})
}

// copyFound is a definition with its private copy of the task definition, if there is one already. One that is still to be
// registered is stood for by its source, which no host runs as a copy.
func (s *server) copyFound(ctx context.Context, name string, d definition) (definition, error) {
	if d.original == nil {
		return d, nil
	}
	place := d.clusters[0]
	api, err := s.ECS(place.Account, place.Region)
	if err != nil {
		return d, badRequest(err)
	}
	family := copyFamily(name)
	arn, err := newestCopy(ctx, api, family, registration(*d.original, family))
	if err != nil {
		return d, err
	}
	d.content.SourceTaskDefinition = *d.original.task.TaskDefinitionArn
	d.content.TaskDefinition = cmp.Or(arn, d.content.SourceTaskDefinition)
	return d, nil
}

// planOfNew is the plan of an environment that does not exist yet, once it was deployed.
func (s *server) planOfNew(ctx context.Context, name string, d definition) (client.Plan, error) {
	env, rev, err := s.made(ctx, name, d)
	if err != nil {
		return client.Plan{}, err
	}
	snapshot, err := s.Scheduler.SnapshotOf(ctx, env, rev)
	if err != nil {
		return client.Plan{}, fmt.Errorf("reading the hosts that environment %s would have: %w", name, err)
	}
	if err := s.underNew(ctx, &snapshot, rev); err != nil {
		return client.Plan{}, err
	}
	snapshot.Alarms, snapshot.Inactive = s.Scheduler.Conditions(ctx, snapshot)
	return s.planOf(snapshot), nil
}

// dryRun is the plan of an environment after a change, which is made to what the scheduler knows and nowhere else. nil
// changes nothing. A change that brings another deployment or revision makes it with under or underNew.
func (s *server) dryRun(ctx context.Context, env daemon.Environment, change func(*daemon.Snapshot) error) (client.Plan, error) {
	snapshot, err := s.Scheduler.Snapshot(ctx, env.ID)
	if errors.Is(err, table.ErrNotFound) {
		return client.Plan{}, unknownEnvironment(env.Name)
	}
	if err != nil {
		return client.Plan{}, fmt.Errorf("reading what is known of environment %s: %w", env.Name, err)
	}
	before := snapshot.Revision
	if change == nil {
		return s.planOf(snapshot), nil
	}
	if err := change(&snapshot); err != nil {
		return client.Plan{}, err
	}
	if err := s.readAnew(ctx, &snapshot, before); err != nil {
		return client.Plan{}, fmt.Errorf("reading the hosts that environment %s would have: %w", env.Name, err)
	}
	snapshot.Alarms, snapshot.Inactive = s.Scheduler.Conditions(ctx, snapshot)
	return s.planOf(snapshot), nil
}

// readAnew reads a snapshot's hosts and tasks again if another revision makes other ones count: what is read of a host
// depends on what the revision asks of it.
func (s *server) readAnew(ctx context.Context, snapshot *daemon.Snapshot, before daemon.Revision) error {
	env, after := snapshot.Environment, snapshot.Revision
	if slices.Equal(clustersOf(env, before), clustersOf(env, after)) && before.MigrateFrom == after.MigrateFrom &&
		before.ReleaseIdleHosts == after.ReleaseIdleHosts && before.DrainPriority == after.DrainPriority {
		return nil
	}
	read, err := s.Scheduler.SnapshotOf(ctx, env, after)
	if err != nil {
		return err
	}
	snapshot.Hosts, snapshot.Slots, snapshot.Tasks, snapshot.Clusters = read.Hosts, read.Slots, read.Tasks, read.Clusters
	return nil
}

// under puts a deployment in force in the snapshot, as the scheduler would find it once it is stored. Revisions that are
// not stored are given.
func (s *server) under(ctx context.Context, snapshot *daemon.Snapshot, dep daemon.Deployment, unstored ...daemon.Revision) error {
	revision := func(number int) (daemon.Revision, error) {
		for _, rev := range unstored {
			if rev.Number == number {
				return rev, nil
			}
		}
		rev, err := s.Daemon.Revision(ctx, snapshot.Environment.ID, number)
		if errors.Is(err, table.ErrNotFound) {
			return rev, notFound("Environment %s has no revision %d", snapshot.Environment.Name, number)
		}
		return rev, err
	}
	var err error
	if snapshot.Revision, err = revision(dep.Target()); err != nil {
		return err
	}
	snapshot.Base = nil
	if dep.BasedOn != 0 && dep.BasedOn != dep.Target() {
		base, err := revision(dep.BasedOn)
		if err != nil {
			return err
		}
		snapshot.Base = &base
	}
	snapshot.From = nil
	if dep.Revision != dep.Target() {
		from, err := revision(dep.Revision)
		if err != nil {
			return err
		}
		snapshot.From = &from
	}
	snapshot.Deployment, snapshot.Environment.DeploymentID, snapshot.Full = &dep, dep.ID, true
	return nil
}

// underNew puts a new deployment of a revision in force in the snapshot.
func (s *server) underNew(ctx context.Context, snapshot *daemon.Snapshot, rev daemon.Revision) error {
	env := &snapshot.Environment
	env.Revision = max(env.Revision, rev.Number)
	return s.under(ctx, snapshot, daemon.Deployment{
		ID: s.NewID(), EnvironmentID: env.ID, Revision: rev.Number, BasedOn: env.LastGoodRevision,
		Status: daemon.DeploymentPending, CreatedAt: s.Now(),
	}, rev)
}
