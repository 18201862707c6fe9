package api

import (
	"fmt"
	"regexp"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/jsii-runtime-go"
)

// models are the API's models by the name of their schema.
type models map[string]awsapigateway.IModel

// modelName is what API Gateway takes for a model's name.
var modelName = regexp.MustCompile(`^[A-Za-z0-9]{1,255}$`)

// addModels makes a model of every schema of the document.
//
// The CDK's own Model cannot be used: its schemas have one type each, and lists that may be null have two.
func addModels(rest awsapigateway.RestApi, doc *document) (models, error) {
	resources := make(map[string]awsapigateway.CfnModel, len(doc.Components.Schemas))
	for _, name := range doc.schemas() {
		if !modelName.MatchString(name) {
			return nil, fmt.Errorf("schema %s: API Gateway wants letters and digits only in the name of a model", name)
		}
		resources[name] = awsapigateway.NewCfnModel(rest, jsii.String("Model"+name), &awsapigateway.CfnModelProps{
			RestApiId: rest.RestApiId(), Name: jsii.String(name), ContentType: jsii.String(jsonType),
		})
	}
	refer := func(name string) (any, error) {
		model, ok := resources[name]
		if !ok {
			return nil, fmt.Errorf("the document has no schema %q", name)
		}
		// Through the model's Ref, CloudFormation creates the model that is referred to first. API Gateway looks for it.
		return *awscdk.Fn_Join(jsii.String(""), &[]*string{
			jsii.String("https://apigateway.amazonaws.com/restapis/"), rest.RestApiId(), jsii.String("/models/"), model.Ref(),
		}), nil
	}
	all, schemas := make(models, len(resources)), make(map[string]any, len(resources))
	for _, name := range doc.schemas() {
		converted, err := toDraft4(doc.Components.Schemas[name], refer)
		if err != nil {
			return nil, fmt.Errorf("schema %s: %w", name, err)
		}
		converted["$schema"] = draft4
		resources[name].SetSchema(converted)
		schemas[name] = converted
		all[name] = awsapigateway.Model_FromModelName(rest, jsii.String("ModelNamed"+name), resources[name].Ref())
	}
	// A stage serves a deployment, which is a picture of the API at one time: without this a model that changes would never
	// be in force.
	rest.LatestDeployment().AddToLogicalId(schemas)
	return all, nil
}

// of is the model of a schema that is a reference to one of the document's; ok is false for any other schema.
func (m models) of(s schema) (awsapigateway.IModel, bool) {
	name, isReference := referred(s)
	if !isReference {
		return nil, false
	}
	model, ok := m[name]
	return model, ok
}
