package api

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/infra/cdk/internal/settings"
)

// Props is all that the API is made of. Every field is required.
type Props struct {
	Settings *settings.Settings
	// API answers every path but those under /v1/stream/, which are Stream's. API Gateway waits for them as long as their
	// timeouts say, at most 29 seconds and 15 minutes.
	API, Stream awslambda.Function
}

// API is the REST API with its one stage.
type API struct {
	REST awsapigateway.RestApi
	// URL is where the paths of the OpenAPI document begin, without a slash at its end.
	URL *string
	// AccessLogs has a line of JSON for every request.
	AccessLogs awslogs.LogGroup
	// ReadOnly allows to GET everything, streams included; Operator allows all methods. What else it allows is the stack's
	// to add.
	ReadOnly, Operator awsiam.ManagedPolicy
}

// New builds the API. The error says what of the OpenAPI document cannot be read, or not be built in API Gateway.
func New(scope constructs.Construct, id string, props Props) (*API, error) {
	s := props.Settings
	doc, err := readDocument(s.OpenAPIPath)
	if err != nil {
		return nil, err
	}
	scope = constructs.NewConstruct(scope, jsii.String(id))
	logs := newAccessLogs(scope, s.LogRetentionDays)
	failedCalls(scope, logs)
	rest := newRest(scope, doc, logs, s)
	addGatewayResponses(rest, s.Watchers)
	all, err := addModels(rest, doc)
	if err != nil {
		return nil, fmt.Errorf("making models of the OpenAPI document: %w", err)
	}
	if err := addRoutes(rest, doc, all, props); err != nil {
		return nil, fmt.Errorf("making methods of the OpenAPI document: %w", err)
	}
	url := fmt.Sprintf("https://%s.execute-api.%s.%s/%s", *rest.RestApiId(),
		*awscdk.Stack_Of(scope).Region(), *awscdk.Stack_Of(scope).UrlSuffix(), StageName)
	made := &API{
		REST: rest, URL: jsii.String(url), AccessLogs: logs,
		ReadOnly: addPolicy(scope, rest, "ReadOnly", "Everything that can be read through Blox's API", "GET", s.Installation),
		Operator: addPolicy(scope, rest, "Operator", "Everything that can be done through Blox's API, and with its dead-letter queues", "*", s.Installation),
	}
	made.suppressRules()
	return made, nil
}

func newRest(scope constructs.Construct, doc *document, logs awslogs.ILogGroup, s *settings.Settings) awsapigateway.RestApi {
	rest := awsapigateway.NewRestApi(scope, jsii.String("Rest"), &awsapigateway.RestApiProps{
		RestApiName:   jsii.String("blox-" + s.Installation),
		Description:   jsii.String("Blox " + s.Installation + ": state of ECS clusters, and daemons"),
		EndpointTypes: &[]awsapigateway.EndpointType{awsapigateway.EndpointType_REGIONAL},
		DefaultMethodOptions: &awsapigateway.MethodOptions{
			AuthorizationType: awsapigateway.AuthorizationType_IAM,
		},
		DeployOptions: stageOptions(doc, logs, s),
		// API Gateway refuses a stage with access logs unless the account, in this region, has named a role for them, and a
		// new account has not. The setting is one for all REST APIs there: the role has AWS's own policy for it, so that
		// other APIs keep their logs if ours takes the place of one that was named before, and it stays when the stack is
		// deleted, so that they do not lose it then.
		CloudWatchRole:              jsii.Bool(true),
		CloudWatchRoleRemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
	// The CDK's own output of the URL; which outputs there are is the stack's to say.
	rest.Node().TryRemoveChild(jsii.String("Endpoint"))
	return rest
}

// newAccessLogs makes the log group, which goes with the stack.
func newAccessLogs(scope constructs.Construct, retentionDays int) awslogs.LogGroup {
	logs := awslogs.NewLogGroup(scope, jsii.String("AccessLogs"), &awslogs.LogGroupProps{RemovalPolicy: awscdk.RemovalPolicy_DESTROY})
	// The CDK has a name for each period; the settings have its days.
	logs.Node().DefaultChild().(awslogs.CfnLogGroup).SetRetentionInDays(jsii.Number(retentionDays))
	return logs
}
