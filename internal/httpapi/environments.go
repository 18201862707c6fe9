package httpapi

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// EnvironmentPath names an environment. Its form is not checked: a name that cannot be is one that does not exist.
type EnvironmentPath struct {
	Name string `path:"name" doc:"The environment's name."`
}

// environmentNamed reads the environment that has the name.
func (s *server) environmentNamed(ctx context.Context, name string) (daemon.Environment, error) {
	if daemon.ValidateName(name) != nil {
		return daemon.Environment{}, unknownEnvironment(name)
	}
	env, err := s.Daemon.EnvironmentByName(ctx, name)
	if errors.Is(err, table.ErrNotFound) {
		return env, s.noEnvironment(ctx, name)
	}
	return env, err
}

// noEnvironment says of a name that no environment has when one had it.
func (s *server) noEnvironment(ctx context.Context, name string) error {
	deleted, err := s.Daemon.DeletedEnvironment(ctx, name, s.Now())
	if errors.Is(err, table.ErrNotFound) {
		return unknownEnvironment(name)
	}
	if err != nil {
		return err
	}
	return notFound("Environment %s does not exist: it was deleted at %s; GET /v1/environments/%s?deleted=true shows it as it was",
		name, deleted.DeletedAt.UTC().Format(time.RFC3339), name)
}

func unknownEnvironment(name string) error {
	return notFound("Environment %s does not exist", shorten(name))
}

type environmentOutput struct{ Body client.Environment }

func (s *server) environmentOutput(ctx context.Context, env daemon.Environment) (*environmentOutput, error) {
	view, err := s.environmentView(ctx, env)
	return &environmentOutput{Body: view}, err
}

type getEnvironmentInput struct {
	EnvironmentPath
	Deleted bool `query:"deleted" doc:"true shows the last one of the name that was deleted, for 24 hours."`
}

