package api_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

func readYAML(t *testing.T, path string) object {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	var document object
	require.NoError(t, yaml.Unmarshal(content, &document))
	return document
}

// takesTheRest is the end of paths whose description says that it "takes the rest of the path".
var takesTheRest = regexp.MustCompile(`(\{(arn|cluster))}$`)

// goesOn is a path that begins as one that takes the rest of the path: it arrives at that one's resource.
const goesOn = "/v1/clusters/{cluster}/reconcile"

// operations are the document's, by "GET /v1/path" as API Gateway has it.
func operations(t *testing.T) map[string]object {
	t.Helper()
	all := map[string]object{}
	paths := readYAML(t, documentPath)["paths"].(object)
	require.Contains(t, paths, goesOn)
	for path, item := range paths {
		if path == goesOn {
			path = "/v1/clusters/{cluster}"
		}
		for method, operation := range item.(object) {
			all[strings.ToUpper(method)+" "+takesTheRest.ReplaceAllString(path, "$1+}")] = operation.(object)
		}
	}
	require.Greater(t, len(all), 10)
	return all
}

func TestTheRoutesAreTheDocuments(t *testing.T) {
	require.Equal(t, slices.Sorted(maps.Keys(operations(t))), slices.Sorted(maps.Keys(synthesized.own.routes())))
}

// The document itself says it, in the words that its readers go by.
func TestWhatIsSaidToTakeTheRestDoes(t *testing.T) {
	routes, found := synthesized.own.routes(), 0
	for route, operation := range operations(t) {
		description, _ := operation["description"].(string)
		says := strings.Contains(description, "takes the rest of the path")
		if operation["operationId"] == "reconcileCluster" {
			says = true // its path is the rest of another's
		}
		require.Equal(t, says, strings.HasSuffix(route, "+}"), route)
		require.Contains(t, routes, route)
		if says {
			found++
		}
	}
	require.Positive(t, found)
}

func TestEveryMethodWantsASignature(t *testing.T) {
	for _, template := range []template{synthesized.own, synthesized.small} {
		for route, method := range template.routes() {
			require.Equal(t, "AWS_IAM", method["AuthorizationType"], route)
		}
	}
}

func TestParametersAreDeclaredAsTheDocumentHasThem(t *testing.T) {
	routes := synthesized.own.routes()
	for route, operation := range operations(t) {
		want := object{}
		parameters, _ := operation["parameters"].([]any)
		for _, p := range parameters {
			p := p.(object)
			place := strings.Replace(p["in"].(string), "query", "querystring", 1)
			want["method.request."+place+"."+p["name"].(string)] = p["required"] == true
		}
		got, _ := routes[route]["RequestParameters"].(object)
		if got == nil {
			got = object{}
		}
		require.Equal(t, want, got, route)
		require.Equal(t, operation["operationId"], routes[route]["OperationName"], route)
	}
	require.Equal(t, object{
		"method.request.querystring.since": true, "method.request.header.Accept": false,
	}, synthesized.small.routes()["GET /v1/stream/things"]["RequestParameters"])
}

func TestRequestsAreValidated(t *testing.T) {
	validators := map[string]object{}
	for _, v := range synthesized.own.all("AWS::ApiGateway::RequestValidator") {
		validators["${"+v.id+"}"] = v.properties
	}
	bodies := 0
	routes := synthesized.own.routes()
	for route, operation := range operations(t) {
		validator := validators[text(routes[route]["RequestValidatorId"])]
		require.Equal(t, true, validator["ValidateRequestParameters"], route)
		body, hasBody := operation["requestBody"].(object)
		require.Equal(t, hasBody, validator["ValidateRequestBody"], route)
		if !hasBody {
			require.Nil(t, routes[route]["RequestModels"], route)
			continue
		}
		bodies++
		schema := body["content"].(object)["application/json"].(object)["schema"].(object)["$ref"].(string)
		models := routes[route]["RequestModels"].(object)
		require.Len(t, models, 1, "a body of another type is the function's to refuse: %s", route)
		require.Equal(t, strings.TrimPrefix(schema, "#/components/schemas/"), modelNames(synthesized.own)[text(models["application/json"])], route)
	}
	require.Positive(t, bodies)
}

func TestAnswersAreDeclaredAsTheDocumentHasThem(t *testing.T) {
	names := modelNames(synthesized.own)
	for route, operation := range operations(t) {
		want, got := map[string]map[string]string{}, map[string]map[string]string{}
		for status, response := range operation["responses"].(object) {
			if status == "default" {
				continue
			}
			want[status] = map[string]string{}
			content, _ := response.(object)["content"].(object)
			for contentType, media := range content {
				if ref, ok := media.(object)["schema"].(object)["$ref"].(string); ok {
					want[status][contentType] = strings.TrimPrefix(ref, "#/components/schemas/")
				}
			}
		}
		for _, response := range synthesized.own.routes()[route]["MethodResponses"].([]any) {
			status := response.(object)["StatusCode"].(string)
			got[status] = map[string]string{}
			models, _ := response.(object)["ResponseModels"].(object)
			for contentType, model := range models {
				got[status][contentType] = names[text(model)]
			}
		}
		require.Equal(t, want, got, route)
	}
}

func TestTheEndOfAPathTakesTheRest(t *testing.T) {
	require.Equal(t, []string{"GET /v1/groups/{cluster+}", "GET /v1/parts/{arn}/things", "GET /v1/stream/things", "GET /v1/streams", "PUT /v1/things/{group}/{arn+}"},
		slices.Sorted(maps.Keys(synthesized.small.routes())))
}

func TestRequestsGoToTheirFunctionAsTheyAre(t *testing.T) {
	const prefix = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/"
	for _, template := range []template{synthesized.own, synthesized.small} {
		streams := 0
		for route, method := range template.routes() {
			integration := method["Integration"].(object)
			require.Equal(t, "AWS_PROXY", integration["Type"], route)
			require.Equal(t, "POST", integration["IntegrationHttpMethod"], "Lambda takes nothing else: %s", route)
			uri := text(integration["Uri"])
			if strings.HasPrefix(route, "GET /v1/stream/") {
				streams++
				require.Equal(t, prefix+"2021-11-15/functions/${"+template.function("StreamFunction")+".Arn}/response-streaming-invocations", uri, route)
				require.Equal(t, "STREAM", integration["ResponseTransferMode"], route)
				require.InDelta(t, 330_000, integration["TimeoutInMillis"], 0, "as long as the function may run: %s", route)
				continue
			}
			require.Equal(t, prefix+"2015-03-31/functions/${"+template.function("ApiFunction")+".Arn}/invocations", uri, route)
			require.NotEqual(t, "STREAM", integration["ResponseTransferMode"], route)
			require.InDelta(t, 29_000, integration["TimeoutInMillis"], 0, route)
		}
		require.Positive(t, streams)
		require.Less(t, streams, len(template.routes()))
	}
}

func TestOnlyTheStageMayCallTheFunctions(t *testing.T) {
	permissions := synthesized.own.all("AWS::Lambda::Permission")
	require.Len(t, permissions, 2, "one a function, whatever the number of methods")
	rest := synthesized.own.one("AWS::ApiGateway::RestApi").id
	called := map[string]bool{}
	for _, p := range permissions {
		require.Equal(t, "lambda:InvokeFunction", p.properties["Action"])
		require.Equal(t, "apigateway.amazonaws.com", p.properties["Principal"])
		require.Equal(t, "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${"+rest+"}/blox/*/*", text(p.properties["SourceArn"]))
		called[text(p.properties["FunctionName"])] = true
	}
	require.Len(t, called, 2)
}
