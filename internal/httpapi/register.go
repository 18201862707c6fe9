package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// maxBodyBytes is far beyond any definition, and little enough to read at once.
const maxBodyBytes = 256 << 10

// restOfPath marks a path parameter that may hold slashes, as long ARNs do.
const restOfPath = "...}"

func (s *server) register(api huma.API) {
	s.prepare(api)
	s.registerPing(api)
	s.registerVersion(api)
	s.registerQueries(api)
	s.registerClusters(api)
	s.registerReconcile(api)
	s.registerStreams(api)
	s.registerPolls(api)
	s.registerEnvironments(api)
	s.registerRevisions(api)
	s.registerFreeze(api)
	s.registerDeployments(api)
	s.registerVerbs(api)
	s.registerRedeployments(api)
	s.registerPlan(api)
	s.registerHosts(api)

	describeDocuments(api.OpenAPI())
	tidyDocument(api.OpenAPI())
}

// prepare sets what every request passes before its handler.
func (s *server) prepare(api huma.API) {
	api.UseMiddleware(checkContentType(api), checkQuery(api), s.known)
}

// tidyDocument corrects what huma writes into the document by itself: the router's notation for the rest of a path is
// not OpenAPI's, and a request that is not valid is a 400 here.
func tidyDocument(document *huma.OpenAPI) {
	paths := make(map[string]*huma.PathItem, len(document.Paths))
	for path, item := range document.Paths {
		paths[strings.ReplaceAll(path, restOfPath, "}")] = item
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete} {
			if op != nil {
				delete(op.Responses, strconv.Itoa(http.StatusUnprocessableEntity))
			}
		}
	}
	document.Paths = paths
}

func (s *server) registerEnvironments(api huma.API) {
	tags := []string{"environments"}
	handle(s, api, huma.Operation{
		OperationID: "createEnvironment", Method: http.MethodPost, Path: "/v1/environments", Tags: tags,
		Summary: "Create an environment", Description: "Nothing is started before a deployment is created.",
		MaxBodyBytes: maxBodyBytes, Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusUnsupportedMediaType},
	}, s.createEnvironment)
	handle(s, api, huma.Operation{
		OperationID: "listEnvironments", Method: http.MethodGet, Path: "/v1/environments", Tags: tags,
		Summary: "List environments by name", Errors: []int{http.StatusBadRequest},
	}, s.listEnvironments)
	handle(s, api, huma.Operation{
		OperationID: "getEnvironment", Method: http.MethodGet, Path: "/v1/environments/{name}", Tags: tags,
		Summary: "Get an environment", Errors: []int{http.StatusBadRequest, http.StatusNotFound},
	}, s.getEnvironment)
	handle(s, api, huma.Operation{
		OperationID: "putEnvironment", Method: http.MethodPut, Path: "/v1/environments/{name}", Tags: tags,
		Summary: "Create an environment or give it a new revision",
		Description: "A definition that is the same as the current revision changes nothing. Nothing is replaced before a " +
			"deployment is created with the new revision's token.",
		MaxBodyBytes: maxBodyBytes, Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusUnsupportedMediaType},
	}, s.putEnvironment)
	handle(s, api, huma.Operation{
		OperationID: "deleteEnvironment", Method: http.MethodDelete, Path: "/v1/environments/{name}", Tags: tags,
		Summary: "Delete an environment", Description: "An environment that does not exist counts as deleted.",
		DefaultStatus: http.StatusOK, Errors: []int{http.StatusBadRequest, http.StatusConflict},
	}, s.deleteEnvironment)
}

func (s *server) registerDeployments(api huma.API) {
	tags := []string{"deployments"}
	handle(s, api, huma.Operation{
		OperationID: "createDeployment", Method: http.MethodPost, Path: "/v1/environments/{name}/deployments", Tags: tags,
		Summary: "Deploy the current revision",
		Description: "deploymentToken is the one that the environment shows. Sent again, it answers with the same deployment; " +
			"that of an older revision is refused.",
		Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict},
	}, s.createDeployment)
	handle(s, api, huma.Operation{
		OperationID: "listDeployments", Method: http.MethodGet, Path: "/v1/environments/{name}/deployments", Tags: tags,
		Summary: "List an environment's deployments, newest first", Errors: []int{http.StatusBadRequest, http.StatusNotFound},
	}, s.listDeployments)
	handle(s, api, huma.Operation{
		OperationID: "getDeployment", Method: http.MethodGet, Path: "/v1/environments/{name}/deployments/{id}", Tags: tags,
		Summary: "Get a deployment", Errors: []int{http.StatusBadRequest, http.StatusNotFound},
	}, s.getDeployment)
	handle(s, api, huma.Operation{
		OperationID: "listTimeline", Method: http.MethodGet, Path: "/v1/environments/{name}/deployments/{id}/timeline", Tags: tags,
		Summary: "List what was done for a deployment, and why, newest first", Errors: []int{http.StatusBadRequest, http.StatusNotFound},
	}, s.listTimeline)
}

// handle registers an operation whose errors, unless meant for the one who asked, are logged and hidden.
func handle[I, O any](s *server, api huma.API, op huma.Operation, handler func(context.Context, *I) (*O, error)) {
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil && !isProblem(err) {
			return nil, s.internal(ctx, err)
		}
		return out, err
	})
}

type serverKey struct{}

// known lets the checks of a request, which huma calls without anything else, know the server.
func (s *server) known(ctx huma.Context, next func(huma.Context)) {
	next(huma.WithValue(ctx, serverKey{}, s))
}

func serverOf(ctx huma.Context) *server { return ctx.Context().Value(serverKey{}).(*server) }

// checkQuery refuses query parameters that the operation does not know, and those given twice: a filter that is
// silently ignored would answer another question than the one asked.
func checkQuery(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		requested := ctx.URL()
		query, err := url.ParseQuery(requested.RawQuery)
		var errs []error
		if err != nil {
			errs = append(errs, wrong("query", nil, "the query string cannot be read: %s", err))
		}
		var allowed, repeatable []string
		for _, param := range ctx.Operation().Parameters {
			if param.In == "query" {
				allowed = append(allowed, param.Name)
				if param.Explode != nil && *param.Explode {
					repeatable = append(repeatable, param.Name)
				}
			}
		}
		for name, values := range query {
			switch {
			case !slices.Contains(allowed, name):
				errs = append(errs, wrong("query."+shorten(name), nil, "not supported here: allowed are %s", listed(allowed)))
			case len(values) > 1 && !slices.Contains(repeatable, name):
				errs = append(errs, wrong("query."+name, nil, "given %d times, allowed is once", len(values)))
			}
		}
		if len(errs) > 0 {
			// An answer that cannot be written has nobody waiting for it.
			_ = huma.WriteErr(api, ctx, http.StatusBadRequest, "the query is not valid", errs...)
			return
		}
		next(ctx)
	}
}

// checkContentType refuses bodies that are not JSON before anything looks into them: what they hold cannot be judged. A
// body without a type counts as JSON.
func checkContentType(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		given := ctx.Header("Content-Type")
		kind, _, _ := strings.Cut(given, ";")
		kind = strings.TrimSpace(kind)
		if ctx.Operation().RequestBody != nil && given != "" && kind != jsonType && !strings.HasSuffix(kind, "+json") {
			// An answer that cannot be written has nobody waiting for it.
			_ = huma.WriteErr(api, ctx, http.StatusUnsupportedMediaType,
				"the body is declared as "+shorten(given)+": send it with the header Content-Type: "+jsonType)
			return
		}
		next(ctx)
	}
}

// jsonType is the type of the bodies that the API takes.
const jsonType = "application/json"

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
