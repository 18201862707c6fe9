package api

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

// jsonType is the type of the bodies that are validated. A request without a type counts as this one.
const jsonType = "application/json"

// maxAnswerSeconds is how long API Gateway waits for an answer that is not streamed.
const maxAnswerSeconds = 29

// maxStreamSeconds is how long API Gateway lets an answer stream. It also ends streams in which nothing was sent for five
// minutes.
const maxStreamSeconds = 900

// routes puts the document's operations into the API.
type routes struct {
	rest                  awsapigateway.RestApi
	models                models
	answer, stream        awsapigateway.Integration
	withBody, withoutBody awsapigateway.IRequestValidator
}

func addRoutes(rest awsapigateway.RestApi, doc *document, all models, props Props) error {
	r := routes{rest: rest, models: all}
	r.answer = integration(props.API, maxAnswerSeconds, awsapigateway.ResponseTransferMode_BUFFERED)
	r.stream = integration(props.Stream, maxStreamSeconds, awsapigateway.ResponseTransferMode_STREAM)
	r.withBody = rest.AddRequestValidator(jsii.String("ParametersAndBody"), &awsapigateway.RequestValidatorOptions{
		RequestValidatorName: jsii.String("parameters-and-body"), ValidateRequestParameters: jsii.Bool(true), ValidateRequestBody: jsii.Bool(true),
	})
	r.withoutBody = rest.AddRequestValidator(jsii.String("Parameters"), &awsapigateway.RequestValidatorOptions{
		RequestValidatorName: jsii.String("parameters"), ValidateRequestParameters: jsii.Bool(true), ValidateRequestBody: jsii.Bool(false),
	})
	for _, path := range doc.paths() {
		resource := rest.Root().ResourceForPath(jsii.String(doc.resourcePath(path)))
		for _, method := range slices.Sorted(maps.Keys(doc.Paths[path])) {
			if err := r.add(resource, path, method, doc.Paths[path][method]); err != nil {
				return fmt.Errorf("%s %s: %w", strings.ToUpper(method), path, err)
			}
		}
	}
	allow(rest, "Api", props.API)
	allow(rest, "Stream", props.Stream)
	return nil
}

func (r routes) add(resource awsapigateway.Resource, path, method string, op operation) error {
	options := &awsapigateway.MethodOptions{
		OperationName:     jsii.String(op.OperationID),
		AuthorizationType: awsapigateway.AuthorizationType_IAM,
		RequestValidator:  r.withoutBody,
		RequestParameters: requestParameters(op),
		MethodResponses:   r.responses(op),
	}
	if op.RequestBody != nil {
		// Under the type $default the model would judge bodies of other types as well, with worse errors than the
		// function's 415.
		model, ok := r.models.of(op.RequestBody.Content[jsonType].Schema)
		if !ok {
			return fmt.Errorf("the body has no schema of the document's components for %s, so that it cannot be validated", jsonType)
		}
		options.RequestModels = &map[string]awsapigateway.IModel{jsonType: model}
		options.RequestValidator = r.withBody
	}
	integration := r.answer
	if isStream(path) {
		integration = r.stream
	}
	resource.AddMethod(jsii.String(strings.ToUpper(method)), integration, options)
	return nil
}

// requestParameters declares all parameters, the required ones as such. A proxy integration hands on undeclared ones too.
func requestParameters(op operation) *map[string]*bool {
	places := map[string]string{"path": "path", "query": "querystring", "header": "header"}
	all := make(map[string]*bool, len(op.Parameters))
	for _, p := range op.Parameters {
		all["method.request."+places[p.In]+"."+p.Name] = jsii.Bool(p.Required)
	}
	return &all
}

var statusCode = regexp.MustCompile(`^[1-5][0-9]{2}$`)

// responses declares what the methods answer. With a proxy integration this is documentation: it is in what API Gateway
// exports. Only models can be declared, and no answer for "all other codes".
func (r routes) responses(op operation) *[]*awsapigateway.MethodResponse {
	var all []*awsapigateway.MethodResponse
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if !statusCode.MatchString(status) {
			continue
		}
		described := map[string]awsapigateway.IModel{}
		for _, contentType := range slices.Sorted(maps.Keys(op.Responses[status].Content)) {
			if model, ok := r.models.of(op.Responses[status].Content[contentType].Schema); ok {
				described[contentType] = model
			}
		}
		all = append(all, &awsapigateway.MethodResponse{StatusCode: jsii.String(status), ResponseModels: &described})
	}
	return &all
}

// integration hands requests to a function as they are. API Gateway waits as long as the function may run, at most for
// maxSeconds: waiting longer would not bring an answer, waiting less would leave the caller without one.
//
// It is the plain integration of a service instead of the CDK's LambdaIntegration because that one brings permissions of
// its own; see allow.
func integration(function awslambda.Function, maxSeconds float64, mode awsapigateway.ResponseTransferMode) awsapigateway.Integration {
	seconds := maxSeconds
	if timeout := function.Timeout(); timeout != nil {
		seconds = min(*timeout.ToSeconds(nil), maxSeconds)
	}
	call := "2015-03-31/functions/%s/invocations"
	if mode == awsapigateway.ResponseTransferMode_STREAM {
		call = "2021-11-15/functions/%s/response-streaming-invocations"
	}
	return awsapigateway.NewAwsIntegration(&awsapigateway.AwsIntegrationProps{
		Proxy: jsii.Bool(true), Service: jsii.String("lambda"), IntegrationHttpMethod: jsii.String("POST"),
		Path: jsii.String(fmt.Sprintf(call, *function.FunctionArn())),
		Options: &awsapigateway.IntegrationOptions{
			Timeout: awscdk.Duration_Seconds(jsii.Number(seconds)), ResponseTransferMode: mode,
		},
	})
}

// allow lets the API's stage call a function: one permission for all methods, because a function's policy has room for
// about 60 only. "Test" in API Gateway's console is not the stage, and is refused: it would call the function without
// anybody's signature.
func allow(rest awsapigateway.RestApi, name string, function awslambda.Function) {
	function.AddPermission(jsii.String(name+"FromApiGateway"), &awslambda.Permission{
		Principal: awsiam.NewServicePrincipal(jsii.String("apigateway.amazonaws.com"), nil),
		SourceArn: rest.ArnForExecuteApi(jsii.String("*"), jsii.String("/*"), jsii.String(StageName)),
	})
}
