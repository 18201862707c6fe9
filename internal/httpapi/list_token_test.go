package httpapi_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/event/eventtest"
)

// tokenLists are lists of each way that pages go on: through the table, through each index, and in an order.
var tokenLists = []string{
	"/v1/tasks?limit=3&cluster=edge", "/v1/tasks?limit=3", "/v1/tasks?limit=3&status=running", "/v1/tasks?limit=3&startedBy=dev",
	"/v1/tasks?limit=3&group=service:web", "/v1/tasks?limit=3&desiredStatus=stopped&cluster=edge", "/v1/tasks?limit=3&sort=createdAt",
	"/v1/tasks?limit=3&sort=-stoppedAt&status=stopped", "/v1/tasks?limit=3&containerInstance=" + id(77) + "&desiredStatus=running",
}

// newTokenAPI has tasks in two clusters, of which every list of tokenLists has several pages.
func newTokenAPI(t testing.TB) *api {
	a := newAPI(t)
	for n := range 24 {
		a.task(eventtest.ID(id(n)), eventtest.Cluster([]string{"edge", "core"}[n%2]), eventtest.LastStatus([]string{"RUNNING", "STOPPED", "RUNNING"}[n%3]),
			eventtest.StartedBy("dev"), eventtest.Group("service:web"), eventtest.OnContainerInstance(id(77)))
	}
	return a
}

// pageOf is a page's ARNs and its token.
func (r answer) pageOf() (arns []string, next string) {
	var page client.TaskPage
	r.into(&page)
	for _, task := range page.Items {
		arns = append(arns, task.Entity.TaskARN)
	}
	return arns, page.NextToken
}

// everything is what a list has, page by page from a token on, which may be empty; at most so many pages.
func (a *api) everything(query, token string) (arns []string) {
	for range 60 {
		page, next := a.get(query + "&nextToken=" + url.QueryEscape(token)).pageOf()
		arns = append(arns, page...)
		if next == "" {
			return arns
		}
		token = next
	}
	require.Fail(a.t, "the list does not end", query)
	return nil
}

// whatever answers to a token is 400, or rows of the query, in pages that end.
func (a *api) whatever(query, token string, rows []string) {
	got := a.get(query + "&nextToken=" + url.QueryEscape(token))
	if got.status == http.StatusBadRequest {
		require.Contains(a.t, got.problem(400), "query.nextToken")
		return
	}
	require.Equal(a.t, http.StatusOK, got.status, "%s", got.body)
	for _, arn := range a.everything(query, token) {
		require.Contains(a.t, rows, arn)
	}
}

func TestTokensGoThroughAList(t *testing.T) {
	a := newTokenAPI(t)
	for _, query := range tokenLists {
		all := a.everything(query, "")
		require.Greater(t, len(all), 3, query)
		slices.Sort(all)
		require.Len(t, slices.Compact(slices.Clone(all)), len(all), "%s: nothing comes twice while nothing changes", query)
	}
}

// A token of which somebody changed any part is refused, or brings rows of the same query.
func TestAChangedTokenBringsRowsOfItsQueryOnly(t *testing.T) {
	a := newTokenAPI(t)
	rows := map[string][]string{}
	for _, query := range tokenLists {
		rows[query] = a.everything(query, "")
	}
	rapid.Check(t, func(r *rapid.T) {
		query := rapid.SampledFrom(tokenLists).Draw(r, "list")
		_, token := a.get(query).pageOf()
		text, err := base64.RawURLEncoding.DecodeString(token)
		require.NoError(r, err)
		var parts map[string]any
		require.NoError(r, json.Unmarshal(text, &parts))
		if rapid.Bool().Draw(r, "by part") {
			name := rapid.SampledFrom([]string{"l", "c", "s", "t", "i", "v", "x"}).Draw(r, "part")
			parts[name] = rapid.OneOf(
				rapid.Map(rapid.Int64Range(-2, 12), func(n int64) any { return n }), rapid.Map(rapid.Int64(), func(n int64) any { return n }),
				rapid.Map(rapid.String(), func(s string) any { return s }), rapid.SampledFrom([]any{
					nil, true, "210987654321/eu-west-1/core", "210987654321/eu-west-1/none", "000000000000/a", id(1), id(2), id(99), position(0), []any{1},
				}),
			).Draw(r, "value")
			text, err = json.Marshal(parts)
			require.NoError(r, err)
			token = base64.RawURLEncoding.EncodeToString(text)
		} else {
			raw := []byte(token)
			raw[rapid.IntRange(0, len(raw)-1).Draw(r, "at")] = rapid.Byte().Draw(r, "byte")
			token = string(raw)
		}
		a.whatever(query, token, rows[query])
	})
}

// FuzzToken gives lists any token.
func FuzzToken(f *testing.F) {
	a := newTokenAPI(f)
	rows := map[string][]string{}
	for i, query := range tokenLists {
		rows[query] = a.everything(query, "")
		_, token := a.get(query).pageOf()
		f.Add(i, token)
		f.Add(i+1, token) // another list's
	}
	f.Add(0, "e30")
	f.Add(0, "bnVsbA")
	f.Fuzz(func(t *testing.T, list int, token string) {
		query := tokenLists[uint(list)%uint(len(tokenLists))]
		a.t = t
		if token == "" {
			return
		}
		a.whatever(query, token, rows[query])
	})
}
