package cost

import "fmt"

// EventLine is one row of the table of what events cost.
type EventLine struct {
	What, How string
	// Quiet is the cost when every event comes alone, Busy when batches are full.
	Quiet, Busy float64
}

// Million is what a million events of tasks cost, in the installation's own account and region. Events are free, and so
// is reading the table's stream by Lambda.
func (t *Template) Million() ([]EventLine, error) {
	ingest, err := t.function("ingest")
	if err != nil {
		return nil, err
	}
	dispatch, err := t.function("dispatch")
	if err != nil {
		return nil, err
	}
	const busyRuns = million / busyBatch
	gigabyteMonths := million * tasksAnEvent * recordBytes / gigabyte * recordDays / daysAMonth
	storage := tableStorage.of(gigabyteMonths) + recoveryStorage.of(gigabyteMonths)
	// A million lone events are spread over so long a time that each run is the first of its second.
	busyTraced := busyRuns * (1 + tracedBeyondTheFirst*(busyRunsASecond-1)) / busyRunsASecond
	functions := ingest.share() + dispatch.share()
	forwarded := busEvents.of(million * dispatch.forwards())
	return []EventLine{
		{"EventBridge", "events of AWS services are free", 0, 0},
		{"EventBridge: changes put on the installation's bus", dispatch.forwarding(), forwarded, forwarded},
		{"SQS", "sent one by one; received and deleted in batches", sqsStandard.of(3 * million), sqsStandard.of(million + 2*busyRuns)},
		{
			"Lambda: ingest", fmt.Sprintf("%s, or ten events in %s, at %s", seconds(oneEventMillis), seconds(tenEventsMillis), memory(ingest.memoryGB)),
			ingest.cost(million, oneEventMillis), ingest.cost(busyRuns, tenEventsMillis),
		},
		{"DynamoDB: records", fmt.Sprintf("%.1f write units an event", writeUnitsAnEvent), writeUnits.of(million * writeUnitsAnEvent), writeUnits.of(million * writeUnitsAnEvent)},
		{
			"Lambda: dispatch", fmt.Sprintf("the same durations, at %s", memory(dispatch.memoryGB)),
			dispatch.cost(million, oneEventMillis), dispatch.cost(busyRuns, tenEventsMillis),
		},
		{
			"DynamoDB: feed", fmt.Sprintf("%.0f write units and %.0f read unit a row", feedWritesARow, feedReadsARow),
			feed(million), feed(busyRuns),
		},
		{"DynamoDB: storage and point-in-time recovery", fmt.Sprintf("%s tasks, kept %.0f days", count(million*tasksAnEvent), recordDays), storage, storage},
		{
			"Logs", fmt.Sprintf("%.0f bytes a run", logBytesARun),
			logIngestion.of(2 * million * logBytesARun / gigabyte), logIngestion.of(2 * busyRuns * logBytesARun / gigabyte),
		},
		{"X-Ray", sampling(functions), traces.of(functions * million), traces.of(functions * busyTraced)},
	}, nil
}

func sampling(functions float64) string {
	if functions == 0 {
		return "off (parameter tracing)"
	}
	return "the first of every second and 5 % of the rest; what comes alone is always the first (parameter tracing)"
}

// forwards is 1 if dispatch puts every change on the installation's bus.
func (f function) forwards() float64 {
	if f.env["BLOX_FORWARD_CHANGES"] == "true" {
		return 1
	}
	return 0
}

func (f function) forwarding() string {
	if f.forwards() == 0 {
		return "off (parameter forwardChanges)"
	}
	return "one for each change (parameter forwardChanges); rules and targets in the same account are free"
}

func feed(rows float64) float64 {
	return writeUnits.of(rows*feedWritesARow) + readUnits.of(rows*feedReadsARow)
}

// Growth is what a month costs for each of the things that there may be many of.
func (t *Template) Growth() ([]Line, error) {
	var functions [3]function
	for i, name := range []string{"reconcile", "stream", "api"} {
		var err error
		if functions[i], err = t.function(name); err != nil {
			return nil, err
		}
	}
	reconcile, stream, api := functions[0], functions[1], functions[2]
	sweeps, err := t.monthly("reconcile")
	if err != nil {
		return nil, err
	}
	records := 1000.0
	watching := hoursAMonth * 3600
	return []Line{
		{
			"1,000 living tasks and instances: reconcile",
			fmt.Sprintf("%s sweeps: %.2f read units a record, %s of Lambda", count(sweeps), readsARecordAndSweep, seconds(sweepMillisAThousand)),
			readUnits.of(sweeps*records*readsARecordAndSweep) + reconcile.price().of(sweeps*reconcile.memoryGB*sweepMillisAThousand/1000),
		},
		{
			"a cluster: reconcile",
			fmt.Sprintf("%s sweeps: a message, %s of Lambda, %.0f read and %.0f write units",
				count(sweeps), seconds(passMillis), readsAClusterAndSweep, writesAClusterAndSweep),
			sqsFIFO.of(sweeps*requestsAClusterAndSweep) + reconcile.cost(sweeps, passMillis) +
				readUnits.of(sweeps*readsAClusterAndSweep) + writeUnits.of(sweeps*writesAClusterAndSweep) +
				logIngestion.of(sweeps*logBytesARun/gigabyte) + traces.of(reconcile.share()*sweeps),
		},
		{"a cluster with daemons: its metric", "HostsWithOnlyDaemons, which is by cluster", customMetrics.of(1)},
		{
			"a watcher that is always connected",
			fmt.Sprintf("Lambda at %s all month, %.2f read units a second while nothing changes", memory(stream.memoryGB), readsAWatcherASecond),
			stream.price().of(watching*stream.memoryGB) + readUnits.of(watching*readsAWatcherASecond),
		},
		{
			"a poller that always waits",
			fmt.Sprintf("Lambda at %s all month, %s requests, %.2f read units a second while nothing changes",
				memory(api.memoryGB), count(watching/pollSeconds), readsAPollASecond),
			api.cost(watching/pollSeconds, 1000*pollSeconds) + apiRequests.of(watching/pollSeconds) + readUnits.of(watching*readsAPollASecond) +
				logIngestion.of(watching/pollSeconds*logBytesAnAPIRequest/gigabyte) + traces.of(api.share()*watching/pollSeconds),
		},
		{
			"a million API requests",
			fmt.Sprintf("API Gateway, Lambda, %.0f read units and %s bytes of logs each; X-Ray, if traced, for all",
				readsAnAPIRequest, count(logBytesAnAPIRequest)),
			apiRequests.of(million) + api.cost(million, apiRunMillis) + readUnits.of(million*readsAnAPIRequest) +
				logIngestion.of(million*logBytesAnAPIRequest/gigabyte) + traces.of(api.share()*million),
		},
		{"a million events of members", "on top of the table above: EventBridge's delivery to another account or region", crossAccount.of(million)},
	}, nil
}
