package ecssim

import (
	"encoding/json"
	"time"
)

// tokenLife bounds a clientToken: 24 hours, or the life of its tasks plus the hour they stay known, whichever is less.
const tokenLife = 24 * time.Hour

// launch is a RunTask call with a clientToken, and what came of it.
type launch struct {
	token     string
	fields    string // the request in one spelling, for the comparison
	at        time.Time
	tasks     []*task
	failures  []failure
	forgotten int
}

// ended counts the launch's tasks that ECS has forgotten; after the last of them the token is free again.
func (l *launch) ended() bool {
	l.forgotten++
	return l.forgotten == len(l.tasks)
}

// replay answers a token used again: the same tasks as they are now, be they stopped for long.
func (l *launch) replay(fields string) (any, error) {
	if l.fields != fields {
		arns := make([]string, len(l.tasks))
		for i, t := range l.tasks {
			arns[i] = t.arn
		}
		return nil, &apiError{
			Type: "ConflictException", ResourceIDs: arns,
			Message: "The provided clientToken is already in use with a different RunTask request.",
		}
	}
	return l.answer(), nil
}

func (l *launch) answer() *startedOut {
	out := &startedOut{Tasks: []*taskDocument{}, Failures: l.failures}
	for _, t := range l.tasks {
		d := t.document(forAPI)
		d.Tags = t.tags
		out.Tasks = append(out.Tasks, d)
	}
	return out
}

// oneSpelling is the request with its members sorted and without those that do not count: the token itself, and the
// cluster, which the tokens are kept by.
func oneSpelling(body []byte) (string, error) {
	var members map[string]any
	if err := decode(body, &members); err != nil {
		return "", err
	}
	delete(members, "clientToken")
	delete(members, "cluster")
	text, err := json.Marshal(members)
	return string(text), err
}

// forgetTask drops a task after its retention, and with the last task of a launch its token.
func (c *cluster) forgetTask(t *task) {
	c.stopped.remove(t)
	delete(c.taskByID, t.id)
	if t.launch != nil && t.launch.ended() {
		delete(c.tokens, t.launch.token)
	}
}
