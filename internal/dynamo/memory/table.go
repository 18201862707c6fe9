package memory

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// table is a table and its indexes.
type table struct {
	name      string
	schema    schema
	created   time.Time
	protected bool // from deletion
	input     tableInput
	items     partitions
	itemCount int64
	sizeBytes int64
	indexes   []*index
	replica   *index // what reads see that are not consistent; nil: the items themselves
	used      Capacity
	ttl       string // the attribute that holds the expiry, "" for none
	view      types.StreamViewType
}

// tableInput is what DescribeTable gives back as it came.
type tableInput struct {
	attributes []types.AttributeDefinition
	keySchema  []types.KeySchemaElement
	billing    types.BillingMode
	throughput types.ProvisionedThroughput
}

func (t *table) get(k key) *record {
	return t.items.get(k.hash, position{sort: k.sort})
}

// read is what a read of the table sees, consistent or not.
func (t *table) read(consistent bool, now func() time.Time) partitions {
	if consistent || t.replica == nil {
		return t.items
	}
	t.replica.release(now)
	return t.replica.entries
}

func (t *table) index(name string) *index {
	for _, ix := range t.indexes {
		if ix.name == name {
			return ix
		}
	}
	return nil
}

// store replaces old by next; either may be nil for no item. They differ.
func (t *table) store(k key, old, next *record) {
	if old != nil {
		t.itemCount--
		t.sizeBytes -= int64(old.size)
	}
	if next == nil {
		t.items.remove(k.hash, position{sort: k.sort})
		return
	}
	t.itemCount++
	t.sizeBytes += int64(next.size)
	t.items.put(k.hash, entry{position: position{sort: k.sort}, record: next})
}
