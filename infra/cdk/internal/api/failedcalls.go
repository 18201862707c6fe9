package api

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/infra/cdk/internal/observability"
)

// failedCalls counts the requests that API Gateway could not hand to their function for another reason than throttling.
// They are answered with 429 (see integrationFailure), so that 5XXError does not count them; and no function ran, so that
// none counts an error: without this a permission to invoke that is lost would be silent. Lambda's own status is 403
// then, and "-" if it gave none; 429 is a throttled call, which Throttles counts.
func failedCalls(scope constructs.Construct, logs awslogs.ILogGroup) {
	awslogs.NewMetricFilter(scope, jsii.String("FailedCalls"), &awslogs.MetricFilterProps{
		LogGroup: logs,
		FilterPattern: awslogs.FilterPattern_All(
			awslogs.FilterPattern_StringValue(jsii.String("$."+errorTypeField), jsii.String("="), jsii.String("INTEGRATION_FAILURE")),
			awslogs.FilterPattern_StringValue(jsii.String("$."+lambdaStatusField), jsii.String("!="), jsii.String("429")),
		),
		MetricNamespace: jsii.String(observability.Namespace),
		MetricName:      jsii.String(observability.FunctionCallsFailed),
		MetricValue:     jsii.String("1"),
		Dimensions:      &map[string]*string{observability.Dimension: jsii.String("$." + installationField)},
	})
}
