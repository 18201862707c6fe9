package httpapi

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
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
		return env, unknownEnvironment(name)
	}
	return env, err
}

func unknownEnvironment(name string) error {
	return notFound("Environment %s does not exist", shorten(name))
}

type environmentOutput struct{ Body client.Environment }

func (s *server) environmentOutput(ctx context.Context, env daemon.Environment) (*environmentOutput, error) {
	view, err := s.environmentView(ctx, env)
	return &environmentOutput{Body: view}, err
}

type getEnvironmentInput struct{ EnvironmentPath }

func (s *server) getEnvironment(ctx context.Context, in *getEnvironmentInput) (*environmentOutput, error) {
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

type listEnvironmentsInput struct {
	Cluster   string `query:"cluster" maxLength:"2048" doc:"Environments with hosts in this cluster: name or ARN."`
	StartedBy string `query:"startedBy" maxLength:"128" doc:"startedBy of a task: the environment whose deployment started it, and none for what Blox did not start."`
	Limit     int    `query:"limit" minimum:"1" maximum:"100" default:"100" doc:"Most items of a page. A page may have fewer and still a next one."`
	NextToken string `query:"nextToken" maxLength:"2048" doc:"From the page before."`
}

type listEnvironmentsOutput struct{ Body client.EnvironmentPage }

// Resolve checks the cluster.
func (in *listEnvironmentsInput) Resolve(huma.Context) []error { return checkCluster(in.Cluster) }

func (s *server) listEnvironments(ctx context.Context, in *listEnvironmentsInput) (*listEnvironmentsOutput, error) {
	list := listFingerprint("environments", in.Cluster, in.StartedBy)
	after, err := nameAfter(in.NextToken, list)
	if err != nil {
		return nil, badRequest(wrong("query.nextToken", shorten(in.NextToken), "%s", err))
	}
	ids, more, err := s.environmentIDs(ctx, in, after)
	if err != nil {
		return nil, err
	}
	envs, err := s.Daemon.Environments(ctx, ids)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(envs, func(a, b daemon.Environment) int { return strings.Compare(a.Name, b.Name) })
	views, err := s.environmentViews(ctx, envs)
	if err != nil {
		return nil, err
	}
	out := &listEnvironmentsOutput{Body: client.EnvironmentPage{Items: views}}
	if more != "" {
		out.Body.NextToken, err = encodeToken(pageToken{List: list, ID: more})
	}
	return out, err
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
		members, err := s.Daemon.EnvironmentsOfCluster(ctx, key)
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
