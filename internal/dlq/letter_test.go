package dlq

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/event/eventtest"
)

func everyOutput() map[string]string {
	outputs := map[string]string{}
	for _, kind := range kinds {
		outputs[kind.output] = "https://sqs.test/1/" + kind.output
		if kind.back != "" {
			outputs[kind.back] = "https://sqs.test/1/" + kind.back
		}
	}
	return outputs
}

func TestTheQueuesOfAStack(t *testing.T) {
	all := Queues(everyOutput())
	require.Len(t, all, 6)
	require.Equal(t, "events", all[0].Name)
	for _, q := range all {
		require.Equal(t, q.Back == "", q.Refusal != "", q.Name)
		require.Equal(t, q.Ordered, q.Name == "reconcile")
	}
	rule, err := Find(all, "rule")
	require.NoError(t, err)
	require.Equal(t, "https://sqs.test/1/EventsQueueUrl", rule.Back)
	require.False(t, rule.MovedBySQS, "EventBridge set its messages aside, and not a queue")
	_, err = Find(all[:2], "wakeup")
	require.EqualError(t, err, `there is no dead-letter queue "wakeup": allowed are events, rule`)

	few := Queues(map[string]string{"EventsDeadLettersUrl": "https://sqs.test/1/dead"})
	require.Len(t, few, 1)
	require.Contains(t, few[0].Refusal, "no output EventsQueueUrl")
}

func TestWhatALetterTells(t *testing.T) {
	event := string(eventtest.Task())
	subject := "arn:aws:ecs:eu-west-1:210987654321:task/edge/" + eventtest.DefaultTaskID
	text := func(value string) types.MessageAttributeValue {
		return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
	}
	for _, c := range []struct {
		about, queue, body string
		attributes         map[string]types.MessageAttributeValue
		moved              bool
		want               Letter
	}{
		{
			about: "an event that ingest set aside", queue: "events", body: event,
			attributes: map[string]types.MessageAttributeValue{"reason": text("too-large"), "error": text("Item size")},
			want:       Letter{EventID: eventIDOf(t, event), Reason: "too-large", Error: "Item size", Time: "2026-11-20T09:14:07Z", Kind: "ECS Task State Change", Subject: subject},
		},
		{
			about: "an event that was received too often", queue: "events", body: event, moved: true,
			want: Letter{EventID: eventIDOf(t, event), Reason: "too-many-receives", Time: "2026-11-20T09:14:07Z", Kind: "ECS Task State Change", Subject: subject},
		},
		{about: "an event without room for attributes", queue: "events", body: "{", want: Letter{Reason: "unknown"}},
		{
			about: "fields of wrong types", queue: "events", body: `{"id":7,"detail-type":"X","time":[],"detail":{"taskArn":1,"containerInstanceArn":"arn:c"}}`,
			attributes: map[string]types.MessageAttributeValue{"reason": text("wrong-type:id")},
			want:       Letter{Reason: "wrong-type:id", Kind: "X", Subject: "arn:c"},
		},
		{
			about: "an event that EventBridge could not deliver", queue: "rule", body: `{"id":"e","resources":["arn:r"]}`,
			attributes: map[string]types.MessageAttributeValue{"ERROR_CODE": text("NO_PERMISSIONS"), "ERROR_MESSAGE": text("not allowed")},
			want:       Letter{EventID: "e", Reason: "NO_PERMISSIONS", Error: "not allowed", Subject: "arn:r"},
		},
		{
			about: "a request to reconcile", queue: "reconcile", body: `{"kind":"cluster","cluster":"arn:x"}`, moved: true,
			want: Letter{Reason: "too-many-receives", Kind: "cluster", Subject: "arn:x"},
		},
		{about: "a wake-up", queue: "wakeups", body: `{"environmentId":"e-1"}`, moved: true, want: Letter{Reason: "too-many-receives", Subject: "e-1"}},
		{
			about: "stream records", queue: "stream",
			body: `{"requestContext":{"requestId":"r-1","functionArn":"f","condition":"RetryAttemptsExhausted","approximateInvokeCount":4},` +
				`"responseContext":{"statusCode":200},"version":"1.0","timestamp":"2026-11-20T08:00:00.000Z",` +
				`"DDBStreamBatchInfo":{"shardId":"shardId-1","startSequenceNumber":"100","endSequenceNumber":"200","batchSize":3,"streamArn":"s"}}`,
			want: Letter{EventID: "r-1", Reason: "RetryAttemptsExhausted", Time: "2026-11-20T08:00:00.000Z", Kind: "stream records", Subject: "shardId-1 from 100"},
		},
		{
			about: "a schedule", queue: "schedules", body: `{"source":"blox.tick"}`,
			attributes: map[string]types.MessageAttributeValue{"ERROR_CODE": text("Throttled")},
			want:       Letter{Reason: "Throttled", Kind: "blox.tick"},
		},
	} {
		t.Run(c.about, func(t *testing.T) {
			q, err := Find(Queues(everyOutput()), c.queue)
			require.NoError(t, err)
			m := types.Message{
				MessageId: aws.String("m-1"), Body: &c.body, MessageAttributes: c.attributes,
				Attributes: map[string]string{"SentTimestamp": "1795165200000", "ApproximateReceiveCount": "3"},
			}
			if c.moved {
				m.Attributes["DeadLetterQueueSourceArn"] = "arn:aws:sqs:eu-west-1:123456789012:q"
			}
			c.want.MessageID, c.want.Body, c.want.Bytes, c.want.Receives, c.want.SentAt = "m-1", c.body, len(
				c.body,
			), 3, time.UnixMilli(
				1795165200000,
			).UTC()
			require.Equal(t, c.want, letterOf(q, m))
		})
	}
}

func eventIDOf(t *testing.T, body string) string {
	t.Helper()
	l := Letter{Body: body}
	readEvent(&l)
	require.NotEmpty(t, l.EventID)
	return l.EventID
}

func TestFieldsAreBounded(t *testing.T) {
	l := Letter{Body: `{"id":"` + strings.Repeat("ä", 10_000) + `"}`}
	readEvent(&l)
	require.LessOrEqual(t, len(l.EventID), maxFieldBytes+len("…"))
}

func TestSelections(t *testing.T) {
	l := Letter{MessageID: "m", EventID: "e", Reason: "panic"}
	for _, c := range []struct {
		selection Selection
		want      bool
	}{
		{Selection{}, true},
		{Selection{Reasons: []string{"panic"}}, true},
		{Selection{Reasons: []string{"not-json", "panic"}}, true},
		{Selection{Reasons: []string{"not-json"}}, false},
		{Selection{IDs: []string{"e"}}, true},
		{Selection{IDs: []string{"m"}}, true},
		{Selection{IDs: []string{"x"}}, false},
		{Selection{Reasons: []string{"panic"}, IDs: []string{"x"}}, false},
		{Selection{Reasons: []string{"not-json"}, IDs: []string{"e"}}, false},
	} {
		require.Equal(t, c.want, c.selection.Picks(l), "%+v", c.selection)
	}
	require.False(t, Selection{IDs: []string{""}}.Picks(Letter{MessageID: "m"}), "no id is no id")
}
