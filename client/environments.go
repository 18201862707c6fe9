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
// Error with status 409 says that the environment has changed since. Unless WithForce is given it is also 409 that another
// environment places a task definition of that family on the same hosts, and that no host would have the daemon any more.
func (c *Client) PutEnvironment(ctx context.Context, name string, definition EnvironmentDefinition, options ...WriteOption) (Environment, error) {
	var out Environment
	// The same definition twice makes one revision, but a base revision is used up by the first try.
	err := c.write(ctx, call{
		method: http.MethodPut, path: []string{"environments", name}, body: definition, once: definition.BaseRevision != nil,
	}, &out, options)
	return out, err
}

// GetEnvironment reads an environment by its name.
func (c *Client) GetEnvironment(ctx context.Context, name string) (Environment, error) {
	var out Environment
	err := c.do(ctx, call{method: http.MethodGet, path: []string{"environments", name}}, &out)
	return out, err
}

// GetDeletedEnvironment reads the environment that had the name last and was deleted in the last 24 hours. An Error with
// status 404 says that there is none.
func (c *Client) GetDeletedEnvironment(ctx context.Context, name string) (Environment, error) {
	var out Environment
	err := c.do(ctx, call{method: http.MethodGet, path: []string{"environments", name}, query: url.Values{"deleted": {"true"}}}, &out)
	return out, err
}

// EnvironmentFilter chooses environments; what is empty chooses all.
type EnvironmentFilter struct {
	// Cluster is a name or an ARN: environments with hosts in it.
	Cluster string
	// Status is EnvironmentActive, EnvironmentDeleting or EnvironmentDeleted. Deleted ones, of the last 24 hours, are found
	// only if they are asked for.
	Status string
}

// ListEnvironments reads all environments by name; with a cluster (name or ARN) those that have hosts in it. It ends
// after an error.
func (c *Client) ListEnvironments(ctx context.Context, cluster string) iter.Seq2[Environment, error] {
	return c.FindEnvironments(ctx, EnvironmentFilter{Cluster: cluster})
}

// FindEnvironments reads all environments that the filter chooses, by name. It ends after an error.
func (c *Client) FindEnvironments(ctx context.Context, filter EnvironmentFilter) iter.Seq2[Environment, error] {
	return pages(func(token string) ([]Environment, string, error) {
		page, err := c.findEnvironmentsPage(ctx, filter, PageOptions{NextToken: token})
		return page.Items, page.NextToken, err
	})
}

// ListEnvironmentsPage reads one page of ListEnvironments.
func (c *Client) ListEnvironmentsPage(ctx context.Context, cluster string, options PageOptions) (EnvironmentPage, error) {
	return c.findEnvironmentsPage(ctx, EnvironmentFilter{Cluster: cluster}, options)
}

func (c *Client) findEnvironmentsPage(ctx context.Context, filter EnvironmentFilter, options PageOptions) (EnvironmentPage, error) {
	var page EnvironmentPage
	err := c.do(ctx, call{
		method: http.MethodGet, path: []string{"environments"},
		query: query(options, set(url.Values{}, map[string]string{"cluster": filter.Cluster, "status": filter.Status})),
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
func (c *Client) DeleteEnvironment(ctx context.Context, name string, terminateTasks *bool, options ...WriteOption) error {
	values := url.Values{}
	if terminateTasks != nil {
		values.Set("terminateTasks", strconv.FormatBool(*terminateTasks))
	}
	return c.write(ctx, call{method: http.MethodDelete, path: []string{"environments", name}, query: values}, nil, options)
}

// FreezeEnvironment makes the scheduler keep its hands off an environment: nothing of it is started or stopped until it is
// thawed, or deleted. The reason, which may be empty, is shown with it.
func (c *Client) FreezeEnvironment(ctx context.Context, name, reason string, options ...WriteOption) (Environment, error) {
	return c.changeEnvironment(ctx, name, "freeze", reason, options)
}

// ThawEnvironment ends a freeze. One that is not frozen stays as it is.
func (c *Client) ThawEnvironment(ctx context.Context, name, reason string, options ...WriteOption) (Environment, error) {
	return c.changeEnvironment(ctx, name, "thaw", reason, options)
}

func (c *Client) changeEnvironment(ctx context.Context, name, verb, reason string, options []WriteOption) (Environment, error) {
	var out Environment
	err := c.write(ctx, call{method: http.MethodPost, path: []string{"environments", name, verb}, body: Change{Reason: reason}}, &out, options)
	return out, err
}
