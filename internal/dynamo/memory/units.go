package memory

import (
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Units of DynamoDB's capacity: how many bytes one of them moves, and what an
// eventually consistent read or a transaction does to the price.
const (
	writeUnitBytes = 1024
	readUnitBytes  = 4096
	eventualShare  = 0.5
	// AWS documents two writes for each item of a transaction, and does not say
	// whether the indexes are charged twice too: assume that they are.
	transactionFactor = 2
)

func writeUnits(bytes int) float64 { return units(bytes, writeUnitBytes) }

func readUnits(bytes int, consistent bool) float64 {
	if consistent {
		return units(bytes, readUnitBytes)
	}
	return units(bytes, readUnitBytes) * eventualShare
}

// units rounds up; the least is one, also for what is not there.
func units(bytes, unitBytes int) float64 {
	return float64(max(1, (bytes+unitBytes-1)/unitBytes))
}

// Target is a table (Index "") or one of its secondary indexes. What local
// indexes consume counts against the table's own throughput; they are told apart
// here all the same.
type Target struct{ Table, Index string }

// Capacity is consumed capacity units.
type Capacity struct{ Read, Write float64 }

func (c Capacity) plus(d Capacity) Capacity {
	return Capacity{Read: c.Read + d.Read, Write: c.Write + d.Write}
}

// Units is what calls have consumed.
type Units struct {
	// Capacity is the sum over all targets.
	Capacity
	// ByIndex has the targets that consumed anything. Tables stand under an
	// empty index name.
	ByIndex map[Target]Capacity
}

// Consumed returns the units that calls have consumed since the DB was made or
// [DB.ResetConsumed] was called, as DynamoDB would charge them: failed
// conditions included, what expires not. Requests refused as invalid cost
// nothing.
func (db *DB) Consumed() Units {
	db.mu.Lock()
	defer db.mu.Unlock()
	out := Units{ByIndex: maps.Clone(db.retired)}
	for _, t := range db.tables {
		t.addUsed(out.ByIndex)
	}
	for target, c := range out.ByIndex {
		if c == (Capacity{}) {
			delete(out.ByIndex, target)
			continue
		}
		// Units are halves, so the order of the sum does not matter.
		out.Capacity = out.plus(c)
	}
	return out
}

func (t *table) addUsed(to map[Target]Capacity) {
	own := Target{Table: t.name}
	to[own] = to[own].plus(t.used)
	for _, ix := range t.indexes {
		target := Target{Table: t.name, Index: ix.name}
		to[target] = to[target].plus(ix.used)
	}
}

// ResetConsumed sets the counts of [DB.Consumed] to zero.
func (db *DB) ResetConsumed() {
	db.mu.Lock()
	defer db.mu.Unlock()
	clear(db.retired)
	for _, t := range db.tables {
		t.used = Capacity{}
		for _, ix := range t.indexes {
			ix.used = Capacity{}
		}
	}
}

// bill is what one call consumes on one table.
type bill struct {
	table   *table
	own     Capacity
	indexes map[*index]Capacity
	// transaction makes the answer tell reads and writes apart, as DynamoDB
	// does for transactions alone.
	transaction bool
}

func (b *bill) addIndex(ix *index, c Capacity) {
	if b.indexes == nil {
		b.indexes = map[*index]Capacity{}
	}
	b.indexes[ix] = b.indexes[ix].plus(c)
}

// charge adds the bill to what the table has consumed. db.mu is held.
func (b *bill) charge() {
	b.table.used = b.table.used.plus(b.own)
	for ix, c := range b.indexes {
		ix.used = ix.used.plus(c)
	}
}

// answer is the bill in the detail that the request asked for, nil for none.
func (b *bill) answer(detail types.ReturnConsumedCapacity) *types.ConsumedCapacity {
	if detail != types.ReturnConsumedCapacityTotal && detail != types.ReturnConsumedCapacityIndexes {
		return nil
	}
	total := b.own
	for _, c := range b.indexes {
		total = total.plus(c)
	}
	sum := b.capacity(total)
	out := &types.ConsumedCapacity{
		TableName:          aws.String(b.table.name),
		CapacityUnits:      sum.CapacityUnits,
		ReadCapacityUnits:  sum.ReadCapacityUnits,
		WriteCapacityUnits: sum.WriteCapacityUnits,
	}
	if detail == types.ReturnConsumedCapacityTotal {
		return out
	}
	own := b.capacity(b.own)
	out.Table = &own
	for ix, c := range b.indexes {
		to := &out.GlobalSecondaryIndexes
		if ix.local {
			to = &out.LocalSecondaryIndexes
		}
		if *to == nil {
			*to = map[string]types.Capacity{}
		}
		(*to)[ix.name] = b.capacity(c)
	}
	return out
}

func (b *bill) capacity(c Capacity) types.Capacity {
	out := types.Capacity{CapacityUnits: aws.Float64(c.Read + c.Write)}
	if b.transaction && c.Read > 0 {
		out.ReadCapacityUnits = aws.Float64(c.Read)
	}
	if b.transaction && c.Write > 0 {
		out.WriteCapacityUnits = aws.Float64(c.Write)
	}
	return out
}

func checkCapacityDetail(detail types.ReturnConsumedCapacity) error {
	return checkEnum("returnConsumedCapacity", detail, types.ReturnConsumedCapacityIndexes, types.ReturnConsumedCapacityTotal, types.ReturnConsumedCapacityNone)
}
