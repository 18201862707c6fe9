package client

import (
	"context"
	"iter"
	"net/http"
)

// Ping asks whether the API answers.
func (c *Client) Ping(ctx context.Context) error {
	return c.do(ctx, call{method: http.MethodGet, path: []string{"ping"}}, nil)
}

// ListTasks reads all tasks that the filter picks, page by page. It ends after an error. A task that moves on in its life
// meanwhile may come twice, the second time as it is then, of a higher Metadata.Version: AllTasks gives each once.
func (c *Client) ListTasks(ctx context.Context, filter TaskFilter, options ...ListOption) iter.Seq2[Task, error] {
	return onlyNews(pages(func(token string) ([]Task, string, error) {
		chosen := optionsOf(options)
		chosen.NextToken = token
		page, err := c.ListTasksPage(ctx, filter, chosen)
		return page.Items, page.NextToken, err
	}), taskIdentity)
}

// AllTasks reads what ListTasks does, each task once and in its newest version.
func (c *Client) AllTasks(ctx context.Context, filter TaskFilter, options ...ListOption) ([]Task, error) {
	return newest(c.ListTasks(ctx, filter, options...), taskIdentity)
}

func taskIdentity(t Task) (arn string, metadata Metadata) { return t.Entity.TaskARN, t.Metadata }

// ListTasksPage reads one page of ListTasks. A task of an earlier page may come again, in a higher Metadata.Version.
func (c *Client) ListTasksPage(ctx context.Context, filter TaskFilter, options PageOptions) (TaskPage, error) {
	var page TaskPage
	err := c.do(ctx, call{method: http.MethodGet, path: []string{"tasks"}, query: query(options, filter.values())}, &page)
	return page, err
}

// GetTask reads a task of a cluster (name or ARN) by its id or ARN.
func (c *Client) GetTask(ctx context.Context, cluster, task string) (Task, error) {
	var out Task
	err := c.do(ctx, call{method: http.MethodGet, path: []string{"tasks", cluster, task}}, &out)
	return out, err
}

// ListInstances reads all container instances that the filter picks, page by page, as ListTasks does tasks.
func (c *Client) ListInstances(ctx context.Context, filter InstanceFilter, options ...ListOption) iter.Seq2[ContainerInstance, error] {
	return onlyNews(pages(func(token string) ([]ContainerInstance, string, error) {
		chosen := optionsOf(options)
		chosen.NextToken = token
		page, err := c.ListInstancesPage(ctx, filter, chosen)
		return page.Items, page.NextToken, err
	}), instanceIdentity)
}

// AllInstances reads what ListInstances does, each container instance once and in its newest version.
func (c *Client) AllInstances(ctx context.Context, filter InstanceFilter, options ...ListOption) ([]ContainerInstance, error) {
	return newest(c.ListInstances(ctx, filter, options...), instanceIdentity)
}

func instanceIdentity(i ContainerInstance) (arn string, metadata Metadata) {
	return i.Entity.ContainerInstanceARN, i.Metadata
}

// ListInstancesPage reads one page of ListInstances, as ListTasksPage does of tasks.
func (c *Client) ListInstancesPage(ctx context.Context, filter InstanceFilter, options PageOptions) (ContainerInstancePage, error) {
	var page ContainerInstancePage
	err := c.do(ctx, call{method: http.MethodGet, path: []string{"instances"}, query: query(options, filter.values())}, &page)
	return page, err
}

// GetInstance reads a container instance of a cluster (name or ARN) by its id or ARN.
func (c *Client) GetInstance(ctx context.Context, cluster, instance string) (ContainerInstance, error) {
	var out ContainerInstance
	err := c.do(ctx, call{method: http.MethodGet, path: []string{"instances", cluster, instance}}, &out)
	return out, err
}
