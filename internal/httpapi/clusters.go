package httpapi

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

func (s *server) registerClusters(api huma.API) {
	tags := []string{"cluster state"}
	handle(s, api, huma.Operation{
		OperationID: "listClusters", Method: http.MethodGet, Path: "/v1/clusters", Tags: tags,
		Summary: "List the clusters that Blox knows, by account, region and name", Errors: []int{http.StatusBadRequest},
	}, s.listClusters)
	handle(s, api, huma.Operation{
		OperationID: "getCluster", Method: http.MethodGet, Path: "/v1/clusters/{cluster" + restOfPath, Tags: tags,
		Summary: "Get a cluster", Description: "{cluster} takes the rest of the path: a name, or an ARN with its slash.",
		Errors: []int{http.StatusBadRequest, http.StatusNotFound},
	}, s.getCluster)
}

type listClustersInput struct{ Paging }

type listClustersOutput struct{ Body client.ClusterPage }

// listClusters reads every cluster for each page: they are small, and few.
func (s *server) listClusters(ctx context.Context, in *listClustersInput) (*listClustersOutput, error) {
	list := listFingerprint("clusters")
	var after state.ClusterKey
	if in.NextToken != "" {
		token, err := decodeToken(in.NextToken, list)
		if err == nil {
			if after, err = state.ParseClusterKey(token.Cluster); err != nil {
				err = errTokenMalformed
			}
		}
		if err != nil {
			return nil, badRequest(wrong("query.nextToken", shorten(in.NextToken), "%s", err))
		}
	}
	known, err := s.State.Clusters(ctx)
	if err != nil {
		return nil, err
	}
	lags, err := s.State.LagReports(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(known, func(a, b table.Cluster) int { return a.Key.Compare(b.Key) })
	known = slices.DeleteFunc(known, func(c table.Cluster) bool {
		return c.Key.Compare(after) <= 0 || !s.State.ClusterVisible(c, s.Now())
	})
	out := &listClustersOutput{}
	if len(known) > in.Limit {
		known = known[:in.Limit]
		out.Body.NextToken, err = encodeToken(pageToken{List: list, Cluster: known[in.Limit-1].Key.String()})
	}
	out.Body.Items = make([]client.Cluster, len(known))
	for i, cluster := range known {
		out.Body.Items[i] = clusterView(cluster, lags[cluster.Key.Account+"/"+cluster.Key.Region], s.Now())
	}
	return out, err
}

type getClusterInput struct {
	Cluster string `path:"cluster" maxLength:"2048" doc:"Name or ARN; takes the rest of the path, its slash included."`
}

type getClusterOutput struct{ Body client.Cluster }

func (s *server) getCluster(ctx context.Context, in *getClusterInput) (*getClusterOutput, error) {
	if err := refuseGetOfReconcile(in.Cluster); err != nil {
		return nil, err
	}
	key, guessed, err := s.cluster(ctx, "path.cluster", in.Cluster)
	if err != nil {
		return nil, err
	}
	found, err := s.State.ClustersByKey(ctx, []state.ClusterKey{key})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 || !s.State.ClusterVisible(found[0], s.Now()) {
		if guessed {
			return nil, notFound("Cluster not found: "+unknownCluster, key.Name)
		}
		return nil, notFound("Cluster not found: nothing is known of %s", key.ARN(""))
	}
	lag, err := s.State.LagReport(ctx, key.Account, key.Region)
	out := &getClusterOutput{Body: clusterView(found[0], lag, s.Now())}
	addSummary(&out.Body, found[0].Summary)
	return out, err
}

// clusterView is a cluster without its summary, which would make lists long.
func clusterView(c table.Cluster, lag table.Lag, now time.Time) client.Cluster {
	return client.Cluster{
		Name: c.Key.Name, ClusterARN: c.Key.ARN(""), Account: c.Key.Account, Region: c.Key.Region,
		LastReconciledAt: timeOf(c.SyncedAt), DriftRepaired: c.Drift.Total(), Drift: client.Drift(c.Drift),
		AbsentHeldBack: c.HeldBack, GoneAt: timeOf(c.GoneAt),
		EventLagMillis: lag.CountedAt(now).Milliseconds(), EventLagReportedAt: timeOf(lag.At),
	}
}

// timeOf is nil for no time, which the tables write as 0.
func timeOf(millis int64) *time.Time {
	if millis == 0 {
		return nil
	}
	t := time.UnixMilli(millis).UTC()
	return &t
}
