package doctor

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
)

func TestAHealthyInstallation(t *testing.T) {
	report := newInstallation().examine(t, nil)
	require.Zero(t, report.Failed())
	require.Equal(t, []Result{
		{checkCredentials, OK, "arn:aws:iam::123456789012:user/ann", ""},
		{checkStack, OK, "Blox-blox is UPDATE_COMPLETE", ""},
		{checkAPI, OK, "https://x.test/blox answers, in 34 ms", ""},
		{checkPermissions, OK, "may read clusters, tasks, instances, environments", ""},
		{checkReconcile, OK, "1 cluster, each reconciled within the last 2m", ""},
		{checkEvents, OK, "no late report of 1 account and region; none waits in the queue", ""},
		{checkDeadLetters, OK, "2 queues, all empty", ""},
		{checkAlarms, OK, "2, none in ALARM", ""},
		{checkCanary, OK, "a task in edge was seen RUNNING 2s after ECS told it and STOPPED 2s after ECS told it", ""},
	}, report.Results)
}

func TestAnInstallationThatIsNotInAWS(t *testing.T) {
	i := newInstallation()
	report := i.examine(t, func(c *Config) { c.AWS, c.StackName, c.Endpoint, c.Canary = nil, "", "https://x.test/blox", nil })
	require.Zero(t, report.Failed())
	require.Empty(t, i.asked, "nothing of AWS is called")
	for _, check := range []string{checkCredentials, checkStack, checkDeadLetters, checkAlarms, checkCanary} {
		only(t, report, check, Skipped, "")
	}
	for _, check := range []string{checkAPI, checkPermissions, checkReconcile, checkEvents} {
		only(t, report, check, OK, "")
	}
}

func TestACanaryInASimulator(t *testing.T) {
	i := newInstallation()
	report := i.examine(t, func(c *Config) { c.AWS.Identity, c.StackName, c.Endpoint = nil, "", "https://x.test/blox" })
	only(t, report, checkCredentials, Skipped, "")
	only(t, report, checkCanary, OK, "seen RUNNING")
	require.Empty(t, i.asked)
}

func TestWithoutCredentialsTheRestIsSkipped(t *testing.T) {
	i := newInstallation()
	i.identityErr = errors.New("expired")
	report := i.examine(t, nil)
	only(t, report, checkCredentials, Fail, "explained: expired")
	only(t, report, checkStack, Skipped, "no credentials")
	only(t, report, checkAPI, Skipped, "without the stack")
	for _, check := range []string{checkPermissions, checkReconcile, checkEvents, checkDeadLetters, checkAlarms, checkCanary} {
		only(t, report, check, Skipped, "")
	}
	require.Equal(t, []string{"sts"}, i.asked)
	require.Equal(t, 1, report.Failed())
	require.Zero(t, i.runs)
}

func TestStackStatuses(t *testing.T) {
	for status, want := range map[string]Status{
		"CREATE_COMPLETE": OK, "UPDATE_COMPLETE": OK, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": OK, "IMPORT_COMPLETE": OK,
		"CREATE_IN_PROGRESS": Warn, "UPDATE_ROLLBACK_IN_PROGRESS": Warn, "UPDATE_ROLLBACK_COMPLETE": Warn,
		"ROLLBACK_COMPLETE": Fail, "UPDATE_ROLLBACK_FAILED": Fail, "DELETE_FAILED": Fail, "SOMETHING_NEW": Fail,
	} {
		i := newInstallation()
		i.status = status
		only(t, i.examine(t, nil), checkStack, want, "Blox-blox is "+status)
	}
	i := newInstallation()
	i.stackErr = errors.New("denied")
	report := i.examine(t, nil)
	only(t, report, checkStack, Fail, "denied")
	only(t, report, checkAlarms, Skipped, "without a stack")
	i = newInstallation()
	delete(i.outputs, "ApiUrl")
	only(t, i.examine(t, nil), checkAPI, Fail, "has no output ApiUrl")
}

func TestTheAPI(t *testing.T) {
	i := newInstallation()
	i.pingErr = errDenied
	report := i.examine(t, nil)
	only(t, report, checkAPI, Fail, "explained: not authorized")
	only(t, report, checkReconcile, Skipped, "cannot be called")
	only(t, report, checkCanary, Skipped, "cannot be called")
	only(t, report, checkDeadLetters, OK, "")
	require.Zero(t, i.runs, "a task whose life nobody could see is not started")

	i = newInstallation()
	i.connectErr = errors.New("no address")
	only(t, i.examine(t, nil), checkAPI, Fail, "no address")
}

