package stream_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/stream"
)

var quiet = slog.New(slog.DiscardHandler)

// invoke calls a handler as Lambda does.
func invoke(t *testing.T, handler stream.Handler, batch events.DynamoDBEvent) (failed []string, err error) {
	t.Helper()
	raw, err := json.Marshal(batch)
	require.NoError(t, err)
	answer, err := lambda.NewHandler(handler).Invoke(t.Context(), raw)
	if err != nil {
		return nil, err
	}
	var response events.DynamoDBEventResponse
	require.NoError(t, json.Unmarshal(answer, &response))
	for _, f := range response.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed, nil
}

// threeTasks is a batch of the tasks a, b and c, with a row of a cluster between them.
func threeTasks(t *testing.T) (events.DynamoDBEvent, func(i int) string) {
	t.Helper()
	w := newWorld(t)
	w.store(task("a", 1, "RUNNING"))
	require.NoError(t, w.state.AddCluster(t.Context(), cluster))
	w.store(task("b", 1, "RUNNING"))
	w.store(task("c", 1, "RUNNING"))
	batch := w.batch()
	require.Len(t, batch.Records, 4)
	return batch, func(i int) string { return batch.Records[i].Change.SequenceNumber }
}

func TestEachHandlesOneChangeAfterTheOther(t *testing.T) {
	batch, _ := threeTasks(t)
	var seen []string
	failed, err := invoke(t, stream.Each(quiet, func(_ context.Context, c stream.Change) error {
		seen = append(seen, c.ID)
		return nil
	}), batch)
	require.NoError(t, err)
	require.Empty(t, failed)
	require.Equal(t, []string{"a", "b", "c"}, seen)
}

func TestAFailureBlocksOnlyWhatFollowsIt(t *testing.T) {
	batch, sequence := threeTasks(t)
	var log bytes.Buffer
	var seen []string
	failed, err := invoke(t, stream.Each(slog.New(slog.NewTextHandler(&log, nil)), func(_ context.Context, c stream.Change) error {
		seen = append(seen, c.ID)
		if c.ID == "b" {
			return errors.New("not today")
		}
		return nil
	}), batch)
	require.NoError(t, err)
	require.Equal(t, []string{sequence(2)}, failed)
	require.Equal(t, []string{"a", "b"}, seen, "what follows keeps its order")
	require.Contains(t, log.String(), fmt.Sprintf("stream record %s: not today", sequence(2)))
}

func TestARecordThatCannotBeReadBlocksOnlyWhatFollowsIt(t *testing.T) {
	batch, sequence := threeTasks(t)
	batch.Records[3].Change.NewImage["version"] = events.NewStringAttribute("one")
	var seen []string
	keep := func(changes ...stream.Change) error {
		for _, c := range changes {
			seen = append(seen, c.ID)
		}
		return nil
	}
	for name, handler := range map[string]stream.Handler{
		"each":    stream.Each(quiet, func(_ context.Context, c stream.Change) error { return keep(c) }),
		"batches": stream.Batches(quiet, func(_ context.Context, all []stream.Change) error { return keep(all...) }),
	} {
		t.Run(name, func(t *testing.T) {
			seen = nil
			failed, err := invoke(t, handler, batch)
			require.NoError(t, err)
			require.Equal(t, []string{sequence(3)}, failed)
			require.Equal(t, []string{"a", "b"}, seen)
		})
	}
}

func TestBatchesHandlesAllAtOnce(t *testing.T) {
	batch, sequence := threeTasks(t)
	for name, c := range map[string]struct {
		err    error
		failed []string
	}{
		"success":                    {nil, nil},
		"failure from a change on":   {fmt.Errorf("wrapped: %w", &stream.RecordError{SequenceNumber: sequence(2), Err: errors.New("no")}), []string{sequence(2)}},
		"failure of the whole batch": {errors.New("no"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			failed, err := invoke(t, stream.Batches(quiet, func(_ context.Context, changes []stream.Change) error {
				calls++
				require.Len(t, changes, 3)
				return c.err
			}), batch)
			require.Equal(t, 1, calls)
			require.Equal(t, c.failed, failed)
			if c.err != nil && c.failed == nil {
				require.ErrorContains(t, err, "no", "Lambda delivers all of it again")
			} else {
				require.NoError(t, err)
			}
		})
	}
}

func TestABatchWithoutChangesCallsNobody(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.state.AddCluster(t.Context(), cluster))
	failed, err := invoke(t, stream.Batches(quiet, func(context.Context, []stream.Change) error { return errors.New("called") }), w.batch())
	require.NoError(t, err)
	require.Empty(t, failed)
}

// Without a sequence number Lambda cannot be told where to go on; an empty one would be a success to none but the
// reader of the response.
func TestAFailureAtNoRecordIsOneOfTheBatch(t *testing.T) {
	whole := &stream.RecordError{Err: errors.New("no")}
	response, err := stream.Response(whole)
	require.Equal(t, error(whole), err)
	require.Empty(t, response.BatchItemFailures)
}
