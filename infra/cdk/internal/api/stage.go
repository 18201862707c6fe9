package api

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/infra/cdk/internal/settings"
)

// StageName is the API's only stage, and the first part of every URL's path.
const StageName = "blox"

// The limits of one second's requests, of all callers together. Writes are people's or a pipeline's, and each may wake
// the scheduler. The account's own limit, 10,000 a second unless raised, is shared with all other APIs of the account and
// region: these keep a loop in someone's script from using it up.
const (
	requestsPerSecond, requestBurst = 100, 200
	writesPerSecond, writeBurst     = 10, 20
	// Of streams and polls, for each path. A poll is one of the api function's concurrent executions for as long as it
	// waits, up to 25 seconds, and nothing else bounds how many there are: the function has no concurrency of its own,
	// which would be taken from the account for good. The rate does: 250 of a path may wait at once, and a burst more.
	watchesPerSecond = 10
)

func stageOptions(doc *document, logs awslogs.ILogGroup, s *settings.Settings) *awsapigateway.StageOptions {
	return &awsapigateway.StageOptions{
		StageName:            jsii.String(StageName),
		ThrottlingRateLimit:  jsii.Number(requestsPerSecond),
		ThrottlingBurstLimit: jsii.Number(requestBurst),
		MethodOptions:        methodLimits(doc, s.Watchers),
		AccessLogDestination: awsapigateway.NewLogGroupLogDestination(logs),
		AccessLogFormat:      awsapigateway.AccessLogFormat_Custom(jsii.String(accessLogFormat(s.Installation))),
		TracingEnabled:       jsii.Bool(s.Tracing),
		// Bodies and headers of requests are nobody's business but the function's.
		DataTraceEnabled: jsii.Bool(false),
		// The execution log would say nothing that the access log does not, in a log group that API Gateway creates by
		// itself and keeps for ever.
		LoggingLevel: awsapigateway.MethodLoggingLevel_OFF,
		// Count, latency and errors of the whole stage are there without this, for nothing. With it there would be five
		// metrics a method on top, at 0.30 USD a month each.
		MetricsEnabled: jsii.Bool(false),
	}
}

// methodLimits are the limits of what is not a plain read. All watchers may come back at once, as after an upgrade, and
// those who poll are taken to be as many.
func methodLimits(doc *document, watchers int) *map[string]*awsapigateway.MethodDeploymentOptions {
	limits := map[string]*awsapigateway.MethodDeploymentOptions{}
	for _, path := range doc.paths() {
		for method := range doc.Paths[path] {
			rate, burst := float64(writesPerSecond), float64(writeBurst)
			switch {
			case isStream(path), isPoll(path):
				rate, burst = watchesPerSecond, float64(max(watchers, watchesPerSecond))
			case method == "get" || method == "head":
				continue
			}
			limits[doc.resourcePath(path)+"/"+strings.ToUpper(method)] = &awsapigateway.MethodDeploymentOptions{
				ThrottlingRateLimit: jsii.Number(rate), ThrottlingBurstLimit: jsii.Number(burst),
				DataTraceEnabled: jsii.Bool(false), MetricsEnabled: jsii.Bool(false), LoggingLevel: awsapigateway.MethodLoggingLevel_OFF,
			}
		}
	}
	return &limits
}

// Members of a line that failedCalls reads.
const (
	installationField = "installation"
	lambdaStatusField = "lambdaStatus"
	errorTypeField    = "errorType"
)

// accessLogFields is what a line of the access log says. All values are text, because API Gateway writes - for one that
// there is not. It holds no query string, which has deployment tokens, and no error message: that of a wrong signature
// repeats the query string. lambdaStatus is Lambda's own answer, 429 for a function at its concurrency; functionStatus
// is what the function said.
var accessLogFields = [][2]string{
	{"requestId", "$context.requestId"},
	{"extendedRequestId", "$context.extendedRequestId"},
	{"traceId", "$context.xrayTraceId"},
	{"time", "$context.requestTimeEpoch"},
	{"caller", "$context.identity.userArn"},
	{"callerAccount", "$context.identity.accountId"},
	{"sourceIp", "$context.identity.sourceIp"},
	{"method", "$context.httpMethod"},
	{"path", "$context.path"},
	{"resource", "$context.resourcePath"},
	{"status", "$context.status"},
	{lambdaStatusField, "$context.integrationStatus"},
	{"functionStatus", "$context.integration.status"},
	{errorTypeField, "$context.error.responseType"},
	{"latencyMillis", "$context.responseLatency"},
	{"integrationLatencyMillis", "$context.integrationLatency"},
	{"responseBytes", "$context.responseLength"},
}

// accessLogFormat is one JSON object on one line; its members keep their order. The installation's name is in it because
// the dimension of a metric filter is taken from the line.
func accessLogFormat(installation string) string {
	members := make([]string, 0, len(accessLogFields)+1)
	for _, field := range append(accessLogFields, [2]string{installationField, installation}) {
		members = append(members, fmt.Sprintf("%s:%s", quoted(field[0]), quoted(field[1])))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// quoted is text as JSON.
func quoted(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always has a JSON form
	}
	return string(out)
}
