package memory

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Event is the batch as Lambda's event source mapping hands it to a function. queueARN is the queue's.
func Event(queueARN string, batch []Received) events.SQSEvent {
	region := ""
	if parts := strings.Split(queueARN, ":"); len(parts) > 3 {
		region = parts[3]
	}
	records := make([]events.SQSMessage, len(batch))
	for i, m := range batch {
		records[i] = events.SQSMessage{
			MessageId: m.ID, ReceiptHandle: m.Receipt, Body: m.Body,
			Attributes:        systemAttributes(m),
			MessageAttributes: map[string]events.SQSMessageAttribute{},
			EventSource:       "aws:sqs", EventSourceARN: queueARN, AWSRegion: region,
		}
		for _, name := range slices.Sorted(maps.Keys(m.Attributes)) {
			value := m.Attributes[name]
			records[i].MessageAttributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &value}
		}
	}
	return events.SQSEvent{Records: records}
}

func systemAttributes(m Received) map[string]string {
	a := map[string]string{
		"ApproximateReceiveCount":          strconv.Itoa(m.Receives),
		"SentTimestamp":                    strconv.FormatInt(m.SentAt.UnixMilli(), 10),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.FirstReceivedAt.UnixMilli(), 10),
	}
	if m.Group != "" {
		a["MessageGroupId"] = m.Group
	}
	if m.DeduplicationID != "" {
		a["MessageDeduplicationId"] = m.DeduplicationID
	}
	return a
}

// Settle does with the batch what Lambda does after the function answered: what the answer does not name is deleted,
// what it names stays hidden until its visibility timeout ends and is then delivered again. An answer that names a
// message that was not in the batch is a failure of the whole batch. For a function that returned an error instead of
// an answer there is nothing to settle: all of its messages come again.
func (q *Queue) Settle(now time.Time, batch []Received, answer events.SQSEventResponse) (deleted int) {
	failed := make(map[string]bool, len(answer.BatchItemFailures))
	for _, f := range answer.BatchItemFailures {
		failed[f.ItemIdentifier] = true
	}
	known := make(map[string]bool, len(batch))
	for _, m := range batch {
		known[m.ID] = true
	}
	for id := range failed {
		if !known[id] {
			return 0
		}
	}
	for _, m := range batch {
		if !failed[m.ID] && q.Delete(now, m.Receipt) {
			deleted++
		}
	}
	return deleted
}