func (s *server) getEnvironment(ctx context.Context, in *getEnvironmentInput) (*environmentOutput, error) {
	if in.Deleted {
		return s.getDeleted(ctx, in.Name)
	}
	env, err := s.environmentNamed(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	out, err := s.environmentOutput(ctx, env)
	if errors.Is(err, table.ErrNotFound) {
		// Deleting an environment takes its parts away one by one.
		return nil, unknownEnvironment(in.Name)
	}
	return out, err
}

func (s *server) getDeleted(ctx context.Context, name string) (*environmentOutput, error) {
	if daemon.ValidateName(name) != nil {
		return nil, unknownEnvironment(name)
	}
	deleted, err := s.Daemon.DeletedEnvironment(ctx, name, s.Now())
	if errors.Is(err, table.ErrNotFound) {
		return nil, notFound("No environment of the name %s was deleted in the last 24 hours", name)
	}
	return &environmentOutput{Body: s.deletedView(deleted)}, err
}

type listEnvironmentsInput struct {
	Cluster   string `query:"cluster" maxLength:"2048" doc:"Environments with hosts in this cluster: name or ARN."`
	StartedBy string `query:"startedBy" maxLength:"128" doc:"startedBy of a task: the environment whose deployment started it, and none for what Blox did not start."`
	Status    string `query:"status" enum:"ACTIVE,DELETING,DELETED" doc:"Environments of this status. Deleted ones, of the last 24 hours, are listed only if they are asked for."`
	Limit     int    `query:"limit" minimum:"1" maximum:"100" default:"100" doc:"Most items of a page. A page may have fewer and still a next one."`
	NextToken string `query:"nextToken" maxLength:"2048" doc:"From the page before."`
}

type listEnvironmentsOutput struct{ Body client.EnvironmentPage }

// Resolve checks the cluster, and that no deployment of a deleted environment is looked for: they are not kept.
func (in *listEnvironmentsInput) Resolve(huma.Context) []error {
	errs := checkCluster(in.Cluster)
	if in.Status == client.EnvironmentDeleted && in.StartedBy != "" {
		errs = append(errs, wrong("query.startedBy", shorten(in.StartedBy), "what a deleted environment started is not known any more: leave out one of "+
			"startedBy and status=DELETED"))
	}
	return errs
}

func (s *server) listEnvironments(ctx context.Context, in *listEnvironmentsInput) (*listEnvironmentsOutput, error) {
	list := listFingerprint("environments", in.Cluster, in.StartedBy, in.Status)
	after, err := nameAfter(in.NextToken, list)
	if err != nil {
		return nil, badRequest(wrong("query.nextToken", shorten(in.NextToken), "%s", err))
	}
	read := s.environmentPage
	if in.Status == client.EnvironmentDeleted {
		read = s.deletedPage
	}
	views, more, err := read(ctx, in, after)
	if err != nil {
		return nil, err
	}
	out := &listEnvironmentsOutput{Body: client.EnvironmentPage{Items: views}}
	if more != "" {
		out.Body.NextToken, err = encodeToken(pageToken{List: list, ID: more})
	}
	return out, err
}

// environmentPage is a page of environments that there are. more is where the next one begins, if there is one.
func (s *server) environmentPage(ctx context.Context, in *listEnvironmentsInput, after string) (views []client.Environment, more string, err error) {
	ids, more, err := s.environmentIDs(ctx, in, after)
	if err != nil {
		return nil, "", err
	}
	envs, err := s.Daemon.Environments(ctx, ids)
	if err != nil {
		return nil, "", err
	}
	envs = slices.DeleteFunc(envs, func(env daemon.Environment) bool { return in.Status != "" && string(env.Status) != in.Status })
	slices.SortFunc(envs, func(a, b daemon.Environment) int { return strings.Compare(a.Name, b.Name) })
	views, err = s.environmentViews(ctx, envs)
	return views, more, err
}

// deletedPage is a page of environments that were deleted lately, by name and then id: a name may have been used again.
func (s *server) deletedPage(ctx context.Context, in *listEnvironmentsInput, after string) (views []client.Environment, more string, err error) {
	all, err := s.Daemon.DeletedEnvironments(ctx, s.Now())
	if err != nil {
		return nil, "", err
	}
	if in.Cluster != "" {
		key, _, err := s.cluster(ctx, "query.cluster", in.Cluster)
		if err != nil {
			return nil, "", err
		}
		all = slices.DeleteFunc(all, func(d table.DeletedEnvironment) bool { return !slices.Contains(d.Environment.Clusters, key) })
	}
	place := func(d table.DeletedEnvironment) string { return d.Environment.Name + "/" + d.Environment.ID }
	slices.SortFunc(all, func(a, b table.DeletedEnvironment) int { return strings.Compare(place(a), place(b)) })
	views = []client.Environment{}
	for _, deleted := range all {
		if place(deleted) <= after {
			continue
		}
		if len(views) == in.Limit {
			last := views[len(views)-1]
			return views, last.Name + "/" + last.ID, nil
		}
		views = append(views, s.deletedView(deleted))
	}
	return views, "", nil
}

// membersOf are the ids of the environments that have hosts in a cluster.
func (s *server) membersOf(ctx context.Context, cluster state.ClusterKey) ([]string, error) {
	members, err := s.Daemon.EnvironmentsOfCluster(ctx, cluster)
	ids := make([]string, len(members))
	for i, member := range members {
		ids[i] = member.ID
	}
	return ids, err
}

// environmentIDs are those of one page; more is the name it ends with if others follow.
func (s *server) environmentIDs(ctx context.Context, in *listEnvironmentsInput, after string) (ids []string, more string, err error) {
	entries, err := s.Daemon.Directory(ctx)
	if err != nil {
		return nil, "", err
	}
	slices.SortFunc(entries, func(a, b table.DirectoryEntry) int { return strings.Compare(a.Name, b.Name) })
	if in.Cluster != "" {
		key, _, err := s.cluster(ctx, "query.cluster", in.Cluster)
		if err != nil {
			return nil, "", err
		}
		members, err := s.membersOf(ctx, key)
		if err != nil {
			return nil, "", err
		}
		entries = slices.DeleteFunc(entries, func(e table.DirectoryEntry) bool { return !slices.Contains(members, e.ID) })
	}
	entries = slices.DeleteFunc(entries, func(e table.DirectoryEntry) bool { return e.Name <= after })
	if in.StartedBy != "" {
		return s.startedByPage(ctx, entries, in.StartedBy)
	}
	for i, entry := range entries {
		if len(ids) == in.Limit {
			return ids, entries[i-1].Name, nil
		}
		ids = append(ids, entry.ID)
	}
	return ids, "", nil
}
