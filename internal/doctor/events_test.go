package doctor

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
)

func TestEventsThatAreReportedLate(t *testing.T) {
	for lag, want := range map[time.Duration]Status{0: OK, 29 * time.Second: OK, 30 * time.Second: Warn, 119 * time.Second: Warn, 2 * time.Minute: Fail} {
		i := newInstallation()
		i.clusters = []client.Cluster{
			{Name: "a", Account: "1", Region: "r", EventLagMillis: lag.Milliseconds()}, {Name: "b", Account: "1", Region: "r", EventLagMillis: lag.Milliseconds()},
		}
		only(t, i.examine(t, nil), checkEvents, want, "")
	}
	i := newInstallation()
	i.clusters = []client.Cluster{{Account: "1", Region: "r", EventLagMillis: 300_000}, {Account: "2", Region: "r", EventLagMillis: 31_000}}
	two := of(i.examine(t, nil), checkEvents)
	require.Len(t, two, 2)
	require.Equal(t, "events of 1, r arrive 5m late", two[0].Seen)

	i.clusters = nil
	only(t, i.examine(t, nil), checkEvents, Skipped, "no cluster")
}

// An ingest that has stopped reports nothing, and then no event is late.
func TestEventsThatWait(t *testing.T) {
	const queue = "https://sqs.test/events"
	i := newInstallation()
	i.messages[queue] = "7"
	report := i.examine(t, func(c *Config) { c.Canary = nil })
	only(t, report, checkEvents, Warn, "about 7 events wait in the queue, and some at each of 4 looks")
	require.Contains(t, of(report, checkEvents)[0].Do, "ingest")
	require.Equal(t, 3*eventPause, i.now.Sub(start).Truncate(time.Second))

	i = newInstallation()
	i.messages[queue] = "7"
	i.onPause = func() error {
		delete(i.messages, queue)
		return nil
	}
	only(t, i.examine(t, func(c *Config) { c.Canary = nil }), checkEvents, OK, "no late report of 1 account and region; none waits in the queue")

	i = newInstallation()
	i.messages[queue], i.clusters, i.pingErr = "7", nil, errors.New("gone")
	only(t, i.examine(t, nil), checkEvents, Warn, "about 7 events wait") // the queue can be seen without the API

	i = newInstallation()
	i.messages[queue] = "7"
	i.onPause = func() error { return context.Canceled }
	only(t, i.examine(t, func(c *Config) { c.Canary = nil }), checkEvents, Warn, "at each of 1 looks")

	i = newInstallation()
	i.messages[queue] = "many"
	only(t, i.examine(t, nil), checkEvents, Fail, "EventsQueueUrl cannot be read")

	// A stack that does not say where the queue is, or none: what is not known is not claimed.
	i = newInstallation()
	delete(i.outputs, outputEventsQueue)
	report = i.examine(t, nil)
	require.Equal(t, Result{checkEvents, OK, "no late report of 1 account and region", ""}, of(report, checkEvents)[0])
}

func TestThePeriodIsThatOfTheStack(t *testing.T) {
	for _, c := range []struct {
		output string
		status Status
		says   string
	}{
		{"5", Fail, "was last reconciled 12m ago; the period is 5m"},
		{"10", OK, "each reconciled within the last 12m"},
		{"", Fail, "the period is 1m"}, // the stack of an older version: the caller says it
		{"61", Fail, `the stack's output ReconcileMinutes is "61": allowed are 1 to 60`},
		{"x", Fail, `is "x"`},
	} {
		t.Run(fmt.Sprint("output ", c.output), func(t *testing.T) {
			i := newInstallation()
			at := start.Add(-12 * time.Minute)
			i.clusters[0].LastReconciledAt = &at
			i.outputs[outputReconcileMinutes] = c.output
			only(t, i.examine(t, func(c *Config) { c.ReconcilePeriod = time.Minute }), checkReconcile, c.status, c.says)
		})
	}
}
