package api_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheAPIIsRegional(t *testing.T) {
	rest := synthesized.own.one("AWS::ApiGateway::RestApi")
	require.Equal(t, object{"Types": []any{"REGIONAL"}}, rest.properties["EndpointConfiguration"])
	require.Equal(t, "blox-blox", rest.properties["Name"])
	require.Equal(t, "https://${"+rest.id+"}.execute-api.${AWS::Region}.${AWS::URLSuffix}/blox",
		text(synthesized.own["Outputs"].(object)["ApiUrl"].(object)["Value"]))
	require.Len(t, synthesized.own["Outputs"], 1, "outputs are the stack's")
}

func TestReadsWritesAndWatchesHaveTheirLimits(t *testing.T) {
	type limit struct{ rate, burst any }
	limits := func(from template) map[string]limit {
		found := map[string]limit{}
		for _, s := range from.one("AWS::ApiGateway::Stage").properties["MethodSettings"].([]any) {
			s := s.(object)
			require.NotEqual(t, true, s["DataTraceEnabled"], "bodies are not logged")
			path := strings.ReplaceAll(strings.TrimPrefix(s["ResourcePath"].(string), "/"), "~1", "/")
			found[s["HttpMethod"].(string)+" "+path] = limit{s["ThrottlingRateLimit"], s["ThrottlingBurstLimit"]}
		}
		return found
	}
	own := limits(synthesized.own)
	require.Equal(t, limit{100., 200.}, own["* *"])
	for route := range operations(t) {
		switch {
		case strings.Contains(route, "/v1/stream/"), strings.Contains(route, "/v1/poll/"):
			require.Equal(t, limit{10., 20.}, own[route], route)
		case strings.HasPrefix(route, "GET "):
			require.NotContains(t, own, route)
		default:
			require.Equal(t, limit{10., 20.}, own[route], route)
		}
	}
	require.Equal(t, map[string]limit{
		"* *": {100., 200.}, "GET /v1/stream/things": {10., 20.}, "PUT /v1/things/{group}/{arn+}": {10., 20.},
	}, limits(synthesized.small))
}

func TestEveryRequestIsLoggedWithoutItsSecrets(t *testing.T) {
	stage := synthesized.own.one("AWS::ApiGateway::Stage")
	logs := synthesized.own.one("AWS::Logs::LogGroup")
	require.InDelta(t, 30, logs.properties["RetentionInDays"], 0)
	access := stage.properties["AccessLogSetting"].(object)
	require.Equal(t, "${"+logs.id+".Arn}", text(access["DestinationArn"]))
	format := access["Format"].(string)
	require.NotContains(t, format, "\n")
	require.Less(t, len(format), 3000, "API Gateway takes no more")
	for _, secret := range []string{"query", "apiKey", "error.message", "validationError", "header"} {
		require.NotContains(t, strings.ToLower(format), strings.ToLower(secret))
	}
	var line map[string]string
	filled := regexp.MustCompile(`\$context\.[A-Za-z.]+`).ReplaceAllString(format, "-")
	require.NoError(t, json.Unmarshal([]byte(filled), &line), "a line of JSON even where API Gateway has no value and writes -")
	for _, field := range []string{"requestId", "caller", "method", "path", "status", "lambdaStatus", "errorType", "integrationLatencyMillis"} {
		require.Contains(t, line, field)
	}
	require.Equal(t, "blox", line["installation"])
}

// A permission to invoke that was lost is answered with 429, as are too many watchers: the access log tells them apart.
func TestCallsThatFailAreCountedUnlessThrottled(t *testing.T) {
	filter := synthesized.own.one("AWS::Logs::MetricFilter")
	require.Equal(t, "${"+synthesized.own.one("AWS::Logs::LogGroup").id+"}", text(filter.properties["LogGroupName"]))
	require.Equal(t, `{ ($.errorType = "INTEGRATION_FAILURE") && ($.lambdaStatus != "429") }`, filter.properties["FilterPattern"])
	require.Equal(t, []any{object{
		"MetricNamespace": "Blox", "MetricName": "FunctionCallsFailed", "MetricValue": "1",
		"Dimensions": []any{object{"Key": "Installation", "Value": "$.installation"}},
	}}, filter.properties["MetricTransformations"])
	format := synthesized.own.one("AWS::ApiGateway::Stage").properties["AccessLogSetting"].(object)["Format"].(string)
	for _, field := range []string{`"errorType":"$context.error.responseType"`, `"lambdaStatus":"$context.integrationStatus"`, `"installation":"blox"`} {
		require.Contains(t, format, field, "what the filter reads")
	}
}

func TestTheStageIsTraced(t *testing.T) {
	stage := synthesized.own.one("AWS::ApiGateway::Stage")
	require.Equal(t, "blox", stage.properties["StageName"])
	require.Equal(t, true, stage.properties["TracingEnabled"])
	require.Equal(t, "${"+synthesized.own.one("AWS::ApiGateway::Deployment").id+"}", text(stage.properties["DeploymentId"]))
}

// A stage with access logs is refused while the account has no role for them.
func TestTheAccountsRoleForLogsComesFirstAndStays(t *testing.T) {
	account := synthesized.own.one("AWS::ApiGateway::Account")
	require.Contains(t, synthesized.own.one("AWS::ApiGateway::Stage").dependsOn, account.id)
	require.Equal(t, "Retain", account.whole["DeletionPolicy"])
	for _, role := range synthesized.own.all("AWS::IAM::Role") {
		if text(account.properties["CloudWatchRoleArn"]) == "${"+role.id+".Arn}" {
			require.Equal(t, "Retain", role.whole["DeletionPolicy"])
			return
		}
	}
	require.Fail(t, "the account names no role of the template")
}

func TestEveryMethodIsDeployed(t *testing.T) {
	deployment := synthesized.own.one("AWS::ApiGateway::Deployment")
	for _, kind := range []string{"AWS::ApiGateway::Method", "AWS::ApiGateway::GatewayResponse"} {
		for _, r := range synthesized.own.all(kind) {
			require.Contains(t, deployment.dependsOn, r.id)
		}
	}
}
