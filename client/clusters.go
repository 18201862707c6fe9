package client

import (
	"context"
	"iter"
	"net/http"
	"time"
)

// Cluster is an ECS cluster as Blox knows it.
type Cluster struct {
	Name       string `json:"name"`
	ClusterARN string `json:"clusterARN"`
	Account    string `json:"account" doc:"12 digits."`
	Region     string `json:"region"`
	// LastReconciledAt is nil before the first complete reconcile.
	LastReconciledAt *time.Time `json:"lastReconciledAt,omitempty" doc:"When the last complete reconcile with ECS began. Absent before the first: nothing is started or stopped in the cluster until then."`
	DriftRepaired    int        `json:"driftRepaired" doc:"What the last reconcile repaired: tasks and container instances that events had left wrong."`
	Drift            Drift      `json:"drift" doc:"driftRepaired by what was wrong."`
	AbsentHeldBack   int        `json:"absentHeldBack,omitempty" doc:"Tasks and container instances that the last reconcile missed in ECS and did not mark as gone yet, because they were too many to believe at once."`
	// GoneAt is nil for a cluster that ECS has.
	GoneAt         *time.Time `json:"goneAt,omitempty" doc:"When ECS was first found to have this cluster no more."`
	EventLagMillis int64      `json:"eventLagMillis" doc:"How late events of the account and region arrive; 0 while none was late in the last two minutes."`
	// EventLagReportedAt is nil if no event was ever late.
	EventLagReportedAt *time.Time `json:"eventLagReportedAt,omitempty" doc:"When events of the account and region were last late, or stopped being so."`
	// LastEventAt is nil in lists of clusters, and before the first reconcile that met an event.
	LastEventAt *time.Time `json:"lastEventAt,omitempty" doc:"Time of the newest event that was stored of this cluster, as of summary.countedAt. Not in lists of clusters."`
	// Summary is nil in lists of clusters, and before the first complete reconcile.
	Summary *ClusterSummary `json:"summary,omitempty" doc:"What lived in the cluster when the last reconcile counted; what had stopped or was gone is not counted. Not in lists of clusters."`
}

// Drift counts what one reconcile found to differ from ECS, and repaired.
type Drift struct {
	Missed      int `json:"missed" doc:"ECS had it and nothing was stored."`
	Stale       int `json:"stale" doc:"Stored at a lower version."`
	Refreshed   int `json:"refreshed" doc:"Stored at the same version with other tags, attributes or health: these change without an event."`
	Absent      int `json:"absent" doc:"Stored as living, and not in ECS any more."`
	Resurrected int `json:"resurrected" doc:"Taken for gone by an earlier reconcile, and alive."`
}

// ReconcileRequest is a reconcile that was asked for. It is done when the cluster's LastReconciledAt is RequestedAt or later.
type ReconcileRequest struct {
	ClusterARN  string    `json:"clusterARN"`
	RequestedAt time.Time `json:"requestedAt" doc:"The reconcile is done when the cluster's lastReconciledAt is this or later."`
}

// ClusterPage is a page of clusters, by account, region and name.
type ClusterPage struct {
	Items     []Cluster `json:"items" nullable:"false"`
	NextToken string    `json:"nextToken,omitempty" doc:"Give it as nextToken to get the next page."`
}

// ListClusters reads all clusters that Blox knows, page by page. It ends after an error.
func (c *Client) ListClusters(ctx context.Context) iter.Seq2[Cluster, error] {
	return pages(func(token string) ([]Cluster, string, error) {
		page, err := c.ListClustersPage(ctx, PageOptions{NextToken: token})
		return page.Items, page.NextToken, err
	})
}

// ListClustersPage reads one page of ListClusters.
func (c *Client) ListClustersPage(ctx context.Context, options PageOptions) (ClusterPage, error) {
	var page ClusterPage
	err := c.do(ctx, call{method: http.MethodGet, path: []string{"clusters"}, query: query(options, nil)}, &page)
	return page, err
}

// GetCluster reads a cluster by its name or ARN.
func (c *Client) GetCluster(ctx context.Context, cluster string) (Cluster, error) {
	var out Cluster
	err := c.do(ctx, call{method: http.MethodGet, path: []string{"clusters", cluster}}, &out)
	return out, err
}

// ReconcileCluster asks for a cluster, given by its name or ARN, to be compared with ECS now, and does not wait for it. One
// that Blox does not know yet must be given by its ARN.
func (c *Client) ReconcileCluster(ctx context.Context, cluster string) (ReconcileRequest, error) {
	var out ReconcileRequest
	err := c.do(ctx, call{method: http.MethodPost, path: []string{"clusters", cluster, "reconcile"}}, &out)
	return out, err
}
