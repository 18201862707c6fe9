package blox_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// The queues, the seconds for which a received message is hidden, and the function behind it.
func TestQueuesHideMessagesForLongerThanTheirFunctionWorks(t *testing.T) {
	for prefix, want := range map[string]struct {
		function             string
		visibility, receives int
		fifo                 bool
	}{
		"EventsQueue":     {"ingest", 120, 1000, false},
		"DaemonReconcile": {"reconcile", 360, 5, true},
		"DaemonWakeups":   {"drive", 90, 5, false},
	} {
		_, queue := standard.template.one(t, "AWS::SQS::Queue", prefix)
		require.EqualValues(t, want.visibility, queue["VisibilityTimeout"], prefix)
		require.Greater(t, float64(want.visibility), standard.template.function(t, want.function)["Timeout"], prefix)
		dead, deadQueue := standard.template.one(t, "AWS::SQS::Queue", prefix+"DeadLetters")
		require.Equal(t, object{"deadLetterTargetArn": getAtt(dead, "Arn"), "maxReceiveCount": float64(want.receives)}, queue["RedrivePolicy"])
		for _, q := range []object{queue, deadQueue} {
			if want.fifo {
				require.Equal(t, true, q["FifoQueue"], prefix)
			} else {
				require.NotContains(t, q, "FifoQueue", prefix)
			}
			require.NotContains(t, q, "ContentBasedDeduplication", "requests carry an id of their own")
		}
	}
	// A driver that dies holds its lease for 60 seconds: an earlier second delivery would find it held, and be lost.
	_, wakeups := standard.template.one(t, "AWS::SQS::Queue", "DaemonWakeups")
	require.Greater(t, wakeups["VisibilityTimeout"], 60.0)
}

func TestEveryQueueIsEncryptedAndWantsTLS(t *testing.T) {
	wantsTLS := map[string]bool{}
	for _, id := range standard.template.ids("AWS::SQS::QueuePolicy") {
		policy := standard.template.Resources[id].Properties
		for _, statement := range policy["PolicyDocument"].(object)["Statement"].([]any) {
			s := statement.(object)
			if s["Effect"] == "Deny" && text(t, s["Condition"]) == `{"Bool":{"aws:SecureTransport":"false"}}` &&
				s["Action"] == "sqs:*" && text(t, s["Principal"]) == `{"AWS":"*"}` {
				for _, queue := range policy["Queues"].([]any) {
					wantsTLS[queue.(object)["Ref"].(string)] = true
				}
			}
		}
	}
	queues := standard.template.ids("AWS::SQS::Queue")
	require.Len(t, queues, 9)
	for _, id := range queues {
		require.True(t, wantsTLS[id], id)
		require.Equal(t, true, standard.template.Resources[id].Properties["SqsManagedSseEnabled"], id)
		if name, ok := standard.template.Resources[id].Properties["QueueName"]; ok {
			require.Contains(t, []string{"blox-blox-reconcile.fifo", "blox-blox-reconcile-dead-letters.fifo"}, name)
		}
	}
}

func TestWhatIsSetAsideStaysForTwoWeeks(t *testing.T) {
	for _, prefix := range []string{
		"EventsQueueDeadLetters", "EventsRuleDeadLetters", "DaemonReconcileDeadLetters", "DaemonWakeupsDeadLetters",
		"DaemonStreamFailures", "DaemonScheduleDeadLetters", "EventsQueue",
	} {
		_, queue := standard.template.one(t, "AWS::SQS::Queue", prefix)
		require.EqualValues(t, 14*24*3600, queue["MessageRetentionPeriod"], prefix)
	}
}

func mapping(tb testing.TB, prefix string) object {
	_, properties := standard.template.one(tb, "AWS::Lambda::EventSourceMapping", prefix)
	return properties
}

func arnOfFunction(tb testing.TB, name string) object {
	id, _ := standard.template.one(tb, "AWS::Lambda::Function", "Functions"+functionIDs[name])
	return ref(id)
}

