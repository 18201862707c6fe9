package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	"github.com/blox/blox/client/stack"
)

// maxAlarmPages bounds the list: a page has a hundred alarms, an installation some tens.
const maxAlarmPages = 20

func (d *examination) alarms(ctx context.Context) {
	if d.found == nil {
		d.add(skipped(checkAlarms, "without a stack it is not known which they are"))
		return
	}
	prefix := d.found.Name + "-"
	if installation := d.found.Outputs[stack.OutputInstallation]; installation != "" {
		prefix = "Blox-" + installation + "-"
	}
	all, err := listAlarms(ctx, d.AWS.Alarms, prefix)
	switch {
	case err != nil:
		d.add(d.alarmsUnknown(err))
	case len(all) == 0:
		d.add(warn(checkAlarms, "there is no alarm named "+prefix+"…", "nobody is told of trouble: deploy the stack again"))
	default:
		d.add(judgeAlarms(all)...)
	}
}

// alarmsUnknown says why the alarms were not told. Only a refusal is one of IAM's.
func (d *examination) alarmsUnknown(err error) Result {
	var undecoded *smithy.DeserializationError
	var answer *awshttp.ResponseError
	switch {
	case errors.As(err, &undecoded), errors.As(err, &answer) && answer.HTTPStatusCode() == http.StatusNotFound:
		return warn(checkAlarms, "cannot be asked ("+d.Explain(err)+")",
			"what answers does not speak as CloudWatch does: check AWS_ENDPOINT_URL; an emulator may lack this call")
	case isDenied(err):
		return fail(checkAlarms, "cannot be read: "+d.Explain(err), "allow this identity cloudwatch:DescribeAlarms")
	default:
		return fail(checkAlarms, "cannot be asked ("+d.Explain(err)+")", "look again; without it nobody can tell from here whether an alarm is on")
	}
}

// isDenied says whether AWS understood the call and does not permit it.
func isDenied(err error) bool {
	var answered smithy.APIError
	if !errors.As(err, &answered) {
		return false
	}
	switch answered.ErrorCode() {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized":
		return true
	}
	return false
}

func listAlarms(ctx context.Context, api Alarms, prefix string) (all []types.MetricAlarm, err error) {
	pages := cloudwatch.NewDescribeAlarmsPaginator(api, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: &prefix})
	for n := 0; pages.HasMorePages(); n++ {
		if n == maxAlarmPages {
			return nil, errors.New("the list does not end")
		}
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, page.MetricAlarms...)
	}
	return all, nil
}

// judgeAlarms tells the alarms that are in ALARM; what to do is in their own descriptions.
func judgeAlarms(all []types.MetricAlarm) []Result {
	var results []Result
	silent := 0
	for _, alarm := range all {
		if !aws.ToBool(alarm.ActionsEnabled) || len(alarm.AlarmActions) == 0 {
			silent++
		}
		if alarm.StateValue == types.StateValueAlarm {
			results = append(results, fail(checkAlarms, aws.ToString(alarm.AlarmName)+" is in ALARM: "+aws.ToString(alarm.StateReason),
				aws.ToString(alarm.AlarmDescription)))
		}
	}
	results = bounded(results)
	if silent > 0 {
		results = append(results, warn(checkAlarms, fmt.Sprintf("%d of %d alarms tell nobody: they have no action, or it is switched off", silent, len(all)),
			"switch their actions on again (aws cloudwatch enable-alarm-actions), or deploy the stack again"))
	}
	if len(results) == 0 {
		return []Result{ok(checkAlarms, "%d, none in ALARM", len(all))}
	}
	return results
}
