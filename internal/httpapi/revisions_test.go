package httpapi_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
)

func TestRevisionsNewestFirst(t *testing.T) {
	a := newAPI(t)
	a.create(logAgent)
	for i := range 6 {
		a.now = a.now.Add(time.Minute)
		a.revise(fmt.Sprintf("log-agent:%d", 13-i%2))
	}
	for _, limit := range []int{1, 2, 3, 7, 100} {
		var numbers []int
		path := fmt.Sprintf("/v1/environments/log-agent/revisions?limit=%d", limit)
		for range 10 {
			var page client.RevisionPage
			a.get(path).into(&page)
			for _, rev := range page.Items {
				numbers = append(numbers, rev.Number)
			}
			if page.NextToken == "" {
				break
			}
			path = fmt.Sprintf("/v1/environments/log-agent/revisions?limit=%d&nextToken=%s", limit, url.QueryEscape(page.NextToken))
		}
		require.Equal(t, []int{7, 6, 5, 4, 3, 2, 1}, numbers, "in pages of %d", limit)
	}
	var rev client.Revision
	a.get("/v1/environments/log-agent/revisions/1").into(&rev)
	require.Equal(t, taskDefinitionARN("log-agent:12"), rev.TaskDefinition)
	require.Equal(t, start, rev.CreatedAt)
	require.Contains(t, a.get("/v1/environments/log-agent/revisions/8").problem(404), "has no revision 8: its newest is 7")
	require.Contains(t, a.get("/v1/environments/log-agent/revisions/0").problem(400), "path.number")
	require.Contains(t, a.get("/v1/environments/log-agent/revisions?nextToken=x").problem(400), "query.nextToken")
	for _, path := range []string{"revisions", "revisions/1", "diff"} {
		require.Contains(t, a.get("/v1/environments/nope/"+path).problem(404), "Environment nope does not exist")
	}
}

func TestTheDiffOfTwoRevisions(t *testing.T) {
	a := newAPI(t)
	a.definitions()
	a.create(everything)
	change := strings.NewReplacer(`"team": "core"`, `"owner": "core"`, `"bakeSeconds": 60`, `"bakeSeconds": 90`, `["errors", "delay"]`, `["errors"]`,
		`, "releaseIdleHosts": true`, "", `"memory": 64`, `"memory": 65`)
	require.Equal(t, http.StatusOK, a.put("n", change.Replace(everything)).status)
	var diff client.RevisionDiff
	a.get("/v1/environments/n/diff?from=1&to=2").into(&diff)
	agent := func(memory float64) any {
		return []any{map[string]any{"name": "agent", "memory": memory, "environment": []any{map[string]any{"name": "A", "value": "b"}}}}
	}
	require.Equal(t, client.RevisionDiff{From: 1, To: 2, Changes: []client.RevisionChange{
		{Path: "deploymentConfiguration.alarms", From: []any{"delay", "errors"}, To: []any{"errors"}},
		{Path: "deploymentConfiguration.bakeSeconds", From: 60., To: 90.},
		{Path: "overrides.containerOverrides", From: agent(64), To: agent(65)},
		{Path: "releaseIdleHosts", From: true},
		{Path: "tags.owner", To: "core"},
		{Path: "tags.team", From: "core"},
	}}, diff)
	a.get("/v1/environments/n/diff?from=2&to=2").into(&diff)
	require.Empty(t, diff.Changes)
	require.Contains(t, a.get("/v1/environments/n/diff?from=3").problem(404), "has no revision 3")
}

func TestTheDiffIsOfTheDeployedAndTheNewestRevision(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	require.Contains(t, a.get("/v1/environments/log-agent/diff").problem(409), "has no deployment yet")
	a.deploy("log-agent", env.DeploymentToken).object()
	a.revise("log-agent:13")
	var diff client.RevisionDiff
	a.get("/v1/environments/log-agent/diff").into(&diff)
	require.Equal(t, client.RevisionDiff{From: 1, To: 2, Changes: []client.RevisionChange{
		{Path: "taskDefinition", From: taskDefinitionARN("log-agent:12"), To: taskDefinitionARN("log-agent:13")},
	}}, diff)
}

// remove deletes an environment for good, as the scheduler does.
func (a *api) remove(name string) daemon.Environment {
	require.Equal(a.t, http.StatusOK, a.do(http.MethodDelete, "/v1/environments/"+name, "").status)
	env, err := a.daemon.EnvironmentByName(a.t.Context(), name)
	require.NoError(a.t, err)
	require.NoError(a.t, a.daemon.RemoveEnvironment(a.t.Context(), env, a.now))
	return env
}

