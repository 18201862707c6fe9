// Package gateway stands in API Gateway's place: it routes HTTP by the methods of a deployed REST API, checks signatures
// and permissions, and calls the functions of the methods' integrations, streaming what they stream.
//
// What it does not do: validate requests against models, throttle by rate, cache.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
)

// Route is one method of a resource.
type Route struct {
	Method     string // such as GET, or ANY
	Resource   string // such as /v1/tasks/{arn+}
	ResourceID string
	IAM        bool // AWS_IAM; else everybody may call it
	Function   string
	Streaming  bool
}

// maxPages bounds the list of resources.
const maxPages = 20

// Read lists the routes of an API.
func Read(ctx context.Context, api *apigateway.Client, id string) ([]Route, error) {
	var routes []Route
	in := &apigateway.GetResourcesInput{RestApiId: &id, Limit: aws.Int32(500)}
	for range maxPages {
		page, err := api.GetResources(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("listing the resources of API %s: %w", id, err)
		}
		for _, resource := range page.Items {
			for method := range resource.ResourceMethods {
				route, err := read(ctx, api, id, resource, method)
				if err != nil {
					return nil, fmt.Errorf("reading %s %s of API %s: %w", method, aws.ToString(resource.Path), id, err)
				}
				routes = append(routes, route)
			}
		}
		if in.Position = page.Position; aws.ToString(page.Position) == "" {
			slices.SortFunc(routes, func(a, b Route) int { return strings.Compare(a.Resource+a.Method, b.Resource+b.Method) })
			return routes, nil
		}
	}
	return nil, fmt.Errorf("listing the resources of API %s: more than %d pages", id, maxPages)
}

func read(ctx context.Context, api *apigateway.Client, id string, resource types.Resource, method string) (Route, error) {
	m, err := api.GetMethod(ctx, &apigateway.GetMethodInput{RestApiId: &id, ResourceId: resource.Id, HttpMethod: &method})
	if err != nil {
		return Route{}, err
	}
	if m.MethodIntegration == nil || m.MethodIntegration.Type != types.IntegrationTypeAwsProxy {
		return Route{}, errors.New("it has no Lambda proxy integration")
	}
	route := Route{Method: method, Resource: aws.ToString(resource.Path), ResourceID: aws.ToString(resource.Id)}
	switch kind := aws.ToString(m.AuthorizationType); kind {
	case "AWS_IAM":
		route.IAM = true
	case "NONE":
	default:
		return Route{}, fmt.Errorf("the authorization %q is not known here", kind)
	}
	route.Function, route.Streaming, err = integration(aws.ToString(m.MethodIntegration.Uri))
	return route, err
}

// uri is an integration's: the API of Lambda's Invoke or of its InvokeWithResponseStream, with the function.
var uri = regexp.MustCompile(`^arn:[^:]+:apigateway:[^:]+:lambda:path/[0-9-]+/functions/(arn:[^/]+)/(invocations|response-streaming-invocations)$`)

func integration(text string) (function string, streaming bool, err error) {
	found := uri.FindStringSubmatch(text)
	if found == nil {
		return "", false, fmt.Errorf("the integration %q is no function's", text)
	}
	return found[1], found[2] == "response-streaming-invocations", nil
}

// match finds the route of a request and its path parameters. A literal part goes before a parameter, a parameter before
// the rest of the path; path is as it was sent, encoded.
func match(routes []Route, method, path string) (*Route, map[string]string) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	var best *Route
	var bestParameters map[string]string
	var bestRank string
	for i := range routes {
		if routes[i].Method != method && routes[i].Method != "ANY" {
			continue
		}
		parameters, rank, ok := routes[i].match(parts)
		if ok && (best == nil || rank < bestRank) {
			best, bestParameters, bestRank = &routes[i], parameters, rank
		}
	}
	return best, bestParameters
}

// match gives a rank that sorts: a digit for every part, 0 for a literal, 1 for a parameter, 2 for the rest.
func (r Route) match(parts []string) (parameters map[string]string, rank string, ok bool) {
	parameters = map[string]string{}
	pattern := strings.Split(strings.Trim(r.Resource, "/"), "/")
	for i, p := range pattern {
		if i >= len(parts) || parts[i] == "" {
			return nil, "", false
		}
		name, isParameter := strings.CutPrefix(p, "{")
		name = strings.TrimSuffix(name, "}")
		rest, greedy := strings.CutSuffix(name, "+")
		switch {
		case isParameter && greedy:
			parameters[rest] = strings.Join(parts[i:], "/")
			return parameters, rank + "2", true
		case isParameter:
			parameters[name] = parts[i]
			rank += "1"
		case p == parts[i]:
			rank += "0"
		default:
			return nil, "", false
		}
	}
	return parameters, rank, len(pattern) == len(parts)
}
