package memory

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

// maxPageBytes ends a page with the item that exceeds it.
const maxPageBytes = 1024 * 1024

func (db *DB) query(in *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
	if in.TableName == nil {
		return nil, missing("QueryInput", "TableName")
	}
	if err := checkQueryInput(in); err != nil {
		return nil, err
	}
	q, page, b, err := db.page(in)
	if err != nil {
		return nil, err
	}
	// Records never change: filtering and copying need no lock.
	out := &dynamodb.QueryOutput{
		ScannedCount:     int32(len(page.entries)),
		LastEvaluatedKey: page.last,
		ConsumedCapacity: b.answer(in.ReturnConsumedCapacity),
	}
	counting := in.Select == types.SelectCount
	if !counting {
		out.Items = []map[string]types.AttributeValue{}
	}
	for _, e := range page.entries {
		if q.filter != nil && !q.filter(e.record.item) {
			continue
		}
		out.Count++
		if !counting {
			out.Items = append(out.Items, q.project(e.record.item))
		}
	}
	return out, nil
}

func checkQueryInput(in *dynamodb.QueryInput) error {
	if err := refuseLegacy(in.AttributesToGet != nil, in.ConditionalOperator != "", in.KeyConditions != nil, in.QueryFilter != nil); err != nil {
		return err
	}
	if err := checkCapacityDetail(in.ReturnConsumedCapacity); err != nil {
		return err
	}
	if in.Limit != nil && *in.Limit < 1 {
		return attr.Invalid("Limit must be greater than or equal to 1")
	}
	if in.KeyConditionExpression == nil {
		return attr.Invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	return checkSelect(in)
}

func checkSelect(in *dynamodb.QueryInput) error {
	switch in.Select {
	case "", types.SelectAllAttributes, types.SelectAllProjectedAttributes, types.SelectCount, types.SelectSpecificAttributes:
	default:
		return attr.Invalid("Select must be ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES, COUNT, or SPECIFIC_ATTRIBUTES")
	}
	switch {
	case in.Select == types.SelectAllProjectedAttributes && in.IndexName == nil:
		return attr.Invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	case in.Select == types.SelectSpecificAttributes && in.ProjectionExpression == nil:
		return attr.Invalid("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case in.Select == types.SelectCount && in.ProjectionExpression != nil:
		return attr.Invalid("Cannot specify the ProjectionExpression when choosing to get only the Count")
	case in.Select != "" && in.Select != types.SelectSpecificAttributes && in.ProjectionExpression != nil:
		return attr.Invalid("Cannot specify the ProjectionExpression when choosing to get " + string(in.Select))
	}
	return nil
}

// page is what one call to Query looks at.
type page struct {
	entries []entry
	last    attr.Item // where the next page begins, nil for no next page
}

// page finds the entries of a query and charges for them.
func (db *DB) page(in *dynamodb.QueryInput) (query, page, *bill, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	t, err := db.table(in.TableName)
	if err != nil {
		return query{}, page{}, nil, err
	}
	q, err := newQuery(t, in)
	if err != nil {
		return query{}, page{}, nil, err
	}
	consistent := aws.ToBool(in.ConsistentRead)
	b := &bill{table: t}
	var found page
	var bytes int
	if q.index == nil {
		found, bytes = q.read(t.read(consistent, db.now), in.Limit)
		b.own.Read = readUnits(bytes, consistent)
	} else {
		found, bytes = q.read(t.readIndex(q.index, consistent, db.now), in.Limit)
		b.addIndex(q.index, Capacity{Read: readUnits(bytes, consistent)})
	}
	if q.fetches {
		b.own.Read += found.fetch(t.read(consistent, db.now), consistent)
	}
	b.charge()
	return q, found, b, nil
}

// read returns the next page and the bytes it looked at.
func (q query) read(from partitions, limit *int32) (found page, bytes int) {
	from.read(q.hash, q.bounds, q.start, q.backward, func(e entry) bool {
		found.entries = append(found.entries, e)
		bytes += e.record.size
		full := limit != nil && len(found.entries) == int(*limit) || bytes > maxPageBytes
		// DynamoDB does not look whether another item follows: a full page has a
		// last key even if none does.
		if full && (q.end == nil || *q.end != e.sort) {
			found.last = q.startKeyOf(e.record.item)
		}
		return !full
	})
	return found, bytes
}

// fetch puts the table's items in place of the entries of a local index that
// does not hold all that was asked for. Each is a read of its own, rounded up by
// itself, also of those that a filter then drops; the units are returned.
func (p *page) fetch(from partitions, consistent bool) (units float64) {
	for i, e := range p.entries {
		p.entries[i].record = from.get(e.base.hash, position{sort: e.base.sort})
		units += readUnits(p.entries[i].record.bytes(), consistent)
	}
	return units
}
