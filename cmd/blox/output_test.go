package main

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
)

// seen is a thing in a version of it.
type seen struct {
	arn    string
	number int64
}

func listOf(things ...seen) iter.Seq2[seen, error] {
	return func(yield func(seen, error) bool) {
		for _, thing := range things {
			if !yield(thing, nil) {
				return
			}
		}
	}
}

func versionOf(s seen) (arn string, number int64) { return s.arn, s.number }

// What comes twice is shown once, in its newest version, and counts once.
func TestAThingOnTwoPagesIsShownOnce(t *testing.T) {
	for name, c := range map[string]struct {
		list  []seen
		limit int
		want  []seen
		more  bool
	}{
		"newer":              {[]seen{{"a", 1}, {"b", 1}, {"a", 2}}, 3, []seen{{"a", 2}, {"b", 1}}, false},
		"older":              {[]seen{{"a", 2}, {"a", 1}}, 3, []seen{{"a", 2}}, false},
		"an inferred end":    {[]seen{{"a", 2}, {"a", 2}}, 3, []seen{{"a", 2}}, false},
		"the limit is full":  {[]seen{{"a", 1}, {"b", 1}, {"a", 2}}, 2, []seen{{"a", 2}, {"b", 1}}, false},
		"there are more":     {[]seen{{"a", 1}, {"a", 2}, {"b", 1}}, 1, []seen{{"a", 2}}, true},
		"nothing":            {nil, 1, []seen{}, false},
		"things without ARN": {[]seen{{"", 1}, {"", 1}}, 3, []seen{{"", 1}, {"", 1}}, false},
	} {
		items, more, err := take(listOf(c.list...), c.limit, versionOf)
		require.NoError(t, err, name)
		require.Equal(t, c.want, items, name)
		require.Equal(t, c.more, more, name)
	}
	items, _, err := take(listOf(seen{"a", 1}, seen{"a", 1}), 3, nil)
	require.NoError(t, err)
	require.Len(t, items, 2, "other lists have nothing twice")
	_, _, err = take(func(yield func(seen, error) bool) { yield(seen{}, errors.New("broken")) }, 3, versionOf)
	require.ErrorContains(t, err, "broken")
}

// A task that starts to run between two pages is on both.
func TestATaskOnTwoPagesIsShownOnce(t *testing.T) {
	page := func(status string, version int, next string) string {
		return fmt.Sprintf(`{"items": [{"metadata": {"version": %d}, "entity": {"taskARN": "arn:x/1", "lastStatus": %q}}], "nextToken": %q}`,
			version, status, next)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		text := page("PENDING", 1, "more")
		if r.URL.Query().Get("nextToken") != "" {
			text = page("RUNNING", 2, "")
		}
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	s := newSession(t)
	s.env[endpointEnv] = server.URL
	got := s.run("get tasks --limit 1")
	require.Equal(t, exitOK, got.code, got.stderr)
	require.Equal(t, 2, strings.Count(got.stdout, "\n"), got.stdout)
	require.Contains(t, got.stdout, "RUNNING")
	require.Empty(t, got.stderr, "one is all")
}

func TestAReasonIsCut(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	at := now.Add(-time.Minute)
	row := endedTaskRow(now)
	reason := func(e client.TaskEntity) []string {
		cells := row(client.Task{Entity: e})
		return cells[len(cells)-2:]
	}
	require.Equal(t, []string{"60s ago", strings.Repeat("é", 49) + "…"},
		reason(client.TaskEntity{StoppedAt: &at, StoppedReason: strings.Repeat("é", 51), StopCode: "x"}))
	require.Equal(t, []string{"", strings.Repeat("é", 50)}, reason(client.TaskEntity{StoppedReason: strings.Repeat("é", 50)}))
	require.Equal(t, []string{"", "UserInitiated"}, reason(client.TaskEntity{StopCode: "UserInitiated"}))
	require.Len(t, row(client.Task{}), len(endedTaskHeader))
}

// Who may list tasks and not ask for clusters is not told that a cluster is unknown.
func TestAListOfACallerWhoMayNotSeeClusters(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(r.URL.Path, "clusters") {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"message": "User is not authorized"}`))
			return
		}
		_, _ = w.Write([]byte(`{"items": []}`))
	}))
	t.Cleanup(server.Close)
	s := newSession(t)
	s.env[endpointEnv] = server.URL
	got := s.run("get tasks --cluster x")
	require.Equal(t, exitOK, got.code, got.stderr)
	require.Equal(t, "nothing found\nlive tasks only; --all shows those that have stopped, too\n", got.stderr)
}
