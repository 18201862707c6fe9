package cost

import (
	"fmt"
	"strings"
)

// Line is one row of a table of costs.
type Line struct {
	What string
	// How says how USD comes about.
	How string
	USD float64
}

// Idle is what a month costs in which nothing happens: no event, no cluster, no environment, no request.
func (t *Template) Idle() ([]Line, error) {
	drive, err := t.function("drive")
	if err != nil {
		return nil, err
	}
	reconcile, err := t.function("reconcile")
	if err != nil {
		return nil, err
	}
	ticks, err := t.monthly("drive")
	if err != nil {
		return nil, err
	}
	sweeps, err := t.monthly("reconcile")
	if err != nil {
		return nil, err
	}
	// The schedule's run of reconcile only puts a message for each account and region into the queue, which invokes it
	// again for each, and then for each cluster, of which an idle month has none.
	places := reconcile.places()
	reconcileRuns := sweeps * (1 + places)
	standard, fifo := t.polled()
	polls := pollersAMapping * pollsAMinuteAndPoller * 60 * hoursAMonth
	names := t.customMetrics()

	return append(t.fixed(names),
		Line{
			"SQS: empty receives", fmt.Sprintf("%.0f standard queues and %.0f FIFO queue, %s polls each", standard, fifo, count(polls)),
			sqsStandard.of(standard*polls) + sqsFIFO.of(fifo*polls),
		},
		Line{"EventBridge Scheduler", fmt.Sprintf("%s ticks, %s sweeps", count(ticks), count(sweeps)), scheduler.of(ticks + sweeps)},
		Line{
			"SQS: requests to reconcile", fmt.Sprintf("%s sweeps of %.0f account and region, sent, received and deleted; each asks for a pass over every cluster (below)", count(sweeps), places),
			sqsFIFO.of(3 * sweeps * places),
		},
		drive.line("Lambda: drive, ticks", ticks, idleRunMillis),
		reconcile.line("Lambda: reconcile", reconcileRuns, idleRunMillis),
		Line{
			"DynamoDB: reads", fmt.Sprintf("%.0f units a tick, %.0f a sweep", idleReadsATick, idleReadsASweep),
			readUnits.of(ticks*idleReadsATick + sweeps*places*idleReadsASweep),
		},
		Line{"DynamoDB: storage and point-in-time recovery", "empty tables", 0},
		logs("Logs", ticks+reconcileRuns, logBytesARun),
		traced(ticks*drive.share()+reconcileRuns*reconcile.share()),
	), nil
}

// fixed is what is paid for by the month, whatever happens.
func (t *Template) fixed(metrics []string) []Line {
	alarms := t.alarmMetrics()
	lines := []Line{
		{"CloudWatch: alarms", fmt.Sprintf("%d alarms on %.0f metrics", len(t.of("AWS::CloudWatch::Alarm")), alarms), alarmMetrics.of(alarms)},
		{"CloudWatch: dashboard", "free if it is among the account's first three", dashboards.of(float64(len(t.of("AWS::CloudWatch::Dashboard"))))},
		{"CloudWatch: custom metrics", fmt.Sprintf("%d, if each is reported in every hour: %s", len(metrics), strings.Join(metrics, ", ")), customMetrics.of(float64(len(metrics)))},
	}
	if n := float64(len(t.of("AWS::KMS::Key"))); n > 0 {
		lines = append(lines, Line{"KMS: customer key", "without its requests", keys.of(n)})
	}
	return lines
}

// monthly is how often a month the schedule invokes a function.
func (t *Template) monthly(function string) (float64, error) {
	every, err := t.schedule(function)
	if err != nil {
		return 0, err
	}
	return hoursAMonth * 60 / every, nil
}

// line is what runs of a function cost: requests, and memory over time.
func (f function) line(what string, runs, millis float64) Line {
	return Line{what, fmt.Sprintf("%s runs of %s at %s", count(runs), seconds(millis), memory(f.memoryGB)), f.cost(runs, millis)}
}

func (f function) cost(runs, millis float64) float64 {
	return lambdaRequests.of(runs) + f.price().of(runs*f.memoryGB*millis/1000)
}

// share is 1 if the function's runs are traced.
func (f function) share() float64 {
	if f.traced {
		return 1
	}
	return 0
}

func logs(what string, runs, bytes float64) Line {
	return Line{what, fmt.Sprintf("%s runs, %.0f bytes each", count(runs), bytes), logIngestion.of(runs * bytes / gigabyte)}
}

// traced is what traces cost. X-Ray takes the first run of every second and a part of the rest.
func traced(n float64) Line {
	if n == 0 {
		return Line{"X-Ray", "off (parameter tracing)", 0}
	}
	return Line{"X-Ray", fmt.Sprintf("%s traces (parameter tracing)", count(n)), traces.of(n)}
}

// Sum adds up.
func Sum(lines []Line) float64 {
	total := 0.0
	for _, l := range lines {
		total += l.USD
	}
	return total
}
