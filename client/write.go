package client

import (
	"context"
	"maps"
	"net/url"
)

// WriteOption changes how a changing call is made.
type WriteOption func(*writing)

type writing struct {
	plan  *Plan
	force bool
}

// WithDryRun changes nothing: what the call would bring about is told in plan, and the call itself answers with nothing.
func WithDryRun(plan *Plan) WriteOption { return func(w *writing) { w.plan = plan } }

// WithForce lets PutEnvironment place a task definition on hosts where another environment places one of that family already, and
// lets a change take the daemon from every host.
func WithForce() WriteOption { return func(w *writing) { w.force = true } }

// Change is the body of a request that people give a reason for.
type Change struct {
	Reason string `json:"reason,omitempty" maxLength:"500" doc:"What it is for: shown with the deployment or the environment, and in the timeline."`
}

// write makes a changing call and decodes its answer into out, or into the plan of a dry run.
func (c *Client) write(ctx context.Context, call call, out any, options []WriteOption) error {
	var w writing
	for _, option := range options {
		option(&w)
	}
	values := url.Values{}
	maps.Copy(values, call.query)
	if w.force {
		values.Set("force", "true")
	}
	if w.plan != nil {
		values.Set("dryRun", "true")
		out = w.plan
		call.once = false
	}
	call.query = values
	return c.do(ctx, call, out)
}
