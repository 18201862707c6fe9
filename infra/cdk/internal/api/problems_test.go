package api_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// gatewayAnswers are what API Gateway itself answers, by the occasion, with values put in for its variables.
func gatewayAnswers(t *testing.T) map[string]object {
	t.Helper()
	answers := map[string]object{}
	for _, r := range synthesized.own.all("AWS::ApiGateway::GatewayResponse") {
		templates := r.properties["ResponseTemplates"].(object)
		require.Len(t, templates, 1)
		body := templates["application/json"].(string)
		body = strings.ReplaceAll(body, "$context.error.messageString", `"the \"message\""`)
		body = strings.ReplaceAll(body, "$context.error.validationErrorString", `[object has missing required properties ([\"x\"])]`)
		require.NotContains(t, body, "$", r.id)
		var problem object
		require.NoError(t, json.Unmarshal([]byte(body), &problem), body)
		answers[r.properties["ResponseType"].(string)] = object{
			"problem": problem, "status": r.properties["StatusCode"], "headers": r.properties["ResponseParameters"],
		}
	}
	return answers
}

func TestAPIGatewaysOwnAnswersAreProblemDocuments(t *testing.T) {
	answers := gatewayAnswers(t)
	// All that API Gateway's guide lists.
	for _, occasion := range []string{
		"ACCESS_DENIED", "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE", "BAD_REQUEST_BODY",
		"BAD_REQUEST_PARAMETERS", "DEFAULT_4XX", "DEFAULT_5XX", "EXPIRED_TOKEN", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT",
		"INVALID_API_KEY", "INVALID_SIGNATURE", "MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED", "REQUEST_TOO_LARGE",
		"RESOURCE_NOT_FOUND", "THROTTLED", "UNAUTHORIZED", "UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED",
	} {
		require.Contains(t, answers, occasion)
		answer := answers[occasion]
		problem := answer["problem"].(object)
		require.Equal(t, "'application/problem+json'", answer["headers"].(object)["gatewayresponse.header.Content-Type"], occasion)
		require.Equal(t, "about:blank", problem["type"], occasion)
		require.NotEmpty(t, problem["detail"], occasion)
		if strings.HasPrefix(occasion, "DEFAULT_") {
			require.Nil(t, answer["status"], "it would become that of all others: %s", occasion)
			require.NotContains(t, problem, "status", "a template cannot know it: %s", occasion)
			require.NotEmpty(t, problem["title"], occasion)
			continue
		}
		status, err := strconv.Atoi(answer["status"].(string))
		require.NoError(t, err)
		require.InDelta(t, status, problem["status"], 0, occasion)
		require.Equal(t, http.StatusText(status), problem["title"], occasion)
	}
	require.Len(t, answers, 21)
}

func TestAPIGatewaysOwnAnswersAreOfTheDocumentsShape(t *testing.T) {
	members := readYAML(t, documentPath)["components"].(object)["schemas"].(object)["ErrorModel"].(object)["properties"].(object)
	for occasion, answer := range gatewayAnswers(t) {
		for member := range answer["problem"].(object) {
			require.Contains(t, members, member, occasion)
		}
	}
}

func TestARefusedBodySaysWhatIsWrong(t *testing.T) {
	answer := gatewayAnswers(t)["BAD_REQUEST_BODY"]
	require.Equal(t, "400", answer["status"])
	require.Equal(t, `the body is not valid: [object has missing required properties (["x"])]`, answer["problem"].(object)["detail"])
}

func TestOneWatcherTooManyIsToldToComeBack(t *testing.T) {
	answer := gatewayAnswers(t)["INTEGRATION_FAILURE"]
	require.Equal(t, "429", answer["status"])
	detail := answer["problem"].(object)["detail"]
	require.Contains(t, detail, "either none was free (at most 20 streams are served at the same time")
	require.Contains(t, detail, "or API Gateway may not call it", "that answers 429 as well, and does not pass by itself")
	require.Equal(t, "'5'", answer["headers"].(object)["gatewayresponse.header.Retry-After"])
}

// A message about a signature holds the whole request that was to be signed. These occasions come after authentication.
func TestNothingOfAnUnauthenticatedRequestIsRepeated(t *testing.T) {
	var repeating []string
	for _, r := range synthesized.own.all("AWS::ApiGateway::GatewayResponse") {
		if strings.Contains(r.properties["ResponseTemplates"].(object)["application/json"].(string), "$context") {
			repeating = append(repeating, r.properties["ResponseType"].(string))
		}
	}
	require.ElementsMatch(t, []string{"ACCESS_DENIED", "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS"}, repeating)
}
