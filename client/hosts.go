package client

import (
	"context"
	"iter"
	"net/http"
	"time"
)

// HostStatus is what an environment has on one host, and what it does about it.
type HostStatus struct {
	EC2InstanceID        string `json:"ec2InstanceId" doc:"i-… of an EC2 instance, mi-… of an ECS Anywhere machine."`
	Cluster              string `json:"cluster" doc:"ARN."`
	ContainerInstanceARN string `json:"containerInstanceArn,omitempty" doc:"The host's registration that counts now. Absent for a host that has left its cluster."`

	State    string `json:"state" enum:"healthy,settling,starting,stopping,unhealthy,waiting,blocked,failing,draining,away,released,handingOver,ineligible,gone,unknown" doc:"healthy: has a daemon that has been well for minHealthySeconds; settling: well, and not yet for so long; waiting: has no daemon, and is to have one; blocked: ECS found no room, or the host unfit; failing: its daemon stops again and again; away: its agent is not connected; released: only daemons kept it alive; ineligible: the daemon does not belong there; unknown: its cluster was never reconciled."`
	Sentence string `json:"sentence" doc:"Why the host is as it is, in one sentence."`
	Desired  bool   `json:"desired" doc:"The daemon belongs on the host now."`
	Healthy  bool   `json:"healthy" doc:"A healthy daemon of any revision is on the host."`
	Updated  bool   `json:"updated" doc:"The host has the revision that it should have."`

	TaskARN       string `json:"taskArn,omitempty"`
	FormerTaskARN string `json:"formerTaskArn,omitempty" doc:"The task that serves on while its successor starts."`
	Revision      int    `json:"revision,omitempty" doc:"Number of the revision of the task, or of the last one. Absent if it is none of the environment's."`
	// Since is nil where nobody saw the state begin.
	Since              *time.Time `json:"since,omitempty" doc:"Since when the host has been in the state."`
	Reason             string     `json:"reason,omitempty" doc:"Why the last attempt failed, or why the task is being stopped: ECS's own reason where it gave one."`
	Failures           int        `json:"failures,omitempty" doc:"Attempts in a row that did not end healthy."`
	NextStep           string     `json:"nextStep,omitempty" doc:"What the scheduler would do at its next look, such as start or stop."`
	WaitsFor           string     `json:"waitsFor,omitempty" doc:"Why nothing is done on the host now: what the next step waits for."`
	RetryAt            *time.Time `json:"retryAt,omitempty" doc:"When the next attempt may start."`
	ReadinessAttribute string     `json:"readinessAttribute,omitempty" doc:"The readiness attribute that the host carries."`
	AttributeError     string     `json:"attributeError,omitempty" doc:"Why the readiness attribute could not be set or deleted."`
}

// HostStatusPage is a page of hosts, by cluster and EC2 instance id.
type HostStatusPage struct {
	Items     []HostStatus `json:"items" nullable:"false"`
	NextToken string       `json:"nextToken,omitempty" doc:"Give it as nextToken to get the next page."`
}

// ListHosts reads all hosts of an environment, page by page: those of its clusters that the daemon does not belong on as
// well, and those that left with a task. It ends after an error.
func (c *Client) ListHosts(ctx context.Context, environment string) iter.Seq2[HostStatus, error] {
	return pages(func(token string) ([]HostStatus, string, error) {
		page, err := c.ListHostsPage(ctx, environment, PageOptions{NextToken: token})
		return page.Items, page.NextToken, err
	})
}

// ListHostsPage reads one page of ListHosts.
func (c *Client) ListHostsPage(ctx context.Context, environment string, options PageOptions) (HostStatusPage, error) {
	var page HostStatusPage
	err := c.do(ctx, call{
		method: http.MethodGet, path: []string{"environments", environment, "instances"}, query: query(options, nil),
	}, &page)
	return page, err
}

// GetHost reads one host of an environment, by its EC2 instance id, its container instance's id, or that one's ARN. An
// Error with status 404 says that it is in none of the environment's clusters.
func (c *Client) GetHost(ctx context.Context, environment, host string) (HostStatus, error) {
	var out HostStatus
	err := c.do(ctx, call{method: http.MethodGet, path: []string{"environments", environment, "instances", host}}, &out)
	return out, err
}