// An API in an account is not started on this machine, which is what one is told of an address that nobody gave.
func TestADeployedAPIThatDoesNotAnswer(t *testing.T) {
	i := newInstallation()
	i.pingErr = fmt.Errorf("calling: %w", &url.Error{Op: "Get", URL: "https://x.test/blox/v1/ping", Err: errors.New("no such host")})
	report := i.examine(t, nil)
	only(t, report, checkAPI, Fail, "https://x.test/blox does not answer (why: no such host)")
	require.Contains(t, of(report, checkAPI)[0].Do, "API Gateway")

	report = i.examine(t, func(c *Config) { c.AWS, c.StackName, c.Endpoint, c.Canary = nil, "", "https://x.test/blox", nil })
	only(t, report, checkAPI, Fail, "explained: calling")
}

func TestPermissions(t *testing.T) {
	i := newInstallation()
	i.tasksErr, i.environmentsErr = errDenied, errDenied
	report := i.examine(t, nil)
	only(t, report, checkPermissions, Fail, "may not read tasks, environments")
	only(t, report, checkReconcile, OK, "")

	i = newInstallation()
	i.clustersErr = errDenied
	report = i.examine(t, nil)
	only(t, report, checkPermissions, Fail, "may not read clusters")
	only(t, report, checkReconcile, Skipped, "cannot be read")
	only(t, report, checkEvents, Skipped, "cannot be read")

	i = newInstallation()
	i.tasksErr = errors.New("crashed")
	only(t, i.examine(t, nil), checkPermissions, Fail, "reading tasks: explained: crashed")
}

func TestReconciles(t *testing.T) {
	at := func(ago time.Duration) *time.Time {
		when := start.Add(-ago)
		return &when
	}
	for about, test := range map[string]struct {
		cluster client.Cluster
		status  Status
		says    string
	}{
		"just now":       {client.Cluster{LastReconciledAt: at(0)}, OK, "1 cluster,"},
		"two periods":    {client.Cluster{LastReconciledAt: at(10*time.Minute - time.Second)}, OK, "within the last 9m59s"},
		"more":           {client.Cluster{LastReconciledAt: at(10*time.Minute + time.Second)}, Fail, "edge (1, r) was last reconciled 10m1s ago; the period is 5m"},
		"never":          {client.Cluster{}, Fail, "edge (1, r) was never wholly reconciled"},
		"a mass absence": {client.Cluster{LastReconciledAt: at(0), AbsentHeldBack: 60}, Warn, "60 tasks and instances are missing"},
	} {
		t.Run(about, func(t *testing.T) {
			c := test.cluster
			c.Name, c.Account, c.Region = "edge", "1", "r"
			report := Report{Results: judgeReconciles([]client.Cluster{c}, start, 5*time.Minute)}
			only(t, report, checkReconcile, test.status, test.says)
		})
	}
	only(t, Report{Results: judgeReconciles(nil, start, time.Minute)}, checkReconcile, Warn, "no cluster is known yet")
	many := judgeReconciles(make([]client.Cluster, 300), start, time.Minute)
	require.Len(t, many, maxRows)
	require.Equal(t, Result{checkReconcile, Fail, "291 more of the kind", ""}, many[maxRows-1])
	require.Len(t, judgeReconciles(make([]client.Cluster, maxRows), start, time.Minute), maxRows)
}

func TestDeadLetters(t *testing.T) {
	i := newInstallation()
	i.messages["https://sqs.test/events-dlq"] = "3"
	report := i.examine(t, nil)
	only(t, report, checkDeadLetters, Fail, "EventsDeadLettersUrl has 3 messages")
	require.Contains(t, of(report, checkDeadLetters)[0].Do, "https://sqs.test/events-dlq")

	i = newInstallation()
	i.queueErr = errors.New("denied")
	results := of(i.examine(t, nil), checkDeadLetters)
	require.Len(t, results, 2)
	require.Equal(t, "EventsDeadLettersUrl cannot be read: explained: denied", results[0].Seen)

	i = newInstallation()
	i.messages["https://sqs.test/events-dlq"] = "many"
	only(t, i.examine(t, nil), checkDeadLetters, Fail, "no number")

	i = newInstallation()
	i.outputs = map[string]string{"ApiUrl": "https://x.test/blox"}
	only(t, i.examine(t, nil), checkDeadLetters, Warn, "has no output")
}

