package memory

import (
	"math"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Option changes how [New] builds a [DB].
type Option func(*DB)

// WithClock sets where the time comes from: creation times, the times in
// change records, when a lagging index catches up, how long a transaction's
// token is remembered. now must not call the DB. Without it a DB reads the wall
// clock.
func WithClock(now func() time.Time) Option {
	return func(db *DB) { db.now = now }
}

// WithStream sets who gets the change records. Only tables created with a
// StreamSpecification have any, as in DynamoDB.
//
// Records of all tables arrive one at a time and in commit order. The call is
// made outside the engine's lock, so emit may read and write the DB; what it
// writes is delivered after it has returned. When only one goroutine uses the
// DB, a write's records have been delivered before that write returns;
// otherwise another goroutine that is writing at the same time may deliver
// them a moment later.
func WithStream(emit func(table string, record events.DynamoDBEventRecord)) Option {
	return func(db *DB) { db.emit = emit }
}

// UntilSettled is the lag of an index entry that stays invisible until
// [DB.SettleIndexes] is called; or that of a table's item, likewise.
const UntilSettled time.Duration = math.MaxInt64

// WithReadLag makes reads of tables that are not consistent see writes late, as
// they may in DynamoDB. lag is called as that of [WithIndexLag] is, once for
// each item that a write changes. It concerns tables that are created in this
// DB, and their local indexes, which show items as the table's own reads do.
// Without this option every read is up to date.
func WithReadLag(lag func(table string) time.Duration) Option {
	return func(db *DB) { db.readLag = lag }
}

// WithIndexLag makes reads of global secondary indexes see writes late, as
// they may in DynamoDB. lag is called under the engine's lock, once for each
// index entry a write changes, and says how long that change stays invisible
// by the DB's clock; it must not call the DB. Changes of one item become
// visible in the order they were made; those of different items may overtake
// each other. Without this option indexes never lag.
func WithIndexLag(lag func(table, index string) time.Duration) Option {
	return func(db *DB) { db.lag = lag }
}