func TestADeletedEnvironmentIsShownForADay(t *testing.T) {
	a := newAPI(t)
	a.create(logAgent)
	require.Contains(t, a.get("/v1/environments/log-agent?deleted=true").problem(404), "No environment of the name log-agent was deleted")
	first := a.remove("log-agent")
	require.Contains(t, a.get("/v1/environments/log-agent").problem(404), "it was deleted at "+a.now.Format(time.RFC3339))
	require.Contains(t, a.operate("pause", "").problem(404), "it was deleted at")
	require.Equal(t, http.StatusOK, a.do(http.MethodDelete, "/v1/environments/log-agent", "").status, "again")
	at := a.now
	a.now = a.now.Add(time.Hour)
	a.create(logAgent)
	second := a.remove("log-agent")
	a.create(logAgent)
	var last client.Environment
	a.get("/v1/environments/log-agent?deleted=true").into(&last)
	require.Equal(t, second.ID, last.ID, "the last one of the name")
	require.Equal(t, client.EnvironmentDeleted, last.Status)
	require.Equal(t, a.now, *last.DeletedAt)
	require.Equal(t, []string{clusterARN("edge")}, last.Clusters)
	require.Equal(t, client.EnvironmentActive, a.get("/v1/environments/log-agent").object()["status"])

	a.create(strings.Replace(logAgent, "log-agent", "other", 1))
	a.do(http.MethodDelete, "/v1/environments/other", "")
	list := func(query string) (names []string) {
		path := "/v1/environments?" + query
		for range 5 {
			var page client.EnvironmentPage
			a.get(path).into(&page)
			for _, env := range page.Items {
				names = append(names, env.Name+" "+env.Status)
			}
			if page.NextToken == "" {
				break
			}
			path = "/v1/environments?" + query + "&nextToken=" + url.QueryEscape(page.NextToken)
		}
		return names
	}
	require.Equal(t, []string{"log-agent ACTIVE", "other DELETING"}, list(""))
	require.Equal(t, []string{"log-agent ACTIVE"}, list("status=ACTIVE"))
	require.Equal(t, []string{"other DELETING"}, list("status=DELETING"))
	require.Equal(t, []string{"log-agent DELETED", "log-agent DELETED"}, list("status=DELETED&limit=1"))
	require.Len(t, list("status=DELETED&cluster=edge"), 2)
	require.Empty(t, list("status=DELETED&cluster=core"))
	require.Contains(t, a.get("/v1/environments?status=GONE").problem(400), "query.status")
	require.Contains(t, a.get("/v1/environments?status=DELETED&startedBy=blox/x").problem(400), "query.startedBy")
	a.now = at.Add(24*time.Hour + time.Second)
	require.Len(t, list("status=DELETED"), 1, "%s has been gone for a day", first.ID)
}

// Its tasks are adopted by the scheduler.
func TestAnEnvironmentTakesOverFromTheOneOfItsNameThatLeftItsTasks(t *testing.T) {
	a := newAPI(t)
	remove := func(terminateTasks string) (id string) {
		env, err := a.daemon.EnvironmentByName(t.Context(), "log-agent")
		require.NoError(t, err)
		a.do(http.MethodDelete, "/v1/environments/log-agent?terminateTasks="+terminateTasks, "")
		deleting, err := a.daemon.Environment(t.Context(), env.ID)
		require.NoError(t, err)
		require.NoError(t, a.daemon.RemoveEnvironment(t.Context(), deleting, a.now))
		a.now = a.now.Add(time.Minute)
		return env.ID
	}
	require.Empty(t, a.create(logAgent).FormerIDs)
	remove("true")
	require.Empty(t, a.create(logAgent).FormerIDs, "nothing was left")
	var ids []string
	for range daemon.MaxFormerIDs + 1 {
		ids = slices.Insert(ids, 0, remove("false"))
		ids = ids[:min(len(ids), daemon.MaxFormerIDs)]
		require.Equal(t, ids, a.create(logAgent).FormerIDs)
	}
	members, err := a.daemon.EnvironmentsOfCluster(t.Context(), home)
	require.NoError(t, err)
	require.True(t, members[0].WatchesTasks, "changes of those tasks wake it")
	remove("false")
	a.now = a.now.Add(25 * time.Hour)
	require.Empty(t, a.create(logAgent).FormerIDs, "it is not known any more")
}
