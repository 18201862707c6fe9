package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/blox/blox/client"
)

// apiTries bounds how often a caller repeats a request that failed for a passing reason.
const apiTries = 12

// call sends a request to the API, as a client that tries again does. then hears the last answer.
func (w *world) call(method, path string, in any, tries int, then func(status int, body []byte)) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			panic(err)
		}
	}
	p := w.api.take()
	answer := httptest.NewRecorder()
	w.start("api", func(ctx context.Context) {
		req := httptest.NewRequestWithContext(ctx, method, path, bytes.NewReader(body))
		if in != nil {
			req.Header.Set("Content-Type", "application/json")
		}
		p.api.ServeHTTP(answer, req)
	}, func(crashed bool) {
		status := answer.Code
		if crashed {
			status = http.StatusBadGateway
		} else {
			w.api.giveBack(p)
		}
		w.note("%s %s: %d", method, path, status)
		if (status >= 500 || status == http.StatusTooManyRequests) && tries > 1 {
			w.after(time.Duration(500+w.plan.IntN(4000))*time.Millisecond, func() { w.call(method, path, in, tries-1, then) })
			return
		}
		raw, err := io.ReadAll(answer.Body)
		if err != nil {
			panic(err)
		}
		then(status, raw)
	})
}

// deploy gives an environment a revision, making it if there is none, and deploys it.
func (w *world) deploy(name string, revision int) {
	w.deployAs(name, revision, func(*client.EnvironmentDefinition) {})
}

// deployAs is deploy with a change to what is drawn.
func (w *world) deployAs(name string, revision int, change func(*client.EnvironmentDefinition)) {
	if w.rest.calm {
		return
	}
	w.met("operator: deployment")
	definition := w.definition(name, revision)
	change(&definition)
	w.deployDefinition(name, revision, definition)
}

// deployNow deploys also when the operators have gone home.
func (w *world) deployNow(name string, revision int) {
	w.deployDefinition(name, revision, w.definition(name, revision))
}

func (w *world) deployDefinition(name string, revision int, definition client.EnvironmentDefinition) {
	w.ops.wants[name] = revision
	w.call(http.MethodPut, "/v1/environments/"+name, definition, apiTries, func(status int, body []byte) {
		var env client.Environment
		if status >= 300 || json.Unmarshal(body, &env) != nil {
			w.met(fmt.Sprintf("api answered PUT with %d", status))
			w.note("api: %s", body)
			return // somebody deletes it, or was faster
		}
		w.call(http.MethodPost, "/v1/environments/"+name+"/deployments?deploymentToken="+env.DeploymentToken, nil, apiTries, func(status int, body []byte) {
			if status >= 300 {
				w.met(fmt.Sprintf("api answered POST with %d", status))
				w.note("api: %s", body)
			}
		})
	})
}

// deleteAndRecreate deletes an environment, often while it is busy, and makes one of the same name.
func (w *world) deleteAndRecreate() {
	name, terminate := w.someName(), w.plan.IntN(4) > 0
	w.met("operator: environment deleted")
	remove := func() {
		w.call(http.MethodDelete, fmt.Sprintf("/v1/environments/%s?terminateTasks=%t", name, terminate), nil, apiTries, func(int, []byte) {})
	}
	if w.plan.IntN(2) == 0 { // somebody deploys and thinks again
		w.deploy(name, 1+w.plan.IntN(revisions))
		if w.p.outages > 0 && w.plan.IntN(2) == 0 {
			w.outage() // what was started last is then in no event
		}
		w.after(time.Duration(200+w.plan.IntN(15_000))*time.Millisecond, remove)
	} else {
		remove()
	}
	if w.plan.IntN(4) > 0 {
		revision := 1 + w.plan.IntN(revisions)
		w.after(time.Duration(5+w.plan.IntN(150))*time.Second, func() { w.deploy(name, revision) })
	}
}
