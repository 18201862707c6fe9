package httpapi

import (
	"context"
	"errors"
	"strings"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/table"
)

type listTimelineInput struct {
	EnvironmentPath
	ID    string `path:"id" maxLength:"255" doc:"The deployment's id."`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Most items."`
}

type listTimelineOutput struct{ Body client.Timeline }

func (s *server) listTimeline(ctx context.Context, in *listTimelineInput) (*listTimelineOutput, error) {
	_, dep, err := s.deploymentOf(ctx, in.Name, in.ID)
	if err != nil {
		return nil, err
	}
	entries, err := s.Daemon.Timeline(ctx, dep.EnvironmentID, dep.ID, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &listTimelineOutput{Body: client.Timeline{Items: make([]client.TimelineEntry, len(entries))}}
	for i, entry := range entries {
		out.Body.Items[i] = client.TimelineEntry{
			At: entry.At, Kind: string(entry.Kind), Host: entry.Host[strings.LastIndexByte(entry.Host, '/')+1:], TaskARN: entry.TaskARN, Reason: entry.Reason,
		}
	}
	return out, nil
}

// deploymentOf reads a deployment of the environment that has the name.
func (s *server) deploymentOf(ctx context.Context, name, id string) (daemon.Environment, daemon.Deployment, error) {
	env, err := s.environmentNamed(ctx, name)
	if err != nil {
		return env, daemon.Deployment{}, err
	}
	dep, err := s.Daemon.Deployment(ctx, env.ID, strings.ToLower(id))
	if errors.Is(err, table.ErrNotFound) {
		err = notFound("Deployment %s does not exist for environment %s", id, env.Name)
	}
	return env, dep, err
}
