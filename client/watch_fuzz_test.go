package client

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// decoded are the events that a watch gives of one answer of these bytes, and where the watch is then. At each event it
// is where the event says.
func decoded(t *testing.T, answer []byte, poll bool) (events []TaskWatchEvent, w *watching[TaskWatchEvent], err error) {
	w = &watching[TaskWatchEvent]{client: &Client{}, position: "p0", common: func(e *TaskWatchEvent) *WatchEvent { return &e.WatchEvent }}
	w.yield = func(e TaskWatchEvent, _ error) bool {
		require.Contains(t, []WatchEventType{WatchSnapshot, WatchUpdated, WatchDeleted, WatchBookmark, WatchHeartbeat}, e.Type)
		if e.EntityVersion != "" {
			require.Equal(t, e.EntityVersion, w.position)
		}
		events = append(events, e)
		return len(events) < 1000
	}
	silence := time.NewTimer(time.Hour)
	defer silence.Stop()
	if poll {
		err = w.readPoll(bytes.NewReader(answer), silence)
	} else {
		err = w.readStream(bytes.NewReader(answer), silence)
	}
	require.NotEmpty(t, w.position)
	return events, w, err
}

// Whatever an API says, a watch gives events that are known, and of an answer that is cut off the same ones up to there.
func FuzzStreamDecoder(f *testing.F) {
	f.Fuzz(func(t *testing.T, answer []byte) {
		events, _, err := decoded(t, answer, false)
		at := bytes.LastIndexByte(bytes.TrimRight(answer, "\r\n"), '\n')
		if at < 0 {
			return
		}
		fewer, _, cutOff := decoded(t, answer[:at], false)
		require.LessOrEqual(t, len(fewer), len(events))
		for i := range fewer {
			require.Equal(t, events[i], fewer[i])
		}
		if cutOff == nil {
			require.NoError(t, err, "it was over before")
			require.Len(t, events, len(fewer))
		}
	})
}

// An answer to a poll says where to go on, and so does its last event unless there is more of it; or it is an error.
func FuzzPollDecoder(f *testing.F) {
	f.Fuzz(func(t *testing.T, answer []byte) {
		events, w, err := decoded(t, answer, true)
		if err != nil {
			require.Empty(t, w.token)
		} else if w.token == "" {
			require.NotEmpty(t, events)
		}
	})
}