func TestAlarms(t *testing.T) {
	i := newInstallation()
	i.alarms = append(i.alarms, alarm("Blox-blox-dead-letters", cwtypes.StateValueAlarm), alarm("Blox-blox2-lag", cwtypes.StateValueAlarm))
	report := i.examine(t, nil)
	only(t, report, checkAlarms, Fail, "Blox-blox-dead-letters is in ALARM: threshold crossed")
	require.Equal(t, "Look at Blox-blox-dead-letters.", of(report, checkAlarms)[0].Do)

	i = newInstallation()
	i.alarms[0].ActionsEnabled, i.alarms[1].AlarmActions = aws.Bool(false), nil
	only(t, i.examine(t, nil), checkAlarms, Warn, "2 of 2 alarms tell nobody")

	i = newInstallation()
	i.alarms = nil
	only(t, i.examine(t, nil), checkAlarms, Warn, "there is no alarm named Blox-blox-")

	i = newInstallation()
	i.outputs["Installation"] = "blox2"
	i.alarms = append(i.alarms, alarm("Blox-blox2-lag", cwtypes.StateValueOk))
	only(t, i.examine(t, nil), checkAlarms, OK, "1, none in ALARM")

	for _, test := range []struct {
		err          error
		status       Status
		says, advice string
	}{
		{&smithy.GenericAPIError{Code: "AccessDenied", Message: "no"}, Fail, "cannot be read: explained: ", "allow this identity cloudwatch:DescribeAlarms"},
		{&smithy.DeserializationError{Err: errors.New("not CBOR")}, Warn, "cannot be asked (explained: ", "check AWS_ENDPOINT_URL; an emulator may lack this call"},
		{answered(http.StatusNotFound), Warn, "cannot be asked (explained: ", "check AWS_ENDPOINT_URL"},
		{answered(http.StatusBadGateway), Fail, "cannot be asked (explained: ", "look again"},
		{errors.New("cut off"), Fail, "cut off)", "look again"},
	} {
		i = newInstallation()
		i.alarmsErr = fmt.Errorf("operation error CloudWatch: %w", test.err)
		report := i.examine(t, nil)
		only(t, report, checkAlarms, test.status, test.says)
		require.Contains(t, of(report, checkAlarms)[0].Do, test.advice)
	}

	i = newInstallation()
	for n := range maxAlarmPages {
		i.alarms = append(i.alarms, alarm(fmt.Sprintf("Blox-blox-%d", n), cwtypes.StateValueOk))
	}
	only(t, i.examine(t, nil), checkAlarms, Fail, "does not end")
}

