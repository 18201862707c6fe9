package observability

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/infra/cdk/internal/settings"
)

// Functions are the six functions of an installation.
type Functions struct {
	Ingest, Reconcile, Dispatch, Drive, API, Stream awslambda.IFunction
}

// DeadLetters is a dead-letter queue. Name is what it holds the failures of, in lower case: it becomes part of the
// alarm's name, dead-letters-NAME.
type DeadLetters struct {
	Name  string
	Queue awssqs.IQueue
}

// Props is what there is to watch. All fields are required.
type Props struct {
	Settings    *settings.Settings
	Functions   Functions
	EventsQueue awssqs.IQueue
	// ReconcileQueue holds the sweeps of accounts and regions and the passes over clusters, WakeupQueue the environments
	// that drive is to look at.
	ReconcileQueue awssqs.IQueue
	WakeupQueue    awssqs.IQueue
	DeadLetters    []DeadLetters
	StateTable     awsdynamodb.ITable
	DaemonTable    awsdynamodb.ITable
	// Stage is the deployed stage of the REST API.
	Stage awsapigateway.Stage
}

// Observability is what New made.
type Observability struct {
	Topic     awssns.Topic
	Alarms    []awscloudwatch.Alarm
	Dashboard awscloudwatch.Dashboard
}

// New adds the topic, the alarms and the dashboard.
func New(scope constructs.Construct, id string, props Props) *Observability {
	this := constructs.NewConstruct(scope, jsii.String(id))
	o := &Observability{Topic: NewTopic(this, "AlarmTopic", TopicProps{
		DisplayName: "Blox " + props.Settings.Installation, Email: props.Settings.AlarmEmail,
	})}
	m := metrics{installation: props.Settings.Installation}
	for _, a := range alarms(props, m) {
		o.Alarms = append(o.Alarms, a.add(this, props.Settings.Installation, o.Topic))
	}
	o.Dashboard = newDashboard(this, props, m, o.Alarms)
	return o
}
