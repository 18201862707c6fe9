package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// What people do to the deployment in force. An Error with status 409 says why it cannot be done to a deployment as it
// is, and what can. Reasons may be empty.

// PauseDeployment holds the deployment in force: nothing more is replaced until it is resumed.
func (c *Client) PauseDeployment(ctx context.Context, environment, reason string, options ...WriteOption) (Deployment, error) {
	return c.changeDeployment(ctx, environment, "pause", reason, options)
}

// ResumeDeployment lets a deployment that was paused go on.
func (c *Client) ResumeDeployment(ctx context.Context, environment, reason string, options ...WriteOption) (Deployment, error) {
	return c.changeDeployment(ctx, environment, "resume", reason, options)
}

// PromoteDeployment lets a deployment out of its canaries to all hosts, whether they are well or not.
func (c *Client) PromoteDeployment(ctx context.Context, environment, reason string, options ...WriteOption) (Deployment, error) {
	return c.changeDeployment(ctx, environment, "promote", reason, options)
}

// StopDeployment ends the deployment in force where it is: every host keeps what it has.
func (c *Client) StopDeployment(ctx context.Context, environment, reason string, options ...WriteOption) (Deployment, error) {
	return c.changeDeployment(ctx, environment, "stop", reason, options)
}

func (c *Client) changeDeployment(ctx context.Context, environment, verb, reason string, options []WriteOption) (Deployment, error) {
	var out Deployment
	err := c.write(ctx, call{
		method: http.MethodPost, path: []string{"environments", environment, verb}, body: Change{Reason: reason},
		once: verb == "resume", // what the first try resumed cannot be resumed
	}, &out, options)
	return out, err
}

// RestartEnvironment gives every host a new task of the revision that it has: a new deployment. The token is a UUID of the
// caller's, by which the call may be repeated: the same one gives the same deployment. Empty lets the API make one; the call
// is not tried again then.
func (c *Client) RestartEnvironment(ctx context.Context, environment, token string, options ...WriteOption) (Deployment, error) {
	var out Deployment
	err := c.write(ctx, call{
		method: http.MethodPost, path: []string{"environments", environment, "restart"}, once: token == "",
		query: set(url.Values{}, map[string]string{"deploymentToken": token}),
	}, &out, options)
	return out, err
}

// RollBackEnvironment brings an older revision back: the one of that number, or for 0 the last good one. A deployment that
// has not ended is turned back; otherwise it is a new deployment, whose token is as RestartEnvironment's.
func (c *Client) RollBackEnvironment(ctx context.Context, environment string, to int, token string, options ...WriteOption) (Deployment, error) {
	values := set(url.Values{}, map[string]string{"deploymentToken": token})
	if to != 0 {
		values.Set("to", strconv.Itoa(to))
	}
	var out Deployment
	err := c.write(ctx, call{
		method: http.MethodPost, path: []string{"environments", environment, "rollback"}, once: token == "", query: values,
	}, &out, options)
	return out, err
}
