package dlq

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Letter is a message of a dead-letter queue, as far as it can be read.
type Letter struct {
	// MessageID is SQS's, EventID the event's own: empty if the message is none or cannot be read.
	MessageID string `json:"messageId"`
	EventID   string `json:"eventId,omitempty"`
	// Reason is why it is here, for machines: one of ingest's, an error code of EventBridge, or one of those below.
	// Error says more.
	Reason string `json:"reason"`
	Error  string `json:"error,omitempty"`
	// Time is when the event happened, as it says itself.
	Time string `json:"time,omitempty"`
	// Kind is the event's detail-type, Subject the ARN of the task or container instance that it is about.
	Kind    string `json:"kind,omitempty"`
	Subject string `json:"subject,omitempty"`
	// Receives counts how often it was received from this queue, this time included.
	Receives int `json:"receives"`
	// SentAt is when it was first put into a queue: one that SQS moved here keeps its time.
	SentAt time.Time `json:"sentAt"`
	Bytes  int       `json:"bytes"`
	Body   string    `json:"body"`
}

// Reasons of messages that nobody gave one.
const (
	// ReasonReceives: SQS moved it here because it was received too often; why that was is in the function's log.
	ReasonReceives = "too-many-receives"
	// ReasonUnknown: it has no attribute that says why.
	ReasonUnknown = "unknown"
)

// Attributes of messages: ingest's, and those of EventBridge and EventBridge Scheduler.
const (
	attributeReason    = "reason"
	attributeError     = "error"
	attributeErrorCode = "ERROR_CODE"
	attributeErrorText = "ERROR_MESSAGE"
)

// maxFieldBytes bounds what is shown of a field that a hostile sender may have made long; the body is whole.
const maxFieldBytes = 512

// reader reads what is particular to the messages of a queue. Whatever cannot be read stays empty.
type reader func(*Letter)

func letterOf(q Queue, m types.Message) Letter {
	l := Letter{MessageID: aws.ToString(m.MessageId), Body: aws.ToString(m.Body)}
	l.Bytes = len(l.Body)
	l.Receives, _ = strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	if millis, err := strconv.ParseInt(
		m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)],
		10,
		64,
	); err == nil {
		l.SentAt = time.UnixMilli(millis).UTC()
	}
	attribute := func(names ...string) string {
		for _, name := range names {
			if value := aws.ToString(m.MessageAttributes[name].StringValue); value != "" {
				return short(value)
			}
		}
		return ""
	}
	l.Reason, l.Error = attribute(attributeReason, attributeErrorCode), attribute(attributeError, attributeErrorText)
	q.letter(&l)
	if l.Reason == "" {
		l.Reason = ReasonUnknown
		// Of a message that SQS moved here itself it says from where.
		if _, moved := m.Attributes[string(types.MessageSystemAttributeNameDeadLetterQueueSourceArn)]; moved {
			l.Reason = ReasonReceives
		}
	}
	return l
}

// readEvent reads an ECS event. What is wrong about it may be anything, so that each field is read for itself: after
// a field of a wrong type encoding/json goes on with the others.
func readEvent(l *Letter) {
	var event struct {
		ID         string   `json:"id"`
		Time       string   `json:"time"`
		DetailType string   `json:"detail-type"`
		Resources  []string `json:"resources"`
		Detail     struct {
			TaskARN              string `json:"taskArn"`
			ContainerInstanceARN string `json:"containerInstanceArn"`
		} `json:"detail"`
	}
	_ = json.Unmarshal([]byte(l.Body), &event)
	l.EventID, l.Time, l.Kind = short(event.ID), short(event.Time), short(event.DetailType)
	// A task's detail names its container instance, too.
	for _, arn := range append(append([]string{event.Detail.TaskARN}, event.Resources...), event.Detail.ContainerInstanceARN) {
		if arn != "" {
			l.Subject = short(arn)
			return
		}
	}
}

// readRequest reads a message that functions send each other, or a schedule's. What a wake-up or a request is about
// is in its body, which is short.
func readRequest(l *Letter) {
	var request struct {
		Kind          string `json:"kind"`
		Cluster       string `json:"cluster"`
		EnvironmentID string `json:"environmentId"`
		Source        string `json:"source"`
	}
	_ = json.Unmarshal([]byte(l.Body), &request)
	l.Kind, l.Subject = short(request.Kind+request.Source), short(request.Cluster+request.EnvironmentID)
}

// readStreamFailure reads what Lambda tells of stream records that it gave up on.
func readStreamFailure(l *Letter) {
	var failure struct {
		RequestContext struct {
			RequestID string `json:"requestId"`
			Condition string `json:"condition"`
		} `json:"requestContext"`
		Timestamp string `json:"timestamp"`
		Batch     struct {
			ShardID string `json:"shardId"`
			Start   string `json:"startSequenceNumber"`
		} `json:"DDBStreamBatchInfo"`
	}
	_ = json.Unmarshal([]byte(l.Body), &failure)
	l.Reason, l.Time = short(failure.RequestContext.Condition), short(failure.Timestamp)
	l.EventID = short(failure.RequestContext.RequestID)
	if failure.Batch.ShardID != "" {
		l.Kind, l.Subject = "stream records", short(failure.Batch.ShardID+" from "+failure.Batch.Start)
	}
}

func short(text string) string {
	if len(text) <= maxFieldBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxFieldBytes], "") + "…"
}

// Selection picks letters: those with one of the reasons, if there are any, and with one of the ids (of the event or
// the message), if there are any.
type Selection struct {
	Reasons, IDs []string
}

// All says whether every letter is picked.
func (s Selection) All() bool { return len(s.Reasons) == 0 && len(s.IDs) == 0 }

// Picks says whether a letter is picked.
func (s Selection) Picks(l Letter) bool {
	return oneOf(s.Reasons, l.Reason) && (oneOf(s.IDs, l.MessageID) || l.EventID != "" && oneOf(s.IDs, l.EventID))
}

func oneOf(allowed []string, value string) bool {
	if len(allowed) == 0 {
		return true
	}
	for _, a := range allowed {
		if a == value {
			return true
		}
	}
	return false
}
