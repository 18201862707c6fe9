package dlq

import (
	"fmt"
	"strings"
)

// Queue is a dead-letter queue.
type Queue struct {
	// Name is what people call it: what it holds the failures of.
	Name string
	// Holds says that in words.
	Holds string
	// URL is the queue's address, Back the one of the queue that its messages go back to; empty if they cannot.
	URL, Back string
	// Refusal says why its messages cannot be sent back, and what happens instead.
	Refusal string
	// Ordered is a FIFO queue.
	Ordered bool
	// MovedBySQS is whether SQS can move its messages: those of queues of SQS alone, by SQS's rules.
	MovedBySQS bool

	letter reader
}

// kinds are the dead-letter queues of an installation, by the outputs of its stack, the most important first.
var kinds = []struct {
	Queue
	output, back string
}{
	{
		Queue{Name: "events", Holds: "ECS events that could not be stored", MovedBySQS: true, letter: readEvent},
		"EventsDeadLettersUrl",
		"EventsQueueUrl",
	},
	{
		Queue{Name: "rule", Holds: "ECS events that EventBridge could not deliver", letter: readEvent},
		"RuleDeadLettersUrl",
		"EventsQueueUrl",
	},
	{
		Queue{
			Name:       "reconcile",
			Holds:      "requests to reconcile that failed",
			Ordered:    true,
			MovedBySQS: true,
			letter:     readRequest,
		},
		"ReconcileDeadLettersUrl",
		"ReconcileQueueUrl",
	},
	{
		Queue{Name: "wakeups", Holds: "wake-ups of the scheduler that failed", MovedBySQS: true, letter: readRequest},
		"WakeupsDeadLettersUrl",
		"WakeupQueueUrl",
	},
	{
		Queue{
			Name:   "stream",
			Holds:  "places in the state's stream that could not be worked on",
			letter: readStreamFailure,
			Refusal: "they are places in a stream and no messages of a queue: the stream keeps its records for 24 hours, and the next sweep " +
				"and the scheduler's tick make up for what was missed",
		},
		"StreamFailuresUrl",
		"",
	},
	{Queue{
		Name: "schedules", Holds: "schedules that could not be invoked", letter: readRequest,
		Refusal: "they are invocations of a schedule and no messages of a queue: the next invocation does the same",
	}, "ScheduleDeadLettersUrl", ""},
}

// Queues are those of an installation, by the outputs of its stack. An installation of another version may have
// fewer.
func Queues(outputs map[string]string) []Queue {
	var queues []Queue
	for _, kind := range kinds {
		q := kind.Queue
		if q.URL = outputs[kind.output]; q.URL == "" {
			continue
		}
		if q.Back = outputs[kind.back]; q.Back == "" && q.Refusal == "" {
			q.Refusal = "the stack has no output " + kind.back + " that says where they go back to"
		}
		queues = append(queues, q)
	}
	return queues
}

// Find finds a queue by its name.
func Find(queues []Queue, name string) (Queue, error) {
	names := make([]string, len(queues))
	for i, q := range queues {
		if q.Name == name {
			return q, nil
		}
		names[i] = q.Name
	}
	return Queue{}, fmt.Errorf("there is no dead-letter queue %q: allowed are %s", name, strings.Join(names, ", "))
}
