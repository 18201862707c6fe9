package cost

import (
	"fmt"
	"math"
)

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
	// Ten changes fall to fewer rows than ten: as many as shards that at least one of them belongs to.
	busyRows := busyRuns * feedShards * (1 - math.Pow(1-1/feedShards, busyBatch))
	gigabyteMonths := million * tasksAnEvent * recordBytes / gigabyte * recordDays / daysAMonth
	storage := tableStorage.of(gigabyteMonths) + recoveryStorage.of(gigabyteMonths)
	// A million lone events are spread over so long a time that each run is the first of its second.
	busyTraced := busyRuns * (1 + tracedBeyondTheFirst*(busyRunsASecond-1)) / busyRunsASecond
	functions := ingest.share() + dispatch.share()
	return []EventLine{
		{"EventBridge", "events of AWS services are free", 0, 0},
		{"SQS", "sent one by one; received and deleted in batches", sqsStandard.of(3 * million), sqsStandard.of(million + 2*busyRuns)},
		{
			"Lambda: ingest", fmt.Sprintf("%s, or ten events in %s, at %s", seconds(oneEventMillis), seconds(tenEventsMillis), memory(ingest.memoryGB)),
			ingest.cost(million, oneEventMillis), ingest.cost(busyRuns, tenEventsMillis),
		},
		{"DynamoDB: records", fmt.Sprintf("%.0f write units an event", writeUnitsAnEvent), writeUnits.of(million * writeUnitsAnEvent), writeUnits.of(million * writeUnitsAnEvent)},
		{
			"Lambda: dispatch", fmt.Sprintf("the same durations, at %s", memory(dispatch.memoryGB)),
			dispatch.cost(million, oneEventMillis), dispatch.cost(busyRuns, tenEventsMillis),
		},
		{
			"DynamoDB: feed", fmt.Sprintf("%.0f write units and %.0f read unit a row", feedWritesARow, feedReadsARow),
			feed(million), feed(busyRows),
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
		{"a cluster: reconcile", fmt.Sprintf("%.0f write unit a sweep", writesAClusterAndSweep), writeUnits.of(sweeps * writesAClusterAndSweep)},
		{
			"a watcher that is always connected",
			fmt.Sprintf("Lambda at %s all month, %.0f read unit a second while nothing changes", memory(stream.memoryGB), readsAWatcherASecond),
			stream.price().of(watching*stream.memoryGB) + readUnits.of(watching*readsAWatcherASecond),
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
