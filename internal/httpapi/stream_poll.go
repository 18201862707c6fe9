package httpapi

import (
	"context"
	"errors"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/watch"
)

// PollOptions are what every poll takes beside its filters. API Gateway gives up on an answer that is not streamed after
// 29 seconds, so that none waits longer than 25.
type PollOptions struct {
	EntityVersion string `query:"entityVersion" maxLength:"128" doc:"Go on from here: the entityVersion of the answer before, of a list, or of a line of a stream. Without it the first answers are a snapshot."`
	NextToken     string `query:"nextToken" maxLength:"2048" doc:"From the answer before, instead of entityVersion, if it had one."`
	Snapshot      bool   `query:"snapshot" default:"true" doc:"false leaves the snapshot out: without entityVersion the answer comes at once, without items, and its entityVersion is now."`
	WaitSeconds   int    `query:"wait" minimum:"1" maximum:"25" default:"20" doc:"Seconds to wait for something to tell. An answer that has something comes at once."`
}

// Resolve checks where the poll goes on.
func (in *PollOptions) Resolve(huma.Context) []error {
	if in.EntityVersion == "" {
		return nil
	}
	if in.NextToken != "" {
		return []error{wrong("query.nextToken", nil, "both entityVersion and nextToken were given: allowed is one of them")}
	}
	if _, err := table.ParseFeedPosition(in.EntityVersion); err != nil {
		return []error{wrong("query.entityVersion", shorten(in.EntityVersion), "%s", err)}
	}
	return nil
}

type pollTasksInput struct {
	TaskFilters
	PollOptions
}

type pollTasksOutput struct{ Body client.TaskPoll }

type pollInstancesInput struct {
	InstanceFilters
	PollOptions
}

type pollInstancesOutput struct{ Body client.InstancePoll }

func (s *server) pollTasks(ctx context.Context, in *pollTasksInput) (*pollTasksOutput, error) {
	filter := in.filter()
	list, err := fingerprintOf("polled tasks", in.Cluster, "", filter)
	if err != nil {
		return nil, err
	}
	if filter.Cluster, err = s.streamCluster(ctx, in.Cluster); err != nil {
		return nil, err
	}
	answer, err := s.poll(ctx, watch.Tasks(filter), list, in.PollOptions)
	if err != nil {
		return nil, err
	}
	out := &pollTasksOutput{Body: client.TaskPoll{PollEnd: answer.end}}
	out.Body.Items, err = eventsOf(answer.lines, taskEvent)
	return out, err
}

func (s *server) pollInstances(ctx context.Context, in *pollInstancesInput) (*pollInstancesOutput, error) {
	filter := in.filter()
	list, err := fingerprintOf("polled instances", in.Cluster, "", filter)
	if err != nil {
		return nil, err
	}
	if filter.Cluster, err = s.streamCluster(ctx, in.Cluster); err != nil {
		return nil, err
	}
	answer, err := s.poll(ctx, watch.Instances(filter), list, in.PollOptions)
	if err != nil {
		return nil, err
	}
	out := &pollInstancesOutput{Body: client.InstancePoll{PollEnd: answer.end}}
	out.Body.Items, err = eventsOf(answer.lines, instanceEvent)
	return out, err
}

// pollAnswer is the answer to a poll before its lines are documents.
type pollAnswer struct {
	lines []watch.Line
	end   client.PollEnd
}

// poll answers with a part of a snapshot, or with what changed.
func (s *server) poll(ctx context.Context, selection watch.Selection, list string, in PollOptions) (pollAnswer, error) {
	at := pageToken{EntityVersion: in.EntityVersion}
	if in.NextToken != "" {
		var err error
		if at, err = decodeToken(in.NextToken, list); err != nil {
			return pollAnswer{}, badToken(in.NextToken, err)
		}
	}
	if in.NextToken == "" && in.EntityVersion == "" && !in.Snapshot {
		position, err := s.position(ctx)
		return pollAnswer{end: client.PollEnd{EntityVersion: position}}, err
	}
	watcher := &watch.Watcher{State: s.State, Feed: s.Feed, Now: s.Now, Wait: wait}
	// A token of a snapshot names the cluster where it goes on, one of changes has none.
	if at.EntityVersion == "" || at.Cluster != "" {
		return s.pollSnapshot(ctx, watcher, selection, list, in.NextToken)
	}
	from, err := table.ParseFeedPosition(at.EntityVersion)
	if err != nil {
		return pollAnswer{}, badToken(in.NextToken, errTokenMalformed)
	}
	polled, err := watcher.Poll(ctx, watch.PollRequest{
		Selection: selection, From: from, Skip: at.Stage, Until: s.until(ctx, time.Duration(in.WaitSeconds)*time.Second),
		MaxBytes: int(s.StreamBytes),
	})
	if errors.Is(err, table.ErrPosition) {
		return pollAnswer{}, badToken(in.NextToken, errTokenMalformed)
	}
	if err != nil {
		return pollAnswer{}, streamError(err, "")
	}
	answer := pollAnswer{lines: polled.Lines, end: client.PollEnd{EntityVersion: polled.Position.String()}}
	if polled.Skip > 0 {
		answer.end.EntityVersion = ""
		answer.end.NextToken, err = encodeToken(pageToken{List: list, Stage: polled.Skip, EntityVersion: polled.Position.String()})
	}
	return answer, err
}

// pollSnapshot answers with a page of the snapshot. The position from which changes are told after its last page was read
// before the first.
func (s *server) pollSnapshot(
	ctx context.Context, watcher *watch.Watcher, selection watch.Selection, list, token string,
) (pollAnswer, error) {
	page, position, err := s.page(ctx, Paging{NextToken: token}, list, ordered{}, func(after table.Position) (table.Page, error) {
		return watcher.Page(ctx, selection, after)
	})
	if err != nil {
		return pollAnswer{}, err
	}
	var answer pollAnswer
	if token == "" {
		answer.lines = append(answer.lines, watch.Line{Type: watch.Snapshot})
	}
	for _, record := range page.Records {
		answer.lines = append(answer.lines, watch.Line{Type: watch.Updated, Key: record.Key, Record: &record, Includes: position})
	}
	if page.Next.IsZero() {
		answer.lines = append(answer.lines, watch.Line{Type: watch.Bookmark, Position: position})
		answer.end.EntityVersion = position
		return answer, nil
	}
	answer.end.NextToken, err = tokenOfPosition(list, position, page.Next)
	return answer, err
}

func badToken(token string, err error) error {
	return badRequest(wrong("query.nextToken", shorten(token), "%s", err))
}

// until is when an answer that begins now and may last so long is to be over: before its request's deadline.
func (s *server) until(ctx context.Context, lasts time.Duration) time.Time {
	until := s.Now().Add(lasts)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-lastWords).Before(until) {
		return deadline.Add(-lastWords)
	}
	return until
}

// eventsOf are the documents of lines.
func eventsOf[E any](lines []watch.Line, event func(watch.Line) (E, error)) ([]E, error) {
	events := make([]E, len(lines))
	for i, line := range lines {
		var err error
		if events[i], err = event(line); err != nil {
			return nil, err
		}
	}
	return events, nil
}