func TestTheCanary(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no", Fault: smithy.FaultClient}
	for about, test := range map[string]struct {
		breaks func(i *installation)
		status Status
		says   string
		stops  int // calls of StopTask that were taken
		lists  int
	}{
		"at once":                  {func(i *installation) { i.lag = 0 }, OK, "seen RUNNING at once and STOPPED at once", 1, 0},
		"Blox is ahead":            {func(i *installation) { i.lag = -1500 * time.Millisecond }, OK, "seen RUNNING at once and STOPPED at once", 1, 0},
		"late, but not too late":   {func(i *installation) { i.lag = 9 * time.Second }, OK, "RUNNING 9s after ECS told it", 1, 0},
		"too late":                 {func(i *installation) { i.lag = 12 * time.Second }, Fail, "the task is RUNNING in ECS since 11s, but Blox shows it as PENDING", 1, 0},
		"never":                    {func(i *installation) { i.deaf = true }, Fail, "but Blox does not know it", 1, 0},
		"ECS is slow":              {func(i *installation) { i.slow = true }, Fail, "the task is PENDING in ECS itself after 4m, and not RUNNING", 1, 0},
		"it ends by itself":        {func(i *installation) { i.brief = true }, OK, "it ended by itself (Essential container exited)", 0, 0},
		"no room":                  {func(i *installation) { i.fail("RESOURCE:MEMORY") }, Fail, "ECS did not start the task: RESOURCE:MEMORY", 0, 0},
		"no permission to run":     {func(i *installation) { i.runErr = denied }, Fail, "the task cannot be started: explained:", 0, 0},
		"a lost answer":            {func(i *installation) { i.runErr = errors.New("timeout") }, Fail, "the task cannot be started: explained: timeout", 1, 1},
		"a fault of ECS":           {func(i *installation) { i.runErr = &smithy.GenericAPIError{Fault: smithy.FaultServer} }, Fail, "cannot be started", 1, 1},
		"no permission to look":    {func(i *installation) { i.describeErr = denied }, Fail, "the task cannot be described", 1, 0},
		"Blox answers no more":     {func(i *installation) { i.getErr = errors.New("gone") }, Fail, "cannot be read from Blox: explained: gone", 1, 0},
		"interrupted":              {func(i *installation) { i.onPause = func() error { i.cancel(); return nil } }, Fail, "interrupted", 1, 0},
		"interrupted at the stop":  {func(i *installation) { i.interruptAtStop() }, Fail, "interrupted", 2, 0},
		"Blox does not see it end": {func(i *installation) { i.deafenAtStop() }, Fail, "the task is STOPPED in ECS since", 1, 0},
	} {
		t.Run(about, func(t *testing.T) {
			i := newInstallation()
			test.breaks(i)
			results := of(i.examine(t, nil), checkCanary)
			require.Len(t, results, 1, "%+v", results)
			require.Equal(t, test.status, results[0].Status, results[0].Seen)
			require.Contains(t, results[0].Seen, test.says)
			require.Equal(t, test.stops, i.stops)
			require.Equal(t, test.lists, i.lists)
			require.Less(t, i.now.Sub(start), 10*time.Minute, "it has an end")
		})
	}
}

func (i *installation) interruptAtStop() {
	i.onPause = func() error {
		if i.stops > 0 {
			return errors.New("interrupted")
		}
		return nil
	}
}

func (i *installation) deafenAtStop() {
	i.onPause = func() error {
		if i.stops > 0 {
			i.getErr, i.deaf = nil, false
			i.lag = i.now.Sub(i.stoppedAt) + time.Millisecond // knows all until then, and no more
		}
		return nil
	}
}

func TestACanaryThatCannotBeStoppedIsNotForgotten(t *testing.T) {
	for about, breaks := range map[string]func(i *installation){
		"no permission to stop": func(i *installation) { i.stopErr = errors.New("denied") },
		"no list either":        func(i *installation) { i.runErr, i.listErr = errors.New("timeout"), errors.New("denied") },
		"listed, not stopped":   func(i *installation) { i.runErr, i.stopErr = errors.New("timeout"), errors.New("denied") },
	} {
		t.Run(about, func(t *testing.T) {
			i := newInstallation()
			breaks(i)
			results := of(i.examine(t, nil), checkCanary)
			require.Len(t, results, 2)
			require.Equal(t, Fail, results[1].Status)
			require.Contains(t, results[1].Seen, "denied")
			require.Contains(t, results[1].Do, "aws ecs list-tasks --cluster edge --started-by blox-doctor/1")
		})
	}
}

// answered is what the SDK makes of an answer that no service of AWS gives.
func answered(status int) error {
	response := &smithyhttp.Response{Response: &http.Response{StatusCode: status}}
	return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{Response: response, Err: &smithy.GenericAPIError{Code: "UnknownError"}}}
}

func TestDeadLettersOfABloxLocal(t *testing.T) {
	i := newInstallation()
	local := func(c *Config) {
		c.AWS, c.StackName, c.Endpoint, c.Canary = nil, "", "https://x.test/blox", nil
		c.Local = &Local{Queues: i, Outputs: map[string]string{
			"EventsDeadLettersUrl": "https://sqs.test/local", "EventsQueueUrl": "https://sqs.test/wakeups",
		}}
	}
	only(t, i.examine(t, local), checkDeadLetters, OK, "1 queues, all empty")
	i.messages["https://sqs.test/local"] = "4"
	only(t, i.examine(t, local), checkDeadLetters, Fail, "EventsDeadLettersUrl has 4 messages")
}
