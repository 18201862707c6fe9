package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
)

// TaskFilter picks tasks; an empty field restricts nothing.
type TaskFilter struct {
	Cluster           string // name or ARN
	Status            string // lastStatus, in any case
	DesiredStatus     string // RUNNING or STOPPED, in any case
	StartedBy         string
	Family            string
	Group             string
	ContainerInstance string // id or ARN
}

// InstanceFilter picks container instances; an empty field restricts nothing.
type InstanceFilter struct {
	Cluster string // name or ARN
	Status  string // in any case
}

func (f TaskFilter) values() map[string]string {
	return map[string]string{
		"cluster": f.Cluster, "status": f.Status, "desiredStatus": f.DesiredStatus, "startedBy": f.StartedBy,
		"family": f.Family, "group": f.Group, "containerInstance": f.ContainerInstance,
	}
}

func (f InstanceFilter) values() map[string]string {
	return map[string]string{"cluster": f.Cluster, "status": f.Status}
}

// PageOptions choose a page of a list.
type PageOptions struct {
	Limit     int    // 0 is the API's own
	NextToken string // empty for the first page
}

// maxPages bounds a list that never ends.
const maxPages = 100_000

// Ping asks whether the API answers.
func (c *Client) Ping(ctx context.Context) error {
	return c.do(ctx, call{method: http.MethodGet, path: []string{"ping"}}, nil)
}

// ListTasks reads all tasks that the filter picks, page by page. It ends after an error.
func (c *Client) ListTasks(ctx context.Context, filter TaskFilter) iter.Seq2[Task, error] {
	return pages(func(token string) ([]Task, string, error) {
		page, err := c.ListTasksPage(ctx, filter, PageOptions{NextToken: token})
		return page.Items, page.NextToken, err
	})
}

// ListTasksPage reads one page of ListTasks.
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

// ListInstances reads all container instances that the filter picks, page by page. It ends after an error.
func (c *Client) ListInstances(ctx context.Context, filter InstanceFilter) iter.Seq2[ContainerInstance, error] {
	return pages(func(token string) ([]ContainerInstance, string, error) {
		page, err := c.ListInstancesPage(ctx, filter, PageOptions{NextToken: token})
		return page.Items, page.NextToken, err
	})
}

// ListInstancesPage reads one page of ListInstances.
func (c *Client) ListInstancesPage(ctx context.Context, filter InstanceFilter, options PageOptions) (ContainerInstancePage, error) {
	var page ContainerInstancePage
	err := c.do(ctx, call{
		method: http.MethodGet, path: []string{"instances"},
		query: query(options, filter.values()),
	}, &page)
	return page, err
}

// GetInstance reads a container instance of a cluster (name or ARN) by its id or ARN.
func (c *Client) GetInstance(ctx context.Context, cluster, instance string) (ContainerInstance, error) {
	var out ContainerInstance
	err := c.do(ctx, call{method: http.MethodGet, path: []string{"instances", cluster, instance}}, &out)
	return out, err
}

func query(options PageOptions, filters map[string]string) url.Values {
	values := url.Values{}
	for name, value := range filters {
		if value != "" {
			values.Set(name, value)
		}
	}
	if options.Limit > 0 {
		values.Set("limit", strconv.Itoa(options.Limit))
	}
	if options.NextToken != "" {
		values.Set("nextToken", options.NextToken)
	}
	return values
}

// pages walks a list that comes in pages.
func pages[T any](read func(token string) (items []T, next string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		token := ""
		for range maxPages {
			items, next, err := read(token)
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			token = next
		}
		yield(none, fmt.Errorf("the list has more than %d pages", maxPages))
	}
}