func TestQueuesInvokeTheirFunctions(t *testing.T) {
	for prefix, want := range map[string]struct {
		queue, function string
		batch           int
	}{
		"EventsMapping": {"EventsQueue", "ingest", 10},
		// Each sweep has the function's timeout to itself.
		"DaemonReconcileMapping": {"DaemonReconcile", "reconcile", 1},
		"DaemonWakeupsMapping":   {"DaemonWakeups", "drive", 10},
	} {
		queue, _ := standard.template.one(t, "AWS::SQS::Queue", want.queue)
		m := mapping(t, prefix)
		require.Equal(t, getAtt(queue, "Arn"), m["EventSourceArn"])
		require.Equal(t, arnOfFunction(t, want.function), m["FunctionName"])
		require.EqualValues(t, want.batch, m["BatchSize"], prefix)
		require.Equal(t, []any{"ReportBatchItemFailures"}, m["FunctionResponseTypes"])
		require.Equal(t, object{"MaximumConcurrency": 10.0}, m["ScalingConfig"])
		require.Contains(t, []any{nil, 0.0}, m["MaximumBatchingWindowInSeconds"], "no window: it would be added to the time until an event shows")
	}
}

func TestTheStreamInvokesDispatch(t *testing.T) {
	failures, _ := standard.template.one(t, "AWS::SQS::Queue", "DaemonStreamFailures")
	m := mapping(t, "DaemonStreamMapping")
	require.Equal(t, getAtt("StateTable", "StreamArn"), m["EventSourceArn"])
	require.Equal(t, arnOfFunction(t, "dispatch"), m["FunctionName"])
	require.Equal(t, "TRIM_HORIZON", m["StartingPosition"])
	require.EqualValues(t, 100, m["BatchSize"])
	require.Equal(t, true, m["BisectBatchOnFunctionError"])
	require.EqualValues(t, 100, m["MaximumRetryAttempts"])
	require.EqualValues(t, 6*3600, m["MaximumRecordAgeInSeconds"])
	require.Equal(t, []any{"ReportBatchItemFailures"}, m["FunctionResponseTypes"])
	require.Equal(t, object{"OnFailure": object{"Destination": getAtt(failures, "Arn")}}, m["DestinationConfig"])
	filters := m["FilterCriteria"].(object)["Filters"].([]any)
	require.Len(t, filters, 1)
	require.JSONEq(t, `{"dynamodb":{"Keys":{"pk":{"S":[{"anything-but":["feed/0"]}]}}}}`, filters[0].(object)["Pattern"].(string))
}

// The feed's rows lie where the filter says.
func TestTheFilterMeansTheFeed(t *testing.T) {
	require.Regexp(t, `func feedPK\(shard int\) string\s*\{ return fmt.Sprintf\("feed/%d", shard\) \}`, productSource(t, "internal/table/feed.go"))
}

var quoted = regexp.MustCompile(`"(ECS [A-Za-z ]+)"`)

// Local mode forwards the same events, and the parser knows them.
func TestTheRuleMatchesWhatBloxReads(t *testing.T) {
	_, rule := standard.template.one(t, "AWS::Events::Rule", "EventsRule")
	var local []any
	for _, match := range quoted.FindAllStringSubmatch(productSource(t, "internal/local/rule.go"), -1) {
		local = append(local, match[1])
	}
	require.Len(t, local, 3)
	require.Equal(t, object{
		"source": []any{"aws.ecs"}, "detail-type": local,
		// An organization may forward the events of other accounts and regions to this bus.
		"account": []any{ref("AWS::AccountId")}, "region": []any{ref("AWS::Region")},
	}, rule["EventPattern"])
	require.NotContains(t, rule, "EventBusName", "ECS sends to the default bus only")

	queue, _ := standard.template.one(t, "AWS::SQS::Queue", "EventsQueue")
	dead, _ := standard.template.one(t, "AWS::SQS::Queue", "EventsRuleDeadLetters")
	targets := rule["Targets"].([]any)
	require.Len(t, targets, 1)
	target := targets[0].(object)
	require.Equal(t, getAtt(queue, "Arn"), target["Arn"])
	require.Equal(t, object{"Arn": getAtt(dead, "Arn")}, target["DeadLetterConfig"])
	require.Equal(t, object{"MaximumEventAgeInSeconds": 86400.0, "MaximumRetryAttempts": 185.0}, target["RetryPolicy"])
}

