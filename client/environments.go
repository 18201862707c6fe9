package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
)

// CreateEnvironment makes an environment; an Error with status 409 says that the name is taken.
func (c *Client) CreateEnvironment(ctx context.Context, definition EnvironmentDefinition) (Environment, error) {
	var out Environment
	// A second try could find the name taken by the first one.
	err := c.do(ctx, call{method: http.MethodPost, path: []string{"environments"}, body: definition, once: true}, &out)
	return out, err
}

// PutEnvironment creates the environment, or gives it a new revision if the definition differs. With a BaseRevision, an
// Error with status 409 says that the environment has changed since.
func (c *Client) PutEnvironment(ctx context.Context, name string, definition EnvironmentDefinition) (Environment, error) {
	var out Environment
	// The same definition twice makes one revision, but a base revision is used up by the first try.
	err := c.do(ctx, call{
		method: http.MethodPut, path: []string{"environments", name}, body: definition, once: definition.BaseRevision != nil,
	}, &out)
	return out, err
}

// GetEnvironment reads an environment by its name.
func (c *Client) GetEnvironment(ctx context.Context, name string) (Environment, error) {
	var out Environment
	err := c.do(ctx, call{method: http.MethodGet, path: []string{"environments", name}}, &out)
	return out, err
}

// ListEnvironments reads all environments by name; with a cluster (name or ARN) those that have hosts in it. It ends
// after an error.
func (c *Client) ListEnvironments(ctx context.Context, cluster string) iter.Seq2[Environment, error] {
	return pages(func(token string) ([]Environment, string, error) {
		page, err := c.ListEnvironmentsPage(ctx, cluster, PageOptions{NextToken: token})
		return page.Items, page.NextToken, err
	})
}

// ListEnvironmentsPage reads one page of ListEnvironments.
func (c *Client) ListEnvironmentsPage(ctx context.Context, cluster string, options PageOptions) (EnvironmentPage, error) {
	var page EnvironmentPage
	err := c.do(ctx, call{
		method: http.MethodGet, path: []string{"environments"},
		query: query(options, set(url.Values{}, map[string]string{"cluster": cluster})),
	}, &page)
	return page, err
}

// ErrNotStarted says that no environment that there is now started a task.
var ErrNotStarted = errors.New("no environment of this installation started it")

// EnvironmentOfTask finds the environment that started a task, by the task's startedBy. ErrNotStarted: there is none, or
// none any more.
func (c *Client) EnvironmentOfTask(ctx context.Context, startedBy string) (Environment, error) {
	found := pages(func(token string) ([]Environment, string, error) {
		var page EnvironmentPage
		err := c.do(ctx, call{
			method: http.MethodGet, path: []string{"environments"},
			query: query(PageOptions{NextToken: token}, url.Values{"startedBy": {startedBy}}),
		}, &page)
		return page.Items, page.NextToken, err
	})
	if startedBy != "" { // an empty filter is none
		for environment, err := range found {
			return environment, err
		}
	}
	return Environment{}, fmt.Errorf("finding the environment of %q: %w", startedBy, ErrNotStarted)
}

// DeleteEnvironment deletes an environment, and with terminateTasks its tasks. Without an answer to that (nil), an
// environment that has tasks is refused with status 409. One that does not exist counts as deleted.
func (c *Client) DeleteEnvironment(ctx context.Context, name string, terminateTasks *bool) error {
	values := url.Values{}
	if terminateTasks != nil {
		values.Set("terminateTasks", strconv.FormatBool(*terminateTasks))
	}
	return c.do(ctx, call{method: http.MethodDelete, path: []string{"environments", name}, query: values}, nil)
}

// CreateDeployment deploys the revision that the token belongs to. The same token gives the same deployment, so that the
// call may be repeated.
func (c *Client) CreateDeployment(ctx context.Context, environment, deploymentToken string) (Deployment, error) {
	var out Deployment
	err := c.do(ctx, call{
		method: http.MethodPost, path: []string{"environments", environment, "deployments"},
		query: url.Values{"deploymentToken": {deploymentToken}},
	}, &out)
	return out, err
}

// GetDeployment reads a deployment of an environment.
func (c *Client) GetDeployment(ctx context.Context, environment, id string) (Deployment, error) {
	var out Deployment
	err := c.do(ctx, call{method: http.MethodGet, path: []string{"environments", environment, "deployments", id}}, &out)
	return out, err
}

// ListDeployments reads all deployments of an environment, newest first. It ends after an error.
func (c *Client) ListDeployments(ctx context.Context, environment string) iter.Seq2[Deployment, error] {
	return pages(func(token string) ([]Deployment, string, error) {
		page, err := c.ListDeploymentsPage(ctx, environment, PageOptions{NextToken: token})
		return page.Items, page.NextToken, err
	})
}

// ListDeploymentsPage reads one page of ListDeployments.
func (c *Client) ListDeploymentsPage(ctx context.Context, environment string, options PageOptions) (DeploymentPage, error) {
	var page DeploymentPage
	err := c.do(ctx, call{
		method: http.MethodGet, path: []string{"environments", environment, "deployments"}, query: query(options, nil),
	}, &page)
	return page, err
}

// ListTimeline reads the newest entries of a deployment's timeline, newest first: at most limit, 1 to 1000, or as many as
// the API gives by itself (100) for 0.
func (c *Client) ListTimeline(ctx context.Context, environment, deploymentID string, limit int) ([]TimelineEntry, error) {
	var out Timeline
	err := c.do(ctx, call{
		method: http.MethodGet, path: []string{"environments", environment, "deployments", deploymentID, "timeline"},
		query: query(PageOptions{Limit: limit}, nil),
	}, &out)
	return out.Items, err
}
