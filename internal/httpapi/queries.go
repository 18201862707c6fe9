package httpapi

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// Paging is what every list takes.
type Paging struct {
	Limit     int    `query:"limit" minimum:"1" maximum:"1000" default:"1000" doc:"Most items of a page. A page may have fewer and still a next one."`
	NextToken string `query:"nextToken" maxLength:"2048" doc:"From the page before."`
}

func (s *server) ping(context.Context, *struct{}) (*pingOutput, error) {
	return &pingOutput{ContentType: "application/json; charset=UTF-8"}, nil
}

type pingOutput struct {
	ContentType string `header:"Content-Type"`
}

// TaskFilters pick tasks. An empty one counts as not given.
type TaskFilters struct {
	Status            string `query:"status" doc:"lastStatus, in any case."`
	Cluster           string `query:"cluster" maxLength:"2048" doc:"Name or ARN."`
	StartedBy         string `query:"startedBy" maxLength:"128"`
	DesiredStatus     string `query:"desiredStatus" doc:"RUNNING or STOPPED, in any case."`
	Family            string `query:"family" maxLength:"255" doc:"Task definition family."`
	Group             string `query:"group" maxLength:"512" doc:"For example service:NAME."`
	ContainerInstance string `query:"containerInstance" maxLength:"2048" doc:"Id or ARN."`
}

// Resolve checks the values, and writes statuses as ECS does.
func (in *TaskFilters) Resolve(huma.Context) []error {
	errs := checkStatus(&in.Status, "query.status", state.ParseTaskStatus)
	errs = append(errs, checkStatus(&in.DesiredStatus, "query.desiredStatus", state.ParseDesiredStatus)...)
	errs = append(errs, checkCluster(in.Cluster)...)
	if arn := in.ContainerInstance; strings.HasPrefix(arn, arnPrefix) {
		if parsed, err := state.ParseARN(arn); err != nil {
			errs = append(errs, wrong("query.containerInstance", arn, "%s", err))
		} else if parsed.Kind != state.ARNContainerInstance {
			errs = append(errs, wrong("query.containerInstance", arn, "this is the ARN of a %s, allowed is a container instance's", parsed.Kind))
		}
	}
	return errs
}

func (in *TaskFilters) filter() state.TaskFilter {
	return state.TaskFilter{
		LastStatus: in.Status, DesiredStatus: in.DesiredStatus, StartedBy: in.StartedBy,
		Group: in.Group, Family: in.Family, ContainerInstance: in.ContainerInstance,
	}
}

type listTasksInput struct {
	TaskFilters
	Paging
}

type listTasksOutput struct{ Body client.TaskPage }

func checkStatus(status *string, location string, parse func(string) (string, error)) []error {
	if *status == "" {
		return nil
	}
	parsed, err := parse(*status)
	if err != nil {
		return []error{wrong(location, shorten(*status), "%s", err)}
	}
	*status = parsed
	return nil
}

func checkCluster(cluster string) []error {
	if cluster == "" {
		return nil
	}
	if _, _, err := parseCluster(cluster); err != nil {
		return []error{wrong("query.cluster", shorten(cluster), "invalid cluster ARN or name: %s", err)}
	}
	return nil
}

// clusterFilter is nil, all clusters, for no filter.
func (s *server) clusterFilter(ctx context.Context, cluster string) ([]state.ClusterKey, error) {
	if cluster == "" {
		return nil, nil
	}
	key, err := s.cluster(ctx, "query.cluster", cluster)
	return []state.ClusterKey{key}, err
}

func (s *server) listTasks(ctx context.Context, in *listTasksInput) (*listTasksOutput, error) {
	clusters, err := s.clusterFilter(ctx, in.Cluster)
	if err != nil {
		return nil, err
	}
	list := listFingerprint("tasks", in.Cluster, in.Status, in.StartedBy, in.DesiredStatus, in.Family, in.Group, in.ContainerInstance)
	page, position, err := s.page(ctx, in.Paging, list, func(after table.Position) (table.Page, error) {
		return s.State.ListTasks(ctx, table.TaskQuery{
			Clusters: clusters, Limit: in.Limit, After: after, Filter: in.filter(),
		}, s.Now())
	})
	if err != nil {
		return nil, err
	}
	out := &listTasksOutput{Body: client.TaskPage{Items: make([]client.Task, len(page.Records))}}
	for i, record := range page.Records {
		if out.Body.Items[i], err = taskOf(record, position); err != nil {
			return nil, err
		}
	}
	out.Body.EntityVersion = watchable(page, position)
	out.Body.NextToken, err = tokenOfPosition(list, position, page.Next)
	return out, err
}

