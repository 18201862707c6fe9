package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/blox/blox/client"
)

const (
	// maxEventLag is where Blox stops no task any more: it does not know enough.
	maxEventLag = 2 * time.Minute
	// slowEvents are worth a look.
	slowEvents = 30 * time.Second
)

const lookAtIngest = "look at the age of the oldest message of the events queue, and at the ingest function's errors and throttles"

// events judges whether events come in. That they are late is reported by whoever stores them, for an account and region;
// where nobody stores any, only the queue shows it. why is said if there is nothing to judge by.
func (d *examination) events(ctx context.Context, clusters []client.Cluster, why string) {
	results, places := judgeLags(clusters)
	queue := d.eventsWait(ctx)
	if queue != nil && queue.Status != OK {
		results = append(results, *queue)
	}
	switch {
	case len(results) > 0:
		d.add(bounded(results)...)
	case places == 0:
		d.add(skipped(checkEvents, why))
	case queue != nil:
		d.add(ok(checkEvents, "no late report of %s; %s", counted(places, "account and region", "accounts and regions"), queue.Seen))
	default:
		d.add(ok(checkEvents, "no late report of %s", counted(places, "account and region", "accounts and regions")))
	}
}

// judgeLags judges how late events are reported to arrive, and counts the accounts and regions.
func judgeLags(clusters []client.Cluster) (results []Result, places int) {
	seen := map[string]bool{}
	for _, c := range clusters {
		place := c.Account + ", " + c.Region
		if seen[place] {
			continue
		}
		seen[place] = true
		lag := time.Duration(c.EventLagMillis) * time.Millisecond
		text := fmt.Sprintf("events of %s arrive %s late", place, roughly(lag))
		switch {
		case lag >= maxEventLag:
			results = append(results, fail(checkEvents, text, lookAtIngest+"; no daemon is stopped until they catch up"))
		case lag >= slowEvents:
			results = append(results, warn(checkEvents, text, lookAtIngest))
		}
	}
	return results, len(seen)
}

const (
	// eventLooks and eventPause are how often and at what distance the queue is looked at: an event that is on its way is
	// in it for less than a second, but a single look may see some of those.
	eventLooks = 4
	eventPause = 5 * time.Second
)

// eventsWait looks whether events lie in their queue; nil if it is not known where that is.
func (d *examination) eventsWait(ctx context.Context) *Result {
	if d.found == nil || d.found.Outputs[outputEventsQueue] == "" {
		return nil
	}
	count, looks := 0, 0
	for ; looks < eventLooks; looks++ {
		if looks > 0 && d.Pause(ctx, eventPause) != nil {
			break // what was seen until then is judged
		}
		var err error
		if count, err = messages(ctx, d.AWS.Queues, d.found.Outputs[outputEventsQueue]); err != nil {
			result := fail(checkEvents, outputEventsQueue+" cannot be read: "+d.Explain(err), "allow this identity sqs:GetQueueAttributes on it")
			return &result
		}
		if count == 0 {
			result := ok(checkEvents, "none waits in the queue")
			return &result
		}
	}
	result := warn(checkEvents, fmt.Sprintf("about %d events wait in the queue, and some at each of %d looks", count, looks), lookAtIngest+
		"; if the number grows, ingest has stopped or is too slow (docs/deploy.md, events-waiting). Where many events come all the time, some are always on their way")
	return &result
}
