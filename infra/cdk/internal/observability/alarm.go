package observability

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// alarm is one alarm, before it is a resource.
type alarm struct {
	// name is unique within the installation, in lower case with hyphens.
	name string
	// runbook is the heading of its section in docs/deploy.md.
	runbook string
	// means says what is wrong, first what to do about it first.
	means, first string
	metric       awscloudwatch.IMetric
	threshold    float64
	// below alarms on values under the threshold; otherwise on the threshold and above.
	below bool
	// periods that are looked at, and how many of them must be bad: all of them if datapoints is 0.
	periods, datapoints float64
	// silenceIsBad treats missing data as bad; otherwise it is good. Such an alarm is in alarm from its creation to the first
	// data: CloudWatch also looks at the time before there was anything. That pages nobody, because the topic comes with the
	// same deploy, and those who are to get it are subscribed, or confirm, after it. Treating silence as "missing" instead
	// would have it end as INSUFFICIENT_DATA, which pagers do not take for an alarm.
	silenceIsBad bool
}

// Prefix begins the names of all alarms of an installation: that of its stack's resources.
func Prefix(installation string) string { return "Blox-" + installation + "-" }

func (a alarm) add(scope constructs.Construct, installation string, topic awssns.ITopic) awscloudwatch.Alarm {
	comparison := awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD
	if a.below {
		comparison = awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD
	}
	missing := awscloudwatch.TreatMissingData_NOT_BREACHING
	if a.silenceIsBad {
		missing = awscloudwatch.TreatMissingData_BREACHING
	}
	datapoints := a.datapoints
	if datapoints == 0 {
		datapoints = a.periods
	}
	made := awscloudwatch.NewAlarm(scope, jsii.String(a.name), &awscloudwatch.AlarmProps{
		AlarmName:          jsii.String(Prefix(installation) + a.name),
		AlarmDescription:   jsii.String(a.description()),
		Metric:             a.metric,
		Threshold:          jsii.Number(a.threshold),
		ComparisonOperator: comparison,
		EvaluationPeriods:  jsii.Number(a.periods),
		DatapointsToAlarm:  jsii.Number(datapoints),
		TreatMissingData:   missing,
	})
	notify := awscloudwatchactions.NewSnsAction(topic)
	made.AddAlarmAction(notify)
	// Whoever was woken up wants to know that it is over.
	made.AddOkAction(notify)
	return made
}

// description is what the alarm's e-mail says. CloudWatch takes 1,024 characters.
func (a alarm) description() string {
	return fmt.Sprintf("%s First: %s Runbook: docs/deploy.md, section %s.", a.means, a.first, a.runbook)
}
