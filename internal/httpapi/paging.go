package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// Paging is what every list takes.
type Paging struct {
	Limit     int    `query:"limit" minimum:"1" maximum:"1000" default:"1000" doc:"Most items of a page. A page may have fewer and still a next one."`
	NextToken string `query:"nextToken" maxLength:"2048" doc:"From the page before, with the same filters and the same order."`
}

// sortOf reads an order: a time's name, with a hyphen before it for the latest first.
func sortOf(given string) table.Sort {
	by, descending := strings.CutPrefix(given, "-")
	return table.Sort{By: by, Descending: descending}
}

// fingerprintOf names a list with its filters and its order. The filter is a struct of the state's own, so that a new field
// cannot be forgotten; what it leaves out does not count, so that lists without a new field keep their tokens. cluster is as
// it was given, for a name may mean another one by the next page.
func fingerprintOf(kind, cluster, sort string, filter any) (string, error) {
	given := map[string]any{}
	for field, value := range reflect.ValueOf(filter).Fields() {
		if !value.IsZero() {
			given[field.Name] = value.Interface()
		}
	}
	text, err := json.Marshal(given) // sorted by name
	if err != nil {
		return "", fmt.Errorf("naming a list of %s: %w", kind, err)
	}
	return listFingerprint(kind, cluster, sort, string(text)), nil
}

// clusterFilter is nil, all clusters, for no filter.
func (s *server) clusterFilter(ctx context.Context, cluster string) ([]state.ClusterKey, error) {
	if cluster == "" {
		return nil, nil
	}
	key, _, err := s.cluster(ctx, "query.cluster", cluster)
	return []state.ClusterKey{key}, err
}

// ordered is what is listed in which order, for those who ask for too much of it.
type ordered struct {
	kind state.Kind
	sort string
}

// narrower is what leaves less to sort, or has an index in that order.
func (o ordered) narrower() string {
	by := sortOf(o.sort).By
	switch {
	case o.kind == state.KindContainerInstance:
		return "there are too many clusters, or too many container instances that are gone: name a cluster, " +
			"or a status other than INACTIVE"
	case by == table.SortByCreatedAt:
		return "only tasks that have not stopped are kept in this order: give desiredStatus=RUNNING or a status before STOPPED, " +
			"name a cluster, or narrow the list by startedBy, group, service or containerInstance"
	case by == table.SortByStoppedAt:
		return "name a cluster, give status=STOPPED, or narrow the list by stoppedSince and stoppedUntil"
	default:
		return "no tasks are kept in this order: narrow the list by cluster, status, desiredStatus, startedBy, group, service, " +
			"containerInstance or startedSince"
	}
}

// page reads a page. position is one in the feed that is surely part of the whole list up to here: it was read before the
// first page.
func (s *server) page(
	ctx context.Context, in Paging, list string, of ordered, read func(after table.Position) (table.Page, error),
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
	switch {
	case errors.Is(err, table.ErrPosition):
		err = badRequest(wrong("query.nextToken", shorten(in.NextToken), "%s", errTokenMalformed))
	case errors.Is(err, table.ErrTooManyToSort):
		err = badRequest(wrong("query.sort", nil, "there are too many records to sort: %s, or leave sort out", of.narrower()))
	}
	return page, position, err
}

// watchable is the position that a watch may go on from after a list, if there is one. An index may lag behind the feed:
// what it misses may have been before the position.
func watchable(page table.Page, position string) string {
	if page.Lagging {
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
