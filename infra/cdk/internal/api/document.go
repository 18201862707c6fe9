package api

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// document is what of an OpenAPI 3.0 document matters here.
type document struct {
	OpenAPI    string              `yaml:"openapi"`
	Paths      map[string]pathItem `yaml:"paths"`
	Components struct {
		Schemas map[string]schema `yaml:"schemas"`
	} `yaml:"components"`
}

// schema is a JSON schema as OpenAPI 3.0 has it.
type schema = map[string]any

// pathItem is an operation by its method in small letters.
type pathItem map[string]operation

type operation struct {
	OperationID string              `yaml:"operationId"`
	Parameters  []parameter         `yaml:"parameters"`
	RequestBody *requestBody        `yaml:"requestBody"`
	Responses   map[string]response `yaml:"responses"`
}

type parameter struct {
	Name     string `yaml:"name"`
	In       string `yaml:"in"` // path, query or header
	Required bool   `yaml:"required"`
}

type requestBody struct {
	Content map[string]content `yaml:"content"`
}

type response struct {
	Content map[string]content `yaml:"content"`
}

type content struct {
	Schema schema `yaml:"schema"`
}

// methods are those that API Gateway has and that a path may have an operation for.
var methods = []string{"get", "put", "post", "delete", "patch", "head"}

// readDocument reads the 3.0 form that lies beside the document at path.
func readDocument(path string) (*document, error) {
	beside := downgradedPath(path)
	text, err := os.ReadFile(beside)
	if err != nil {
		return nil, fmt.Errorf("reading the OpenAPI document, which `make openapi` writes: %w", err)
	}
	doc := &document{}
	if err := yaml.Unmarshal(text, doc); err != nil {
		return nil, fmt.Errorf("reading the OpenAPI document %s: %w", beside, err)
	}
	if err := doc.check(); err != nil {
		return nil, fmt.Errorf("the OpenAPI document %s: %w", beside, err)
	}
	return doc, nil
}

// downgradedPath is openapi-3.0.yaml for openapi.yaml.
func downgradedPath(path string) string {
	extension := filepath.Ext(path)
	return strings.TrimSuffix(path, extension) + "-3.0" + extension
}

// check refuses what the rest of this package would silently leave out.
func (d *document) check() error {
	if !strings.HasPrefix(d.OpenAPI, "3.0.") {
		return fmt.Errorf("is of OpenAPI %q, allowed is 3.0: write it anew with `make openapi`", d.OpenAPI)
	}
	if len(d.Paths) == 0 {
		return errors.New("has no paths")
	}
	for _, path := range d.paths() {
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			if !slices.Contains(methods, method) {
				return fmt.Errorf("path %s has %q: allowed are operations (%s), with their parameters inside", path, method, strings.Join(methods, ", "))
			}
			for _, p := range d.Paths[path][method].Parameters {
				if p.Name == "" || !slices.Contains([]string{"path", "query", "header"}, p.In) {
					return fmt.Errorf("parameter %q of %s %s is in %q: allowed are path, query and header", p.Name, method, path, p.In)
				}
			}
		}
	}
	return d.checkSiblings()
}

func (d *document) paths() []string { return slices.Sorted(maps.Keys(d.Paths)) }

func (d *document) schemas() []string { return slices.Sorted(maps.Keys(d.Components.Schemas)) }

// streamPrefix begins the paths that the stream function serves.
const streamPrefix = "/v1/stream/"

func isStream(path string) bool { return strings.HasPrefix(path, streamPrefix) }

// pollPrefix begins the paths whose answers wait for something to tell.
const pollPrefix = "/v1/poll/"

func isPoll(path string) bool { return strings.HasPrefix(path, pollPrefix) }

// restOfPath is a parameter at the end of a path that takes the rest of it: ARNs hold slashes.
var restOfPath = regexp.MustCompile(`/\{(arn|cluster)}$`)

// resourcePath is a path of the document as API Gateway writes it. A path that goes on where another one takes the rest,
// as /v1/clusters/{cluster}/reconcile does, cannot have a resource of its own: it arrives at the other's, under a method
// of its own, and the function tells the two apart by the path.
func (d *document) resourcePath(path string) string {
	for _, shorter := range d.paths() {
		if restOfPath.MatchString(shorter) && strings.HasPrefix(path, shorter+"/") {
			path = shorter
			break
		}
	}
	return restOfPath.ReplaceAllString(path, "/{$1+}")
}

// checkSiblings refuses paths that API Gateway has no resources for: what follows the same beginning may be a parameter
// of one name only, and a resource has each method once.
func (d *document) checkSiblings() error {
	parameters := map[string]string{}
	taken := map[string]string{}
	for _, path := range d.paths() {
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			route := method + " " + d.resourcePath(path)
			if other, ok := taken[route]; ok {
				return fmt.Errorf("%s of paths %s and %s arrives at one resource of API Gateway: allowed is one of them", method, other, path)
			}
			taken[route] = path
		}
		parts := strings.Split(d.resourcePath(path), "/")
		for i, part := range parts {
			beginning := strings.Join(parts[:i], "/")
			if !strings.HasPrefix(part, "{") {
				continue
			}
			if other, ok := parameters[beginning]; ok && other != part {
				return fmt.Errorf("paths go on with %s and with %s after %s/: API Gateway allows one parameter there", other, part, beginning)
			}
			parameters[beginning] = part
		}
	}
	return nil
}
