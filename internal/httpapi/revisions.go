package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/table"
)

func (s *server) registerRevisions(api huma.API) {
	tags, errs := []string{"environments"}, []int{http.StatusBadRequest, http.StatusNotFound}
	handle(s, api, huma.Operation{
		OperationID: "listRevisions", Method: http.MethodGet, Path: "/v1/environments/{name}/revisions", Tags: tags,
		Summary: "List an environment's revisions, newest first", Errors: errs,
	}, s.listRevisions)
	handle(s, api, huma.Operation{
		OperationID: "getRevision", Method: http.MethodGet, Path: "/v1/environments/{name}/revisions/{number}", Tags: tags,
		Summary: "Get a revision", Errors: errs,
	}, s.getRevision)
	handle(s, api, huma.Operation{
		OperationID: "diffRevisions", Method: http.MethodGet, Path: "/v1/environments/{name}/diff", Tags: tags,
		Summary: "Tell in what two revisions differ", Description: "By default the deployed one and the newest one.",
		Errors: append(errs, http.StatusConflict),
	}, s.diffRevisions)
}

// revisionOf reads a revision that somebody asked for.
func (s *server) revisionOf(ctx context.Context, env daemon.Environment, number int) (daemon.Revision, error) {
	rev, err := s.Daemon.Revision(ctx, env.ID, number)
	if errors.Is(err, table.ErrNotFound) {
		err = notFound("Environment %s has no revision %d: its newest is %d", env.Name, number, env.Revision)
	}
	return rev, err
}

type listRevisionsInput struct {
	EnvironmentPath
	Limit     int    `query:"limit" minimum:"1" maximum:"100" default:"100" doc:"Most items of a page."`
	NextToken string `query:"nextToken" maxLength:"2048" doc:"From the page before."`
}

type listRevisionsOutput struct{ Body client.RevisionPage }

func (s *server) listRevisions(ctx context.Context, in *listRevisionsInput) (*listRevisionsOutput, error) {
	env, err := s.environmentNamed(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	list := listFingerprint("revisions", env.ID)
	after, err := nameAfter(in.NextToken, list)
	before := env.Revision + 1
	if err == nil && after != "" {
		if before, err = strconv.Atoi(after); err != nil {
			err = errTokenMalformed
		}
	}
	if err != nil {
		return nil, badRequest(wrong("query.nextToken", shorten(in.NextToken), "%s", err))
	}
	page, err := s.Daemon.Revisions(ctx, env.ID, in.Limit, before)
	if err != nil {
		return nil, err
	}
	out := &listRevisionsOutput{Body: client.RevisionPage{Items: make([]client.Revision, len(page))}}
	for i, rev := range page {
		out.Body.Items[i] = revisionView(env, rev)
	}
	if n := len(page); n > 0 && page[n-1].Number > 1 {
		out.Body.NextToken, err = encodeToken(pageToken{List: list, ID: strconv.Itoa(page[n-1].Number)})
	}
	return out, err
}

type getRevisionInput struct {
	EnvironmentPath
	Number int `path:"number" minimum:"1" doc:"The revision's number."`
}

type getRevisionOutput struct{ Body client.Revision }

func (s *server) getRevision(ctx context.Context, in *getRevisionInput) (*getRevisionOutput, error) {
	env, err := s.environmentNamed(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	rev, err := s.revisionOf(ctx, env, in.Number)
	if err != nil {
		return nil, err
	}
	return &getRevisionOutput{Body: revisionView(env, rev)}, nil
}

type diffRevisionsInput struct {
	EnvironmentPath
	From int `query:"from" minimum:"0" doc:"Number of the one; the deployed one if not given, or 0."`
	To   int `query:"to" minimum:"0" doc:"Number of the other; the newest if not given, or 0."`
}

type diffRevisionsOutput struct{ Body client.RevisionDiff }

func (s *server) diffRevisions(ctx context.Context, in *diffRevisionsInput) (*diffRevisionsOutput, error) {
	env, err := s.environmentNamed(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	from, to := in.From, in.To
	if to == 0 {
		to = env.Revision
	}
	if from == 0 {
		if env.DeploymentID == "" {
			return nil, conflicted("Environment %s has no deployment yet to compare with: say from which revision", env.Name)
		}
		dep, err := s.Daemon.Deployment(ctx, env.ID, env.DeploymentID)
		if err != nil {
			return nil, err
		}
		from = dep.Target()
	}
	older, err := s.revisionOf(ctx, env, from)
	if err != nil {
		return nil, err
	}
	newer, err := s.revisionOf(ctx, env, to)
	if err != nil {
		return nil, err
	}
	changes, err := diff(contentView(env, older), contentView(env, newer))
	return &diffRevisionsOutput{Body: client.RevisionDiff{From: from, To: to, Changes: changes}}, err
}