// page reads a page. position is one in the feed that is surely part of the whole list up to here: it was read before the
// first page.
func (s *server) page(
	ctx context.Context, in Paging, list string, read func(after table.Position) (table.Page, error),
) (page table.Page, position string, err error) {
	after, position, err := positionOf(in.NextToken, list)
	if err != nil {
		return page, "", badRequest(wrong("query.nextToken", shorten(in.NextToken), "%s", err))
	}
	if position == "" {
		if position, err = s.position(ctx); err != nil {
			return page, "", err
		}
	}
	page, err = read(after)
	if errors.Is(err, table.ErrPosition) {
		err = badRequest(wrong("query.nextToken", shorten(in.NextToken), "%s", errTokenMalformed))
	}
	return page, position, err
}

// watchable is the position that a watch may go on from after a list, if there is one. An index may lag behind the feed:
// what it misses may have been before the position.
func watchable(page table.Page, position string) string {
	if page.Indexed {
		return ""
	}
	return position
}

func (s *server) position(ctx context.Context) (string, error) {
	position, err := s.Feed.Position(ctx)
	if err != nil {
		return "", fmt.Errorf("reading the position of the feed: %w", err)
	}
	return position, nil
}

func taskOf(r state.Record, position string) (client.Task, error) {
	entity, err := taskEntity(r)
	return client.Task{Metadata: metadataOf(r, position), Entity: entity}, err
}

type getTaskInput struct{ EntityPath }

type getTaskOutput struct{ Body client.Task }

func (s *server) getTask(ctx context.Context, in *getTaskInput) (*getTaskOutput, error) {
	record, position, err := s.record(ctx, state.KindTask, in.EntityPath)
	if err != nil {
		return nil, err
	}
	task, err := taskOf(record, position)
	return &getTaskOutput{Body: task}, err
}

// record reads one record, and before it the position in the feed that is surely part of it.
func (s *server) record(ctx context.Context, kind state.Kind, path EntityPath) (r state.Record, position string, err error) {
	key, err := s.entityKey(ctx, kind, path)
	if err != nil {
		return r, "", err
	}
	if position, err = s.position(ctx); err != nil {
		return r, "", err
	}
	r, err = s.State.Get(ctx, key, s.Now())
	if errors.Is(err, table.ErrNotFound) {
		what := "Task"
		if kind == state.KindContainerInstance {
			what = "Instance"
		}
		err = notFound("%s not found: cluster %s has no %s %s that is stored", what, key.Cluster.ARN(""), kind.ARNKind(), key.ID)
	}
	return r, position, err
}

// InstanceFilters pick container instances. An empty one counts as not given.
type InstanceFilters struct {
	Status  string `query:"status" doc:"In any case."`
	Cluster string `query:"cluster" maxLength:"2048" doc:"Name or ARN."`
}

// Resolve checks the values, and writes the status as ECS does.
func (in *InstanceFilters) Resolve(huma.Context) []error {
	return append(checkStatus(&in.Status, "query.status", state.ParseInstanceStatus), checkCluster(in.Cluster)...)
}

type listInstancesInput struct {
	InstanceFilters
	Paging
}

type listInstancesOutput struct{ Body client.ContainerInstancePage }

func (s *server) listInstances(ctx context.Context, in *listInstancesInput) (*listInstancesOutput, error) {
	clusters, err := s.clusterFilter(ctx, in.Cluster)
	if err != nil {
		return nil, err
	}
	list := listFingerprint("instances", in.Cluster, in.Status)
	page, position, err := s.page(ctx, in.Paging, list, func(after table.Position) (table.Page, error) {
		return s.State.ListInstances(ctx, table.InstanceQuery{
			Clusters: clusters, Limit: in.Limit, After: after, Filter: state.InstanceFilter{Status: in.Status},
		}, s.Now())
	})
	if err != nil {
		return nil, err
	}
	out := &listInstancesOutput{Body: client.ContainerInstancePage{Items: make([]client.ContainerInstance, len(page.Records))}}
	for i, record := range page.Records {
		if out.Body.Items[i], err = instanceOf(record, position); err != nil {
			return nil, err
		}
	}
	out.Body.EntityVersion = watchable(page, position)
	out.Body.NextToken, err = tokenOfPosition(list, position, page.Next)
	return out, err
}

func instanceOf(r state.Record, position string) (client.ContainerInstance, error) {
	entity, err := instanceEntity(r)
	return client.ContainerInstance{Metadata: metadataOf(r, position), Entity: entity}, err
}

type getInstanceInput struct{ EntityPath }

type getInstanceOutput struct{ Body client.ContainerInstance }

func (s *server) getInstance(ctx context.Context, in *getInstanceInput) (*getInstanceOutput, error) {
	record, position, err := s.record(ctx, state.KindContainerInstance, in.EntityPath)
	if err != nil {
		return nil, err
	}
	instance, err := instanceOf(record, position)
	return &getInstanceOutput{Body: instance}, err
}
