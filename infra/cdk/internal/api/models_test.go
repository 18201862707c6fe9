package api_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// modelNames are the names of the models by a reference to them.
func modelNames(t template) map[string]string {
	names := map[string]string{}
	for _, m := range t.all("AWS::ApiGateway::Model") {
		names["${"+m.id+"}"] = m.properties["Name"].(string)
	}
	return names
}

var modelAddress = regexp.MustCompile(`^https://apigateway\.amazonaws\.com/restapis/\$\{[A-Za-z0-9]+}/models/(\$\{[A-Za-z0-9]+})$`)

// documentSchemas are a template's models as the document has its schemas: with references by name.
func documentSchemas(t *testing.T, from template) map[string]any {
	t.Helper()
	names := modelNames(from)
	var restore func(any) any
	restore = func(value any) any {
		switch v := value.(type) {
		case object:
			if ref, ok := v["$ref"]; ok {
				address := modelAddress.FindStringSubmatch(text(ref))
				require.NotNil(t, address, "%v", ref)
				require.Contains(t, names, address[1])
				return object{"$ref": "#/components/schemas/" + names[address[1]]}
			}
			out := object{}
			for key, inner := range v {
				out[key] = restore(inner)
			}
			return out
		case []any:
			out := make([]any, len(v))
			for i := range v {
				out[i] = restore(v[i])
			}
			return out
		default:
			return value
		}
	}
	schemas := map[string]any{}
	for _, m := range from.all("AWS::ApiGateway::Model") {
		require.Equal(t, "application/json", m.properties["ContentType"])
		schema := restore(m.properties["Schema"]).(object)
		require.Equal(t, "http://json-schema.org/draft-04/schema#", schema["$schema"])
		delete(schema, "$schema")
		schemas[m.properties["Name"].(string)] = schema
	}
	return schemas
}

// withoutAnnotations is a schema of OpenAPI 3.1 without what JSON Schema draft 4 has no word for, and which does not say
// what is valid. All else of 3.1 that the document uses is the same in draft 4.
func withoutAnnotations(value any) any {
	switch v := value.(type) {
	case object:
		if ref, ok := v["$ref"]; ok {
			return object{"$ref": ref}
		}
		out := object{}
		for key, inner := range v {
			format, isText := inner.(string)
			switch {
			case isText && (key == "patternDescription" || key == "format" && regexp.MustCompile(`^(int|float|double)`).MatchString(format)):
			case key == "examples" || key == "deprecated":
			default:
				out[key] = withoutAnnotations(inner)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = withoutAnnotations(v[i])
		}
		return out
	default:
		return value
	}
}

func TestTheModelsAreTheDocumentsSchemas(t *testing.T) {
	document := readYAML(t, documentPath)["components"].(object)["schemas"].(object)
	models := documentSchemas(t, synthesized.own)
	require.Equal(t, slices.Sorted(maps.Keys(document)), slices.Sorted(maps.Keys(models)))
	for name, schema := range document {
		require.JSONEq(t, asJSON(t, withoutAnnotations(schema)), asJSON(t, models[name]), name)
	}
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	out, err := json.Marshal(value)
	require.NoError(t, err)
	return string(out)
}

func TestOpenAPIsOwnKeywordsBecomeDraft4(t *testing.T) {
	require.JSONEq(t, `{
		"Part": {"type": "string", "format": "date-time"},
		"Thing": {
			"type": "object",
			"additionalProperties": {"$ref": "#/components/schemas/Part"},
			"required": ["size"],
			"properties": {
				"size": {"type": "integer", "minimum": 0, "exclusiveMinimum": true},
				"parts": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Part"}},
				"main": {"$ref": "#/components/schemas/Part"},
				"either": {"oneOf": [{"type": ["string", "null"]}, {"$ref": "#/components/schemas/Part"}]},
				"nullable": {"type": "boolean"},
				"anything": {"description": "of any type"}
			}
		}
	}`, asJSON(t, documentSchemas(t, synthesized.small)))
}

func TestAChangedModelOrRouteIsAnotherDeployment(t *testing.T) {
	deployment := func(from template) string { return from.one("AWS::ApiGateway::Deployment").id }
	require.NotEqual(t, deployment(synthesized.small), deployment(synthesized.changedModel))
	require.NotEqual(t, deployment(synthesized.small), deployment(synthesized.changedRoute))
	require.NotEqual(t, deployment(synthesized.changedModel), deployment(synthesized.changedRoute))
	require.Equal(t, deployment(synthesized.small), deployment(synthesized.smallAgain))
}

func TestWhatCannotBeBuiltIsRefused(t *testing.T) {
	for name, want := range map[string]string{
		"missing":    "which `make openapi` writes: open testdata/refused/missing-3.0.yaml: no such file",
		"unreadable": "reading the OpenAPI document testdata/refused/unreadable-3.0.yaml: ",
		"version":    `is of OpenAPI "3.1.0", allowed is 3.0: write it anew with ` + "`make openapi`",
		"empty":      "has no paths",
		"method":     `path /v1/ping has "options": allowed are operations (get, put, post, delete, patch, head)`,
		"sibling":    "paths go on with {id} and with {name} after /v1/things/: API Gateway allows one parameter there",
		"taken":      "get of paths /v1/clusters/{cluster} and /v1/clusters/{cluster}/members arrives at one resource of API Gateway: allowed is one of them",
		"parameter":  `parameter "id" of get /v1/ping is in "cookie": allowed are path, query and header`,
		"keyword":    `schema Thing: properties: size: keyword "const" is none of those that can be carried over`,
		"reference":  `schema Thing: items: the document has no schema "Part"`,
		"nullable":   "schema Thing: nullable without a type says nothing",
		"subschema":  "schema Thing: items: is [map[type:string]], allowed is a schema",
		"name":       "schema Thing-Page: API Gateway wants letters and digits only in the name of a model",
		"body":       "POST /v1/ping: the body has no schema of the document's components for application/json",
	} {
		require.ErrorContains(t, synthesized.refused[name], want, name)
		delete(synthesized.refused, name)
	}
	require.Empty(t, synthesized.refused, "every document in testdata/refused has its error above")
}
