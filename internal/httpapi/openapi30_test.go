package httpapi_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/httpapi"
)

func TestTheCheckedInDocumentOfOpenAPI30IsTheCodes(t *testing.T) {
	want, err := httpapi.OpenAPI30(httpapi.DocumentVersion)
	require.NoError(t, err)
	require.Contains(t, string(want), "openapi: 3.0.3")
	got, err := os.ReadFile("../../api/openapi-3.0.yaml")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "the API has changed: write its documents anew with `make openapi`, and commit them")
}
