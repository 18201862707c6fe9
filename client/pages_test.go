package client

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// taskAt is a task as a list shows it.
func taskAt(arn string, version int, more string) string {
	return fmt.Sprintf(`{"metadata": {"version": %d, "storedAt": "2026-01-01T00:00:0%dZ"%s}, "entity": {"taskARN": %q, "version": %[1]d}}`, version, version, more, arn)
}

func bodies(texts ...string) []func(http.ResponseWriter, *http.Request) {
	var all []func(http.ResponseWriter, *http.Request)
	for _, body := range texts {
		all = append(all, status(200, body))
	}
	return all
}

// What moves on in its life while pages are read may be on two of them: the newer one counts, whichever page it is on.
func TestAThingThatComesTwice(t *testing.T) {
	f := &fake{answers: bodies(
		`{"items": [`+taskAt("a", 1, "")+`,`+taskAt("b", 2, "")+`], "nextToken": "1"}`,
		`{"items": [`+taskAt("c", 1, "")+`,`+taskAt("a", 3, "")+`,`+taskAt("b", 2, "")+`], "nextToken": "2"}`,
		`{"items": [`+taskAt("a", 3, `, "inferred": true`)+`,`+taskAt("c", 0, "")+`]}`,
	)}
	c := f.start(t, Options{})
	var came []string
	for task, err := range c.ListTasks(t.Context(), TaskFilter{}) {
		require.NoError(t, err)
		came = append(came, fmt.Sprint(task.Entity.TaskARN, task.Metadata.Version, task.Metadata.Inferred))
	}
	require.Equal(t, []string{"a1 false", "b2 false", "c1 false", "a3 false", "a3 true"}, came, "an end that nobody reported is news")

	f.requests = nil
	all, err := c.AllTasks(t.Context(), TaskFilter{})
	require.NoError(t, err)
	came = nil
	for _, task := range all {
		came = append(came, fmt.Sprint(task.Entity.TaskARN, task.Metadata.Version, task.Metadata.Inferred))
	}
	require.Equal(t, []string{"a3 true", "b2 false", "c1 false"}, came)
}

func TestNewerMetadata(t *testing.T) {
	at := time.Unix(1, 0)
	old := Metadata{Version: 2, StoredAt: at}
	for _, newer := range []Metadata{{Version: 3}, {Version: 2, StoredAt: at.Add(1)}, {Version: 2, StoredAt: at, Inferred: true}} {
		require.True(t, newer.newerThan(old))
		require.False(t, old.newerThan(newer))
	}
	require.False(t, old.newerThan(old))
}

func TestAllEndsWithAnError(t *testing.T) {
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){status(200, `{"items": [`+taskAt("a", 1, "")+`], "nextToken": "1"}`), status(400, `{"status": 400}`)}}
	all, err := f.start(t, Options{}).AllTasks(t.Context(), TaskFilter{})
	require.Error(t, err)
	require.Empty(t, all)
}

func TestTheEnvironmentOfATask(t *testing.T) {
	f := &fake{answers: bodies(`{"items": [], "nextToken": "1"}`, `{"items": [{"name": "n"}]}`)}
	env, err := f.start(t, Options{}).EnvironmentOfTask(t.Context(), "blox/d")
	require.NoError(t, err)
	require.Equal(t, "n", env.Name)
	require.Equal(t, []string{"GET /v1/environments?startedBy=blox%2Fd", "GET /v1/environments?nextToken=1&startedBy=blox%2Fd"}, f.requests)

	f = &fake{answers: bodies(`{"items": []}`)}
	c := f.start(t, Options{})
	for _, startedBy := range []string{"ops", ""} {
		_, err = c.EnvironmentOfTask(t.Context(), startedBy)
		require.ErrorIs(t, err, ErrNotStarted)
	}
	require.Len(t, f.requests, 1, "nothing started a task without startedBy")
}
