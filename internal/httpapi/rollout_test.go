package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/httpapi"
	"github.com/blox/blox/internal/wakeup"
)

const (
	ada    = "arn:aws:sts::210987654321:assumed-role/operators/ada"
	tokenA = "11111111-1111-1111-1111-111111111111"
	tokenB = "22222222-2222-2222-2222-222222222222"
)

// doAs is a request that somebody signed.
func (a *api) doAs(caller, method, path, body string) answer {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	recorder := httptest.NewRecorder()
	a.handler.ServeHTTP(recorder, request.WithContext(httpapi.WithCaller(request.Context(), caller)))
	return answer{t: a.t, status: recorder.Code, header: recorder.Header(), body: recorder.Body.Bytes()}
}

// operate applies a verb as Ada.
func (a *api) operate(verb, body string) answer {
	return a.doAs(ada, http.MethodPost, "/v1/environments/log-agent/"+verb, body)
}

// inForce is an environment whose first deployment is of that status.
func (a *api) inForce(status daemon.DeploymentStatus) client.Environment {
	env := a.create(logAgent)
	a.deploy("log-agent", env.DeploymentToken).object()
	a.settle(env, status)
	return env
}

// settle brings the deployment in force to a status, as the scheduler does.
func (a *api) settle(env client.Environment, status daemon.DeploymentStatus) {
	a.advance(env, func(dep *daemon.Deployment) {
		dep.Status, dep.StartedAt = status, &a.now
		if status == daemon.DeploymentPaused {
			dep.PausedFor = daemon.PausedByCanary
		}
	})
	if status != daemon.DeploymentCompleted {
		return
	}
	stored, err := a.daemon.Environment(a.t.Context(), env.ID)
	require.NoError(a.t, err)
	dep, err := a.daemon.Deployment(a.t.Context(), env.ID, stored.DeploymentID)
	require.NoError(a.t, err)
	stored.LastGoodRevision = dep.Revision
	require.NoError(a.t, a.daemon.UpdateEnvironment(a.t.Context(), stored, nil))
}

func TestPauseAndResume(t *testing.T) {
	a := newAPI(t)
	env := a.inForce(daemon.DeploymentRunning)
	a.wakeups.sent = nil
	var dep client.Deployment
	a.operate("pause", `{"reason": "errors in the log"}`).into(&dep)
	require.Equal(t, client.DeploymentPaused, dep.Status)
	require.Equal(t, client.PausedByPeople, dep.PausedFor)
	require.Equal(t, "paused by "+ada+": errors in the log", dep.Reason)
	require.Equal(t, []wakeup.Wakeup{{EnvironmentID: env.ID}}, a.wakeups.sent)
	require.Equal(t, "paused", a.get("/v1/environments/log-agent").object()["deploymentStatus"])
	a.now = a.now.Add(time.Minute)
	var resumed client.Deployment
	a.operate("resume", "").into(&resumed)
	require.Equal(t, client.DeploymentRunning, resumed.Status)
	require.Empty(t, resumed.Reason)
	require.Contains(t, a.operate("resume", "").problem(409), "cannot resume a deployment that is running: allowed is one that is paused")

	var timeline client.Timeline
	a.get("/v1/environments/log-agent/deployments/" + dep.ID + "/timeline").into(&timeline)
	require.Equal(t, []string{"resume by " + ada, "pause by " + ada + ": errors in the log"}, []string{timeline.Items[0].Reason, timeline.Items[1].Reason})
}

func TestPromote(t *testing.T) {
	a := newAPI(t)
	a.inForce(daemon.DeploymentPaused)
	require.Contains(t, a.operate("resume", "").problem(409), "its canaries wait to be promoted")
	var dep client.Deployment
	a.operate("promote", "").into(&dep)
	require.Equal(t, client.DeploymentRunning, dep.Status)
	require.Equal(t, a.now, *dep.PromotedAt)
	require.Empty(t, dep.PausedFor)
}

func TestStop(t *testing.T) {
	a := newAPI(t)
	a.inForce(daemon.DeploymentRunning)
	var dep, again client.Deployment
	a.operate("stop", `{"reason": "wrong image"}`).into(&dep)
	require.Equal(t, client.DeploymentStopped, dep.Status)
	require.Equal(t, "stopped by "+ada+": wrong image", dep.Reason)
	require.Equal(t, a.now, *dep.EndedAt)
	a.operate("stop", "").into(&again)
	require.Equal(t, dep, again, "it may be repeated")
	for _, verb := range []string{"pause", "resume", "promote"} {
		require.Contains(t, a.operate(verb, "").problem(409), "deployment that is stopped", verb)
	}
}

