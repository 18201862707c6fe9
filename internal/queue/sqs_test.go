package queue

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"
)

// fakeSQS records calls; refuse says which bodies it refuses, and how, in its n-th call.
type fakeSQS struct {
	calls  [][]types.SendMessageBatchRequestEntry
	refuse func(call int, body string) *types.BatchResultErrorEntry
	err    error
}

func (f *fakeSQS) SendMessageBatch(_ context.Context, in *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	f.calls = append(f.calls, in.Entries)
	if f.err != nil {
		return nil, f.err
	}
	out := &sqs.SendMessageBatchOutput{}
	for _, e := range in.Entries {
		if f.refuse != nil {
			if refused := f.refuse(len(f.calls), *e.MessageBody); refused != nil {
				refused.Id = e.Id
				out.Failed = append(out.Failed, *refused)
			}
		}
	}
	return out, nil
}

func (f *fakeSQS) bodies() [][]string {
	calls := make([][]string, len(f.calls))
	for i, entries := range f.calls {
		for _, e := range entries {
			calls[i] = append(calls[i], *e.MessageBody)
		}
	}
	return calls
}

func newSQS(api SQSAPI, url string) *SQS {
	q := NewSQS(api, url)
	q.pause = func(context.Context, int) error { return nil }
	return q
}

const standardURL, fifoURL = "https://sqs.eu-west-1.amazonaws.com/123456789012/wakeups", "https://sqs.eu-west-1.amazonaws.com/123456789012/reconcile.fifo"

func TestBatchesHoldTenMessagesAndOneMebibyte(t *testing.T) {
	var many []Message
	for i := range 23 {
		many = append(many, Message{Body: strconv.Itoa(i)})
	}
	big := func(n int) Message { return Message{Body: strings.Repeat("x", n)} }
	for name, tc := range map[string]struct {
		messages []Message
		sizes    []int
	}{
		"nothing to send":                {nil, nil},
		"23 small ones":                  {many, []int{10, 10, 3}},
		"two that fit exactly":           {[]Message{big(MaxBytes / 2), big(MaxBytes / 2)}, []int{2}},
		"one byte too much":              {[]Message{big(MaxBytes / 2), big(MaxBytes/2 + 1)}, []int{1, 1}},
		"one of the largest, and others": {[]Message{big(1), big(MaxBytes), big(1)}, []int{1, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			api := &fakeSQS{}
			require.NoError(t, newSQS(api, standardURL).Send(t.Context(), tc.messages))
			var sizes []int
			var sent []string
			for _, call := range api.bodies() {
				sizes = append(sizes, len(call))
				sent = append(sent, call...)
			}
			require.Equal(t, tc.sizes, sizes)
			for i, m := range tc.messages {
				require.Equal(t, m.Body, sent[i])
			}
		})
	}
}

func TestAttributesCountAsBytes(t *testing.T) {
	attribute := map[string]string{"reason": "x"} // 6 + len("String") + 1 = 13 bytes
	half := strings.Repeat("x", MaxBytes/2-13)
	api := &fakeSQS{}
	q := newSQS(api, standardURL)
	require.NoError(t, q.Send(t.Context(), []Message{{Body: half, Attributes: attribute}, {Body: half, Attributes: attribute}}))
	require.Len(t, api.calls, 1)
	require.NoError(t, q.Send(t.Context(), []Message{{Body: half + "x", Attributes: attribute}, {Body: half, Attributes: attribute}}))
	require.Len(t, api.calls, 3)
}

func TestWhatSQSGets(t *testing.T) {
	api := &fakeSQS{}
	require.NoError(t, newSQS(api, standardURL).Send(t.Context(), []Message{
		{Body: "a", Delay: 1500 * time.Millisecond, Attributes: map[string]string{"reason": "not-json"}},
		{Body: "b", Group: "fair"},
	}))
	require.NoError(t, newSQS(api, fifoURL).Send(t.Context(), []Message{{Body: "c", Group: "123456789012/eu-west-1", DeduplicationID: "d"}}))
	require.Equal(t, [][]types.SendMessageBatchRequestEntry{
		{
			{
				Id: aws.String("0"), MessageBody: aws.String("a"), DelaySeconds: 2,
				MessageAttributes: map[string]types.MessageAttributeValue{"reason": {DataType: aws.String("String"), StringValue: aws.String("not-json")}},
			},
			{Id: aws.String("1"), MessageBody: aws.String("b"), MessageGroupId: aws.String("fair")},
		},
		{{Id: aws.String("0"), MessageBody: aws.String("c"), MessageGroupId: aws.String("123456789012/eu-west-1"), MessageDeduplicationId: aws.String("d")}},
	}, api.calls)
}

func TestWhatSQSRefusedIsSentAgain(t *testing.T) {
	api := &fakeSQS{refuse: func(call int, body string) *types.BatchResultErrorEntry {
		if body == "b" && call < 3 || body == "c" && call < 2 {
			return &types.BatchResultErrorEntry{Code: aws.String("InternalError"), Message: aws.String("try again")}
		}
		return nil
	}}
	require.NoError(t, newSQS(api, standardURL).Send(t.Context(), []Message{{Body: "a"}, {Body: "b"}, {Body: "c"}}))
	require.Equal(t, [][]string{{"a", "b", "c"}, {"b", "c"}, {"b"}}, api.bodies())
}

