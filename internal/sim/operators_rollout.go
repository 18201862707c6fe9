package sim

import (
	"fmt"
	"net/http"
	"time"

	"github.com/blox/blox/client"
)

// rule is somebody who interferes with a deployment, also with one that is long over.
func (w *world) rule() {
	if !w.s.verbs {
		return
	}
	name := w.someName()
	if w.plan.IntN(2) == 0 { // soon after it began, while there is something to interfere with
		w.deploy(name, 1+w.plan.IntN(revisions))
		w.after(time.Duration(1+w.plan.IntN(60))*time.Second, func() { w.interfere(name) })
		return
	}
	w.interfere(name)
}

func (w *world) interfere(name string) {
	switch w.plan.IntN(7) {
	case 0, 1:
		w.verb(name, "pause")
		if w.plan.IntN(4) > 0 {
			w.after(time.Duration(5+w.plan.IntN(180))*time.Second, func() { w.verb(name, "resume") })
		}
	case 2:
		w.verb(name, "promote")
	case 3:
		w.verb(name, "stop")
	case 4:
		w.verb(name, "rollback")
	case 5:
		w.verb(name, fmt.Sprintf("rollback?to=%d", 1+w.plan.IntN(4)))
	default:
		w.verb(name, "restart")
	}
}

// verb tells the API what is to become of an environment's deployment. Much of it is refused: there may be nothing to
// pause, or no environment.
func (w *world) verb(name, verb string) {
	var body any
	if verb != "restart" && len(verb) < len("rollback") {
		body = map[string]string{"reason": "because"}
	}
	w.met("operator: " + verb[:min(len(verb), len("rollback"))])
	w.call(http.MethodPost, "/v1/environments/"+name+"/"+verb, body, apiTries, func(status int, answer []byte) {
		if status >= 300 {
			w.note("api: %s", answer)
			return
		}
		w.met("api: " + verb[:min(len(verb), len("rollback"))] + " done")
	})
}

// freezeSome holds everything of an environment, and lets it go later.
func (w *world) freezeSome() {
	if !w.s.freeze {
		return
	}
	name := w.someName()
	w.verb(name, "freeze")
	w.after(time.Duration(20+w.plan.IntN(300))*time.Second, func() { w.verb(name, "thaw") })
}

// threeBadUpdates are three updates in a row to images that do not work: none of them may cost a daemon more than the
// budget, and all together neither.
func (w *world) threeBadUpdates() {
	name := w.someName()
	w.met("operator: three bad updates in a row")
	for i := range 3 {
		revision := 1 + w.plan.IntN(revisions)
		if !w.ops.broken[image(revision)] {
			w.breakImageOf(revision)
		}
		w.after(time.Duration(i*(5+w.plan.IntN(60)))*time.Second, func() { w.deploy(name, revision) })
	}
}

// badUpdate is one to an image that does not work, which no circuit breaker stops and nobody overtakes on purpose: host
// after host is written off at its deadline, and the budget, spent twice at most, is all that bounds the harm.
func (w *world) badUpdate() {
	name := w.someName()
	w.met("operator: bad update that nobody stops")
	revision := 1 + w.plan.IntN(revisions)
	if !w.ops.broken[image(revision)] {
		w.breakImageOf(revision)
	}
	off := false
	w.deployAs(name, revision, func(d *client.EnvironmentDefinition) {
		c := d.DeploymentConfiguration
		c.Canary, c.Alarms, c.ProgressDeadlineSeconds = nil, nil, 0
		c.CircuitBreaker = &client.CircuitBreaker{Enable: &off}
		if c.Method == client.MethodOnDelete {
			c.Method = client.MethodTerminateThenReplace
		}
	})
}

// overrule lets go of whatever operators still hold when they go home, so that everything can come to its end.
func (w *world) overrule() {
	for _, entry := range w.directory() {
		env, err := w.environmentNow(entry.ID)
		if err != nil {
			continue // is being deleted
		}
		if env.Frozen != nil {
			w.verb(entry.Name, "thaw")
		}
		dep := w.deploymentOf(env)
		if dep == nil {
			continue
		}
		if dep.Status == "paused" {
			w.verb(entry.Name, map[string]string{"canary": "promote", "people": "resume"}[dep.PausedFor])
		}
		// No host matches the expression by which its canaries are chosen: it waits, and says that it is stuck.
		canary := w.revisionOf(env, dep.Revision).DeploymentConfiguration.Canary
		if dep.Status == "running" && dep.PromotedAt == nil && dep.Stuck() && canary != nil && canary.Expression != "" {
			w.met("operator: promotes what has no canary")
			w.verb(entry.Name, "promote")
		}
		if rev := w.revisionOf(env, dep.Target()); w.ops.inactive[rev.TaskDefinition] && !w.ops.replacing[dep.ID] {
			w.ops.replacing[dep.ID] = true
			w.deployNow(entry.Name, 1)
		}
	}
}