func TestWhatNoVerbCanBeUsedOn(t *testing.T) {
	a := newAPI(t)
	every := []string{"pause", "resume", "promote", "stop", "restart", "rollback"}
	for _, verb := range every {
		require.Contains(t, a.do(http.MethodPost, "/v1/environments/nope/"+verb, "").problem(404), "Environment nope does not exist", verb)
	}
	a.create(logAgent)
	for _, verb := range every {
		require.Contains(t, a.operate(verb, "").problem(409), "has no deployment yet", verb)
	}
	for body, want := range map[string]string{`{"why": "x"}`: "body.why", `[]`: "object", `{"reason": "` + strings.Repeat("x", 501) + `"}`: "body.reason"} {
		require.Contains(t, a.operate("pause", body).problem(400), want)
	}
	a.do(http.MethodDelete, "/v1/environments/log-agent", "")
	for _, verb := range append(every, "freeze", "thaw") {
		require.Contains(t, a.operate(verb, "").problem(409), "being deleted", verb)
	}
}

// The scheduler stores progress all the time: a verb that finds the deployment changed is applied to what it is now.
func TestAVerbThatLosesARaceIsAppliedAnew(t *testing.T) {
	r := &rivalPut{}
	a := newAPIOn(t, r.on)
	env := a.inForce(daemon.DeploymentRunning)
	r.before = func() {
		a.advance(env, func(dep *daemon.Deployment) { dep.Counts.Updated = 7 })
	}
	var dep client.Deployment
	a.operate("pause", "").into(&dep)
	require.Nil(t, r.before, "there was a race")
	require.Equal(t, 7, dep.Counts.Updated, "the scheduler's count is not lost")
	require.Equal(t, client.DeploymentPaused, dep.Status)
	stored, err := a.daemon.Deployment(t.Context(), env.ID, dep.ID)
	require.NoError(t, err)
	require.Equal(t, daemon.DeploymentPaused, stored.Status)

	a.operate("resume", "").object()
	r.before = func() {
		a.advance(env, func(dep *daemon.Deployment) { dep.Status = daemon.DeploymentCompleted })
	}
	require.Contains(t, a.operate("pause", "").problem(409), "deployment that is completed", "what has ended meanwhile is not paused")
}

func TestADryRunOfAVerbChangesNothing(t *testing.T) {
	a := newAPI(t)
	env := a.inForce(daemon.DeploymentRunning)
	a.daemonOn(env, 1)
	a.wakeups.sent = nil
	before := a.get("/v1/environments/log-agent/deployments").object()
	for path, status := range map[string]string{
		"pause?dryRun=true": "paused", "stop?dryRun=true": "stopped", "promote?dryRun=true": "running",
		"restart?dryRun=true": "pending", "deployments?dryRun=true&deploymentToken=" + env.DeploymentToken: "running",
	} {
		var plan client.Plan
		a.operate(path, "").into(&plan)
		require.Equal(t, "log-agent", plan.Environment, path)
		require.Equal(t, status, plan.DeploymentStatus, path)
	}
	require.Contains(t, a.operate("resume?dryRun=true", "").problem(409), "cannot resume")
	var plan client.Plan
	a.do(http.MethodDelete, "/v1/environments/log-agent?dryRun=true&terminateTasks=true", "").into(&plan)
	require.NotEmpty(t, plan.Actions, "the task would be stopped")
	a.do(http.MethodDelete, "/v1/environments/nope?dryRun=true", "").problem(404)
	require.Equal(t, before, a.get("/v1/environments/log-agent/deployments").object())
	require.Equal(t, "ACTIVE", a.get("/v1/environments/log-agent").object()["status"])
	require.Empty(t, a.wakeups.sent)
}

func TestFreezeAndThaw(t *testing.T) {
	a := newAPI(t)
	env := a.create(logAgent)
	var frozen, again client.Environment
	a.operate("freeze", `{"reason": "audit"}`).into(&frozen)
	require.Equal(t, &client.Freeze{At: a.now, By: ada, Reason: "audit"}, frozen.Frozen)
	require.Equal(t, []wakeup.Wakeup{{EnvironmentID: env.ID}}, a.wakeups.sent)
	a.now = a.now.Add(time.Hour)
	a.doAs("", http.MethodPost, "/v1/environments/log-agent/freeze", "").into(&again)
	require.Equal(t, frozen.Frozen, again.Frozen, "the first one counts")
	var thawed client.Environment
	a.operate("thaw", "").into(&thawed)
	require.Nil(t, thawed.Frozen)
	require.Equal(t, http.StatusOK, a.operate("thaw", "").status)
}