func TestSendingGivesUp(t *testing.T) {
	refuseB := func(fault bool) func(int, string) *types.BatchResultErrorEntry {
		return func(_ int, body string) *types.BatchResultErrorEntry {
			if body != "b" {
				return nil
			}
			return &types.BatchResultErrorEntry{Code: aws.String("Refused"), Message: aws.String("because"), SenderFault: fault}
		}
	}
	down := errors.New("no such host")
	for name, tc := range map[string]struct {
		api    *fakeSQS
		calls  int
		says   string
		unsent []int
	}{
		"after some attempts":             {&fakeSQS{refuse: refuseB(false)}, attempts, "1 of 2 messages refused after 4 attempts: entry 1: Refused: because", []int{1}},
		"at once if the fault is our own": {&fakeSQS{refuse: refuseB(true)}, 1, "1 of 2 messages refused after 1 attempts", []int{1}},
		"when the call fails":             {&fakeSQS{err: down}, 1, "sending messages 1 to 2 of 2 to " + standardURL + ": no such host", []int{0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			err := newSQS(tc.api, standardURL).Send(t.Context(), []Message{{Body: "a"}, {Body: "b"}})
			require.ErrorContains(t, err, tc.says)
			require.Len(t, tc.api.calls, tc.calls)
			var unsent *UnsentError
			require.ErrorAs(t, err, &unsent)
			require.Equal(t, tc.unsent, unsent.Unsent)
		})
	}
	t.Run("when nobody waits any more", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		api := &fakeSQS{refuse: func(int, string) *types.BatchResultErrorEntry {
			cancel()
			return &types.BatchResultErrorEntry{Code: aws.String("InternalError")}
		}}
		require.ErrorIs(t, NewSQS(api, standardURL).Send(ctx, []Message{{Body: "a"}}), context.Canceled)
		require.Len(t, api.calls, 1)
	})
}

func TestWhatWasNotSentIsNamed(t *testing.T) {
	var many []Message
	for i := range 35 {
		many = append(many, Message{Body: strconv.Itoa(i)})
	}
	api := &fakeSQS{refuse: func(_ int, body string) *types.BatchResultErrorEntry {
		if body == "13" || body == "17" {
			return &types.BatchResultErrorEntry{Code: aws.String("Refused"), SenderFault: true}
		}
		return nil
	}}
	var unsent *UnsentError
	require.ErrorAs(t, newSQS(api, standardURL).Send(t.Context(), many), &unsent)
	require.Equal(t, append([]int{13, 17}, places(20, 35)...), unsent.Unsent)
}

func TestMessagesThatSQSCanNeverTakeAreNotSent(t *testing.T) {
	eleven := map[string]string{}
	for i := range 11 {
		eleven[strconv.Itoa(i)] = "x"
	}
	for name, tc := range map[string]struct {
		url     string
		message Message
		says    string
	}{
		"empty":                        {standardURL, Message{}, "the body is empty"},
		"too large":                    {standardURL, Message{Body: strings.Repeat("x", MaxBytes+1)}, "1048577 bytes"},
		"too many attributes":          {standardURL, Message{Body: "a", Attributes: eleven}, "11 attributes"},
		"an empty attribute":           {standardURL, Message{Body: "a", Attributes: map[string]string{"reason": ""}}, `attribute "reason"`},
		"too long a delay":             {standardURL, Message{Body: "a", Delay: MaxDelay + 1}, "0 to 15m0s"},
		"a negative delay":             {standardURL, Message{Body: "a", Delay: -1}, "0 to 15m0s"},
		"a delay on FIFO":              {fifoURL, Message{Body: "a", Group: "g", DeduplicationID: "d", Delay: 1}, "no delay per message"},
		"no group on FIFO":             {fifoURL, Message{Body: "a", DeduplicationID: "d"}, "no group"},
		"no deduplication id on FIFO":  {fifoURL, Message{Body: "a", Group: "g"}, "no deduplication id"},
		"a deduplication id elsewhere": {standardURL, Message{Body: "a", DeduplicationID: "d"}, "only FIFO queues have one"},
		"a long group":                 {standardURL, Message{Body: "a", Group: strings.Repeat("g", 129)}, "at most 128"},
	} {
		t.Run(name, func(t *testing.T) {
			api := &fakeSQS{}
			err := newSQS(api, tc.url).Send(t.Context(), []Message{{Body: "ok", Group: "g", DeduplicationID: "d"}, tc.message})
			if !strings.HasSuffix(tc.url, ".fifo") {
				err = newSQS(api, tc.url).Send(t.Context(), []Message{{Body: "ok"}, tc.message})
			}
			require.ErrorContains(t, err, "message 2 of 2: ")
			require.ErrorContains(t, err, tc.says)
			require.Empty(t, api.calls)
		})
	}
}
