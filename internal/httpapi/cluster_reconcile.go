package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/reconcile/request"
	"github.com/blox/blox/internal/state"
)

func (s *server) registerReconcile(api huma.API) {
	op := huma.Operation{
		OperationID: "reconcileCluster", Method: http.MethodPost, Path: "/v1/clusters/{cluster}/reconcile",
		Tags: []string{"cluster state"}, Summary: "Compare a cluster with ECS now",
		Description: "Asks for a comparison and does not wait for it: it is done when the cluster's lastReconciledAt is requestedAt or " +
			"later. A cluster that Blox does not know yet has to be given by its ARN, in an account and region that the installation " +
			"works in. ECS is not asked whether it has the cluster: one that it does not have stays unknown.",
		DefaultStatus: http.StatusAccepted, Errors: []int{http.StatusBadRequest, http.StatusNotFound},
	}
	handle(s, api, op, s.reconcileCluster)
	// Some proxies, API Gateway among them, unescape a path before they hand it on: then an ARN's slash makes a part more.
	op.OperationID, op.Path, op.Hidden = "reconcileClusterUnescaped", "/v1/clusters/{cluster}/{name}/reconcile", true
	handle(s, api, op, func(ctx context.Context, in *reconcileUnescapedInput) (*reconcileClusterOutput, error) {
		return s.reconcileCluster(ctx, &reconcileClusterInput{Cluster: in.Cluster + "/" + in.Name})
	})
}

// refuseGetOfReconcile tells the path of a reconcile, which a get takes for that of a cluster, from a cluster's: what is
// before /reconcile in the ARN of a cluster of that name is no cluster.
func refuseGetOfReconcile(cluster string) error {
	asked, ok := strings.CutSuffix(cluster, "/reconcile")
	if !ok {
		return nil
	}
	if _, _, err := parseCluster(asked); err != nil {
		return nil //nolint:nilerr // then it is no path of a reconcile, and for getCluster to judge
	}
	refused := huma.NewError(http.StatusMethodNotAllowed,
		"GET is not possible for /v1/clusters/"+shorten(cluster)+": allowed is POST")
	return huma.ErrorWithHeaders(refused, http.Header{"Allow": {http.MethodPost}})
}

type reconcileClusterInput struct {
	Cluster string `path:"cluster" maxLength:"2048" doc:"The cluster's name or ARN, URL-escaped."`
}

type reconcileUnescapedInput struct {
	Cluster string `path:"cluster" maxLength:"2048"`
	Name    string `path:"name" maxLength:"255"`
}

type reconcileClusterOutput struct{ Body client.ReconcileRequest }

func (s *server) reconcileCluster(ctx context.Context, in *reconcileClusterInput) (*reconcileClusterOutput, error) {
	key, err := s.clusterToReconcile(ctx, in.Cluster)
	if err != nil {
		return nil, err
	}
	at := s.Now()
	if err := request.SendCluster(ctx, s.Reconciles, key, at); err != nil {
		return nil, err
	}
	return &reconcileClusterOutput{Body: client.ReconcileRequest{ClusterARN: key.ARN(""), RequestedAt: at.UTC()}}, nil
}

// clusterToReconcile finds the cluster. One that nobody knows yet can be told from a mistake in its name only by its ARN;
// nobody reconciles one of an account and region that the installation does not work in.
func (s *server) clusterToReconcile(ctx context.Context, given string) (state.ClusterKey, error) {
	key, named, err := parseCluster(given)
	if err != nil {
		return key, badRequest(wrong("path.cluster", shorten(given), "invalid cluster ARN or name: %s", err))
	}
	if named {
		found, err := s.knownCluster(ctx, "path.cluster", key.Name)
		if err != nil {
			return key, err
		}
		if found == nil {
			return key, notFound("Cluster not found: "+unknownCluster+"; give its ARN to reconcile one for the first time", key.Name)
		}
		key = *found
	}
	if _, err := s.ECS(key.Account, key.Region); err != nil {
		return key, notFound("Cluster %s cannot be reconciled: %s", key.ARN(""), err)
	}
	return key, nil
}
