package cost

// What the template cannot say. Counts of DynamoDB units are measured by the product's own tests; durations and sizes
// are assumed, on the high side, until somebody measures them in an account.
const (
	// A task's life of five events, as ECS sends it, writes 25 units: 10 of the table, 15 of its indexes (TestWriteUnits
	// in internal/table). By kind: a new record 6 (5 without startedBy), another status 4, stopped 8 (7), anything else
	// newer 2, a duplicate 2.
	writeUnitsAnEvent = 5.0
	// A row of the feed and its head: one unit each, and a consistent read of the head.
	feedWritesARow, feedReadsARow = 2.0, 1.0
	feedShards                    = 4.0
	// A batch of the queue when there is much to do.
	busyBatch = 10.0

	// The tick is held to two read units by its test, and a sweep of nothing reads as little.
	idleReadsATick, idleReadsASweep = 2.0, 2.0
	// A record is read consistently (one unit up to 4 KB, and none is larger than 2 KB), after its key was found in an
	// index (some 300 of the 8 KB of an eventually consistent unit).
	readsARecordAndSweep = 1.04
	// A cluster's row is written at the end of its pass.
	writesAClusterAndSweep = 1.0
	// recordBytes are the table's 2 KB and three index entries of 300 bytes that a stopped task has.
	recordBytes  = 2_900.0
	recordDays   = 30.0
	daysAMonth   = 30.4
	tasksAnEvent = 1.0 / 5

	// Milliseconds that runs take.
	idleRunMillis         = 20.0
	oneEventMillis        = 20.0
	tenEventsMillis       = 50.0
	apiRunMillis          = 20.0
	sweepMillisAThousand  = 2_000.0
	logBytesARun          = 800.0
	logBytesAnAPIRequest  = 1_500.0
	readsAWatcherASecond  = 1.0
	readsAnAPIRequest     = 10.0
	busyRunsASecond       = 100.0
	tracedBeyondTheFirst  = 0.05
	pollersAMapping       = 5.0
	pollsAMinuteAndPoller = 3.0

	hoursAMonth = 730.0
	gigabyte    = 1e9
	million     = 1e6
)

// assumption is one of these numbers, for the reader.
type assumption struct{ what, how string }

func assumptions() []assumption {
	return []assumption{
		{"Write units of an event: 5", "a task's life of five events writes 25 units, indexes included (measured: TestWriteUnits)"},
		{"Write units of a duplicate: 2", "a refused write is paid for (measured: TestWriteUnits); the tables have no duplicates"},
		{"The feed: 2 write units and 1 read unit a row", "a row holds the changes of a batch that fall to one of 4 shards"},
		{"The tick: 2 read units", "the most that its test allows"},
		{"A sweep: 1.04 read units for each living task and instance", "read consistently, found through an index"},
		{"A record: 2.9 KB for 30 days", "2 KB at most in the table (measured), three index entries"},
		{"Pollers: 5 for each queue that Lambda reads, 3 polls a minute each", "Lambda's long polling of an empty queue"},
		{"An idle run: 20 ms; a single event: 20 ms; ten events: 50 ms; an API request: 20 ms and 10 read units", "assumed"},
		{"A sweep of 1,000 records: 2 s", "20 calls of ECS within the default budget (assumed)"},
		{"Logs: 800 bytes a run, 1,500 an API request", "assumed: Lambda's own three lines, one of metrics, the access log"},
	}
}
