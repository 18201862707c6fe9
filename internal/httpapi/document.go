package httpapi

import (
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// describeDocuments puts the forms of the document into the document itself. huma serves them without saying so,
// and what the document does not name is no route of the deployed API.
func describeDocuments(document *huma.OpenAPI) {
	for path, form := range map[string]struct{ id, version, contentType, schema string }{
		"/v1/openapi.json":     {"getOpenAPIJSON", "3.1", "application/openapi+json", huma.TypeObject},
		"/v1/openapi.yaml":     {"getOpenAPI", "3.1", "application/openapi+yaml", huma.TypeString},
		"/v1/openapi-3.0.yaml": {"getOpenAPI30", "3.0", "application/openapi+yaml", huma.TypeString},
	} {
		document.Paths[path] = &huma.PathItem{Get: &huma.Operation{
			OperationID: form.id, Method: http.MethodGet, Path: path, Tags: []string{"service"},
			Summary: "Describe this API in OpenAPI " + form.version,
			Responses: map[string]*huma.Response{
				strconv.Itoa(http.StatusOK): {
					Description: "The document", Content: map[string]*huma.MediaType{form.contentType: {Schema: &huma.Schema{Type: form.schema}}},
				},
			},
		}}
	}
}
