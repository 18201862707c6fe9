package httpapi

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// OpenAPI30 is the document in OpenAPI 3.0, as YAML: API Gateway knows that version and not 3.1.
func OpenAPI30(version string) ([]byte, error) {
	s := &server{}
	api := humago.New(http.NewServeMux(), apiConfig(version))
	s.register(api)
	return api.OpenAPI().DowngradeYAML()
}
