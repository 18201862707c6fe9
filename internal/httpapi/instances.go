package httpapi

import (
	"context"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

type listInstancesInput struct {
	InstanceFilters
	Sort string `query:"sort" enum:"registeredAt,-registeredAt" doc:"Order by a time, with - the latest first; what has no such time comes last. Without it the order is none in particular, and costs least."`
	InstanceFields
	Paging
}

type listInstancesOutput struct {
	Body client.ContainerInstancePage
}

func (s *server) listInstances(ctx context.Context, in *listInstancesInput) (*listInstancesOutput, error) {
	clusters, err := s.clusterFilter(ctx, in.Cluster)
	if err != nil {
		return nil, err
	}
	list, err := fingerprintOf("instances", in.Cluster, in.Sort, in.filter())
	if err != nil {
		return nil, err
	}
	page, position, err := s.page(ctx, in.Paging, list, ordered{state.KindContainerInstance, in.Sort}, func(after table.Position) (table.Page, error) {
		return s.State.ListInstances(ctx, table.InstanceQuery{
			Clusters: clusters, Filter: in.filter(), Sort: sortOf(in.Sort), Limit: in.Limit, After: after,
		}, s.Now())
	})
	if err != nil {
		return nil, err
	}
	out := &listInstancesOutput{Body: client.ContainerInstancePage{
		Items: make([]client.ContainerInstance, len(page.Records)), Examined: page.Examined,
	}}
	for i, record := range page.Records {
		if out.Body.Items[i], err = instanceWith(record, position, in.Fields); err != nil {
			return nil, err
		}
	}
	out.Body.EntityVersion = watchable(page, position)
	out.Body.NextToken, err = tokenOfPosition(list, position, page.Next)
	return out, err
}

type getInstanceInput struct {
	EntityPath
	InstanceFields
}

type getInstanceOutput struct{ Body client.ContainerInstance }

func (s *server) getInstance(ctx context.Context, in *getInstanceInput) (*getInstanceOutput, error) {
	record, position, err := s.record(ctx, state.KindContainerInstance, in.EntityPath)
	if err != nil {
		return nil, err
	}
	instance, err := instanceWith(record, position, in.Fields)
	return &getInstanceOutput{Body: instance}, err
}

// instanceOf is the whole container instance as the API shows it.
func instanceOf(r state.Record, position string) (client.ContainerInstance, error) {
	return instanceWith(r, position, nil)
}

// instanceWith is the container instance with some of its fields, all of them for none.
func instanceWith(r state.Record, position string, only []string) (client.ContainerInstance, error) {
	entity, err := instanceEntity(r, only)
	return client.ContainerInstance{Metadata: metadataOf(r, position), Entity: entity}, err
}
