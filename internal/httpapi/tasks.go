package httpapi

import (
	"context"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

type listTasksInput struct {
	TaskFilters
	Sort string `query:"sort" enum:"createdAt,-createdAt,startedAt,-startedAt,stoppedAt,-stoppedAt" doc:"Order by a time, with - the latest first; what has no such time comes last. Without it the order is none in particular, and costs least."`
	TaskFields
	Paging
}

type listTasksOutput struct{ Body client.TaskPage }

func (s *server) listTasks(ctx context.Context, in *listTasksInput) (*listTasksOutput, error) {
	clusters, err := s.clusterFilter(ctx, in.Cluster)
	if err != nil {
		return nil, err
	}
	list, err := fingerprintOf("tasks", in.Cluster, in.Sort, in.filter())
	if err != nil {
		return nil, err
	}
	page, position, err := s.page(ctx, in.Paging, list, ordered{state.KindTask, in.Sort}, func(after table.Position) (table.Page, error) {
		return s.State.ListTasks(ctx, table.TaskQuery{
			Clusters: clusters, Filter: in.filter(), Sort: sortOf(in.Sort), Limit: in.Limit, After: after,
		}, s.Now())
	})
	if err != nil {
		return nil, err
	}
	out := &listTasksOutput{Body: client.TaskPage{Items: make([]client.Task, len(page.Records)), Examined: page.Examined}}
	for i, record := range page.Records {
		if out.Body.Items[i], err = taskWith(record, position, in.Fields); err != nil {
			return nil, err
		}
	}
	out.Body.EntityVersion = watchable(page, position)
	out.Body.NextToken, err = tokenOfPosition(list, position, page.Next)
	return out, err
}

type getTaskInput struct {
	EntityPath
	TaskFields
}

type getTaskOutput struct{ Body client.Task }

func (s *server) getTask(ctx context.Context, in *getTaskInput) (*getTaskOutput, error) {
	record, position, err := s.record(ctx, state.KindTask, in.EntityPath)
	if err != nil {
		return nil, err
	}
	task, err := taskWith(record, position, in.Fields)
	return &getTaskOutput{Body: task}, err
}

// taskOf is the whole task as the API shows it.
func taskOf(r state.Record, position string) (client.Task, error) { return taskWith(r, position, nil) }

// taskWith is the task with some of its fields, all of them for none.
func taskWith(r state.Record, position string, only []string) (client.Task, error) {
	entity, err := taskEntity(r, only)
	return client.Task{Metadata: metadataOf(r, position), Entity: entity}, err
}
