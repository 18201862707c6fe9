package httpapi_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/reconcile/request"
	"github.com/blox/blox/internal/state"
)

func TestReconcileIsAskedFor(t *testing.T) {
	a := newAPI(t)
	require.NoError(t, a.state.AddCluster(context.Background(), home))
	first := state.ClusterKey{Account: memberAccount, Region: memberRegion, Name: "new"}
	for given, key := range map[string]state.ClusterKey{
		"edge": home, url.PathEscape(home.ARN("")): home, home.ARN(""): home, // with its slash unescaped on the way
		url.PathEscape(first.ARN("")): first, // nobody knows it yet
	} {
		a.reconciles.sent = nil
		got := a.do(http.MethodPost, "/v1/clusters/"+given+"/reconcile", "")
		require.Equal(t, http.StatusAccepted, got.status, "%s: %s", given, got.body)
		require.JSONEq(t, `{"clusterARN": "`+key.ARN("")+`", "requestedAt": "`+start.Format("2006-01-02T15:04:05Z")+`"}`, string(got.body))
		require.Len(t, a.reconciles.sent, 1)
		require.Equal(t, request.KindCluster, a.reconciles.sent[0].Kind)
		require.Equal(t, key, a.reconciles.sent[0].Cluster)
		require.Equal(t, start, a.reconciles.sent[0].At)
	}
}

func TestReconcilesThatAreRefused(t *testing.T) {
	a := newAPI(t)
	lost := state.ClusterKey{Account: "444444444444", Region: region, Name: "lost"} // of a member that was
	elsewhere := state.ClusterKey{Account: account, Region: "us-east-1", Name: "edge"}
	for _, key := range []state.ClusterKey{home, lost, elsewhere} {
		require.NoError(t, a.state.AddCluster(context.Background(), key))
	}
	for given, want := range map[string]struct {
		status int
		detail string
	}{
		"nobody":                       {404, "give its ARN"},
		"lost":                         {404, "is no member: allowed are"},
		url.PathEscape(lost.ARN("")):   {404, "is no member: allowed are"},
		"edge":                         {400, elsewhere.ARN("")},
		"a%20b":                        {400, "path.cluster: invalid cluster ARN or name"},
		url.PathEscape(instanceARN(1)): {400, "allowed is a cluster's"},
		"a/b":                          {400, "path.cluster"},
	} {
		detail := a.do(http.MethodPost, "/v1/clusters/"+given+"/reconcile", "").problem(want.status)
		require.Contains(t, detail, want.detail, given)
	}
	require.Empty(t, a.reconciles.sent)
	require.Equal(t, http.StatusMethodNotAllowed, a.do(http.MethodPost, "/v1/clusters/edge", "").status)

	a.reconciles.err = errBroken
	require.NotContains(t, a.do(http.MethodPost, "/v1/clusters/"+url.PathEscape(home.ARN(""))+"/reconcile", "").problem(500), "10.0.0.7")
	var page client.ClusterPage
	a.get("/v1/clusters").into(&page)
	require.Len(t, page.Items, 3, "asking makes no cluster known")
}
