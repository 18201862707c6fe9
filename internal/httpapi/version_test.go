package httpapi_test

import (
	"encoding/json"
	"net/http"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/httpapi"
)

func TestTheVersionTellsWhatAnInstallationIs(t *testing.T) {
	a := newAPI(t)
	a.feed.err = errBroken // it asks nobody
	var got client.Version
	a.get("/v1/version").into(&got)
	got.Commit = "" // the test binary's own
	require.Equal(t, client.Version{
		Version: "test", GoVersion: runtime.Version(), APIVersion: httpapi.DocumentVersion, Installation: "test", Account: account, Region: region,
		Members: []client.Place{{Account: memberAccount, Region: memberRegion}}, RetentionDays: 7,
	}, got)
}

func TestTheDocumentIsServedAsJSON(t *testing.T) {
	got := newAPI(t).get("/v1/openapi.json")
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, "application/openapi+json", got.header.Get("Content-Type"))
	var document struct {
		OpenAPI string         `json:"openapi"`
		Paths   map[string]any `json:"paths"`
	}
	require.NoError(t, json.Unmarshal(got.body, &document))
	require.Equal(t, "3.1.0", document.OpenAPI)
	// What the document does not name is no route of the deployed API.
	for _, path := range []string{
		"/v1/openapi.json", "/v1/openapi.yaml", "/v1/version", "/v1/clusters/{cluster}", "/v1/clusters/{cluster}/reconcile",
	} {
		require.Contains(t, document.Paths, path)
	}
	require.NotContains(t, document.Paths, "/v1/clusters/{cluster}/{name}/reconcile", "the same once more")
}
