package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
)

// CreateDeployment deploys the revision that the token belongs to. The same token gives the same deployment, so that the
// call may be repeated.
func (c *Client) CreateDeployment(ctx context.Context, environment, deploymentToken string, options ...WriteOption) (Deployment, error) {
	var out Deployment
	err := c.write(ctx, call{
		method: http.MethodPost, path: []string{"environments", environment, "deployments"},
		query: url.Values{"deploymentToken": {deploymentToken}},
	}, &out, options)
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