// A queue whose policy let EventBridge in as such would take the events of anybody's rule.
func TestOnlyTheRuleSendsToTheEventsQueue(t *testing.T) {
	rule, _ := standard.template.one(t, "AWS::Events::Rule", "EventsRule")
	for _, prefix := range []string{"EventsQueuePolicy", "EventsRuleDeadLettersPolicy"} {
		_, policy := standard.template.one(t, "AWS::SQS::QueuePolicy", prefix)
		var allowed []object
		for _, s := range policy["PolicyDocument"].(object)["Statement"].([]any) {
			if s.(object)["Effect"] == "Allow" {
				allowed = append(allowed, s.(object))
			}
		}
		require.Len(t, allowed, 1, prefix)
		require.Equal(t, object{"Service": "events.amazonaws.com"}, allowed[0]["Principal"])
		require.Equal(t, object{"ArnEquals": object{"aws:SourceArn": getAtt(rule, "Arn")}}, allowed[0]["Condition"])
	}
}

func TestSchedules(t *testing.T) {
	dead, _ := standard.template.one(t, "AWS::SQS::Queue", "DaemonScheduleDeadLetters")
	for prefix, want := range map[string]struct {
		function, rate string
		input          object
		age            float64
	}{
		"DaemonReconcileSchedule": {"reconcile", "rate(5 minutes)", object{"source": "blox.schedule", "scheduledTime": "<aws.scheduler.scheduled-time>"}, 600},
		"DaemonTick":              {"drive", "rate(1 minute)", object{"source": "blox.tick"}, 120},
	} {
		_, schedule := standard.template.one(t, "AWS::Scheduler::Schedule", prefix)
		require.Equal(t, want.rate, schedule["ScheduleExpression"])
		require.Equal(t, object{"Mode": "OFF"}, schedule["FlexibleTimeWindow"])
		target := schedule["Target"].(object)
		function, _ := standard.template.one(t, "AWS::Lambda::Function", "Functions"+functionIDs[want.function])
		require.Equal(t, getAtt(function, "Arn"), target["Arn"])
		require.Equal(t, object{"Arn": getAtt(dead, "Arn")}, target["DeadLetterConfig"])
		require.Equal(t, object{"MaximumEventAgeInSeconds": want.age, "MaximumRetryAttempts": 3.0}, target["RetryPolicy"])
		var input object
		require.NoError(t, json.Unmarshal([]byte(target["Input"].(string)), &input))
		require.Equal(t, want.input, input)
	}
	_, everyMinute := options.template.one(t, "AWS::Scheduler::Schedule", "DaemonReconcileSchedule")
	require.Equal(t, "rate(1 minute)", everyMinute["ScheduleExpression"])
}

// Scheduler does not wait for the function, and Lambda would try a failed tick again for six hours.
func TestScheduledInvocationsAreNotRepeated(t *testing.T) {
	for name, seconds := range map[string]int{"reconcile": 300, "drive": 60} {
		_, config := standard.template.one(t, "AWS::Lambda::EventInvokeConfig", "Functions"+functionIDs[name]+"EventInvokeConfig")
		require.EqualValues(t, 0, config["MaximumRetryAttempts"], name)
		require.EqualValues(t, seconds, config["MaximumEventAgeInSeconds"], name)
	}
}
