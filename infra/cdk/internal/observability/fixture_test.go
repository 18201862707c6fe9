package observability_test

import (
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"github.com/blox/blox/infra/cdk/internal/observability"
	"github.com/blox/blox/infra/cdk/internal/settings"
	"github.com/blox/blox/infra/cdk/internal/synthtest"
)

func TestMain(m *testing.M) { synthtest.Main(m, func() error { return nil }) }

// deadLetters are the names of the dead-letter queues of an installation.
var deadLetters = []string{"events", "reconcile", "wakeups", "stream", "rule", "schedules"}

// deployment is a synthesized stack that holds nothing but what observability makes.
type deployment struct {
	made      *observability.Observability
	resources map[string]resource
	findings  []string // of cdk-nag
}

type resource struct {
	Type       string
	Properties map[string]any
}

// synthesize watches things that are deployed elsewhere.
func synthesize(change func(*settings.Settings)) *deployment {
	app := awscdk.NewApp(nil)
	env := &awscdk.Environment{Account: jsii.String("123456789012"), Region: jsii.String("eu-west-1")}
	elsewhere := awscdk.NewStack(app, jsii.String("Elsewhere"), &awscdk.StackProps{Env: env})
	api := awsapigateway.NewRestApi(elsewhere, jsii.String("API"), &awsapigateway.RestApiProps{
		DeployOptions: &awsapigateway.StageOptions{StageName: jsii.String("blox")},
	})
	api.Root().AddMethod(jsii.String("GET"), nil, nil)

	s, err := settings.From(map[string]any{})
	if err != nil {
		panic(err)
	}
	change(s)
	stack := awscdk.NewStack(app, jsii.String("Blox-blox"), &awscdk.StackProps{Env: env})
	function := func(name string) awslambda.IFunction {
		return awslambda.Function_FromFunctionName(stack, jsii.String("Function"+name), jsii.String(name))
	}
	queue := func(name string) awssqs.IQueue {
		return awssqs.Queue_FromQueueArn(stack, jsii.String("Queue"+name), jsii.String("arn:aws:sqs:eu-west-1:123456789012:"+name))
	}
	table := func(name string) awsdynamodb.ITable {
		return awsdynamodb.Table_FromTableName(stack, jsii.String("Table"+name), jsii.String(name))
	}
	props := observability.Props{
		Settings: s,
		Functions: observability.Functions{
			Ingest: function("ingest"), Reconcile: function("reconcile"), Dispatch: function("dispatch"),
			Drive: function("drive"), API: function("api"), Stream: function("stream"),
		},
		EventsQueue: queue("events"), ReconcileQueue: queue("reconcile.fifo"), WakeupQueue: queue("wakeups"),
		StateTable: table("state"), DaemonTable: table("daemon"),
		Stage: api.DeploymentStage(),
	}
	for _, name := range deadLetters {
		props.DeadLetters = append(props.DeadLetters, observability.DeadLetters{Name: name, Queue: queue(name + "-dlq")})
	}
	d := &deployment{made: observability.New(stack, "Observability", props)}
	awscdk.Aspects_Of(stack).Add(cdknag.NewAwsSolutionsChecks(nil), nil)

	d.resources = resourcesOf(assertions.Template_FromStack(stack, nil))
	for _, finding := range *assertions.Annotations_FromStack(stack).FindError(jsii.String("*"), assertions.Match_AnyValue()) {
		d.findings = append(d.findings, synthtest.Finding(finding))
	}
	return d
}

func resourcesOf(template assertions.Template) map[string]resource {
	resources := map[string]resource{}
	all, _ := (*template.ToJSON())["Resources"].(map[string]any)
	for id, r := range all {
		fields := r.(map[string]any)
		properties, _ := fields["Properties"].(map[string]any)
		resources[id] = resource{Type: fields["Type"].(string), Properties: properties}
	}
	return resources
}

// standard is the installation with no parameter set.
var standard = sync.OnceValue(func() *deployment { return synthesize(func(*settings.Settings) {}) })

// of is all resources of a type, by id.
func (d *deployment) of(kind string) map[string]map[string]any {
	found := map[string]map[string]any{}
	for id, r := range d.resources {
		if r.Type == kind {
			found[id] = r.Properties
		}
	}
	return found
}
