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
	replica   *replica // what reads see that are not consistent; nil: the items themselves
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

// replica is the items of a table as they were a while ago. Its queue moves the
// entries of the table's local indexes too, so that they and the items that
// they name are of one time.
type replica struct {
	items partitions
	lag   queue
}

// lagging gives the table, and its local indexes, a replica.
func (t *table) lagging() {
	t.replica = &replica{items: partitions{}}
	for _, ix := range t.indexes {
		if ix.local {
			ix.stale = partitions{}
		}
	}
}

// read is what a read of the table sees, consistent or not.
func (t *table) read(consistent bool, now func() time.Time) partitions {
	if consistent || t.replica == nil {
		return t.items
	}
	t.replica.lag.release(now)
	return t.replica.items
}

// readIndex is what a read of an index sees. Global indexes have no consistent
// reads.
func (t *table) readIndex(ix *index, consistent bool, now func() time.Time) partitions {
	switch {
	case !ix.local:
		ix.lag.release(now)
		return ix.entries
	case consistent || t.replica == nil:
		return ix.entries
	default:
		t.replica.lag.release(now)
		return ix.stale
	}
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
