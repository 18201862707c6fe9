package cost

// What the template cannot say. Counts of DynamoDB units are measured by the product's own tests; durations and sizes
// are assumed, on the high side, until somebody measures them in an account.
const (
	// A task's life of five events, as ECS sends it, writes 19 units: 5 of the table, 14 of its indexes (TestWriteUnits and
	// BenchmarkTaskLife in internal/table). By kind: a new record 5, another phase 3, stopped 9, anything else newer 1, a
	// duplicate 1.
	writeUnitsAnEvent = 19.0 / 5
	// A row of the feed and its head: one unit each, and a consistent read of the head.
	feedWritesARow, feedReadsARow = 2.0, 1.0
	// A batch of the queue when there is much to do.
	busyBatch = 10.0

	// The tick is held to two read units by its test, and a sweep of nothing reads as little.
	idleReadsATick, idleReadsASweep = 2.0, 2.0
	// A pass over a cluster reads 14 units if there is nothing in it: its row, twice, and an index in each of its ten
	// partitions. With 1,000 living things it reads 1,040: a record is one unit (none is larger than 4 KB) and 150 bytes of
	// index.
	readsAClusterAndSweep, readsARecordAndSweep = 14.0, 1.03
	// The cluster's row is written at the end, and a block of the account's call budget is taken.
	writesAClusterAndSweep = 2.0
	// The pass's message is sent in a batch at best; it is received and deleted alone.
	requestsAClusterAndSweep = 3.0
	// recordBytes are an item of 1.1 KB and four index entries of 250 bytes, which a stopped task has.
	recordBytes  = 2_100.0
	recordDays   = 30.0
	daysAMonth   = 30.4
	tasksAnEvent = 1.0 / 5

	// Milliseconds that runs take.
	idleRunMillis         = 20.0
	oneEventMillis        = 20.0
	tenEventsMillis       = 50.0
	apiRunMillis          = 20.0
	passMillis            = 300.0
	sweepMillisAThousand  = 2_000.0
	logBytesARun          = 800.0
	logBytesAnAPIRequest  = 1_500.0
	readsAWatcherASecond  = 0.53
	readsAPollASecond     = 0.58
	pollSeconds           = 20.0
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
		{"Write units of an event: 3.8", "a task's life of five events writes 19 units, indexes included (measured: TestWriteUnits)"},
		{"Write units of a duplicate: 1", "a refused write is paid for (measured: TestWriteUnits); the tables have no duplicates"},
		{"The feed: 2 write units and 1 read unit a row", "a row holds the changes of a batch of the stream"},
		{"The tick: 2 read units", "the most that its test allows"},
		{
			"A sweep: 14 read units for each cluster, 1.03 for each living task and instance in it",
			"measured: read consistently, found through an index in each of a cluster's ten partitions",
		},
		{"A record: 2.1 KB for 30 days", "1.1 KB in the table (measured), four index entries"},
		{
			"A watcher: 0.53 read units a second; a poll: 0.58, a request every 20 seconds",
			"measured: BenchmarkIdle in internal/watch",
		},
		{"Pollers: 5 for each queue that Lambda reads, 3 polls a minute each", "Lambda's long polling of an empty queue"},
		{"An idle run: 20 ms; a single event: 20 ms; ten events: 50 ms; an API request: 20 ms and 10 read units", "assumed"},
		{
			"A pass over a cluster: 300 ms, and 2 s for every 1,000 records",
			"3 calls of ECS, and 20, within the default budget (assumed)",
		},
		{"Logs: 800 bytes a run, 1,500 an API request", "assumed: Lambda's own three lines, one of metrics, the access log"},
	}
}
