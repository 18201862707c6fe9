package observability

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/infra/cdk/internal/settings"
)

// alarms is every alarm of an installation.
func alarms(props Props, m metrics) []alarm {
	return slices.Concat(
		deadLetterAlarms(props),
		freshnessAlarms(props, m),
		functionAlarms(props, m),
		tableAlarms(props),
		reconcileAlarms(props, m),
		rolloutAlarms(m),
	)
}

// deadLetterAlarms: whatever lies in a dead-letter queue was given up on, so one message is one too many.
func deadLetterAlarms(props Props) []alarm {
	all := make([]alarm, len(props.DeadLetters))
	for i, d := range props.DeadLetters {
		all[i] = deadLetterAlarm(d)
	}
	return all
}

func deadLetterAlarm(d DeadLetters) alarm {
	return alarm{
		name:    "dead-letters-" + d.Name,
		runbook: "dead-letters-" + d.Name,
		means:   deadLetterMeaning(d.Name),
		first:   deadLetterFirst(d.Name),
		// The number of visible messages is a level, not a flow: it stays until somebody empties the queue.
		metric:    ofQueue(d.Queue, "ApproximateNumberOfMessagesVisible", statisticMaximum, 5*minute, ""),
		threshold: 1, periods: 1,
	}
}

// NewDeadLettersAlarm is the alarm of one dead-letter queue, for stacks that have nothing else to watch.
func NewDeadLettersAlarm(scope constructs.Construct, installation string, d DeadLetters, topic awssns.ITopic) awscloudwatch.Alarm {
	return deadLetterAlarm(d).add(scope, installation, topic)
}

func deadLetterMeaning(name string) string {
	switch name {
	case "events":
		return "ECS events were set aside: ingest could not read them, or could not store them a thousand times over."
	case "reconcile":
		return "A cluster's reconcile ran out of time five times: what events missed there stays wrong until a sweep gets through."
	case "wakeups":
		return "An environment was to be looked at and drive failed five times: the minute's tick tries it again."
	case "stream":
		return "Changes of the state were given up on by dispatch: watchers miss them, and environments were not woken."
	case "rule":
		return "EventBridge could not hand ECS events to the events queue for 24 hours."
	case "member":
		return "EventBridge could not hand this account's ECS events to the installation's bus for 24 hours."
	case "schedules":
		return "EventBridge Scheduler could not invoke reconcile or drive."
	default:
		return fmt.Sprintf("Messages of %s were given up on.", name)
	}
}

func deadLetterFirst(name string) string {
	if name == "member" {
		return "the attribute ERROR_MESSAGE of a message in the queue RuleDeadLetters of this stack."
	}
	return "blox doctor, then the newest message of the queue and its attributes."
}

// freshnessAlarms: the state is late, or what acts on it.
func freshnessAlarms(props Props, m metrics) []alarm {
	// Two minutes is where drive stops stopping tasks (it needs fresh knowledge), so where rollouts stand still.
	const lateSeconds = 120
	return []alarm{
		{
			name: "events-waiting", runbook: "events-waiting",
			means: "ECS events have waited over two minutes: ingest is too slow, or nothing reads the queue. The state is late and rollouts stand still.",
			first: "blox doctor; then the logs and the throttles of function ingest.",
			// The lag that ingest reports stops when ingest stops. The age of the oldest message goes on, as long as nobody
			// receives it: SQS puts a message that was received three times at the back and counts its age no more. So this is
			// about events that are not taken; those that are taken and handed back are errors-ingest's, and those whose function
			// is turned down are throttles-ingest's.
			metric:    ofQueue(props.EventsQueue, "ApproximateAgeOfOldestMessage", statisticMaximum, minute, ""),
			threshold: lateSeconds, periods: 5, datapoints: 3,
		},
		{
			name: "event-lag", runbook: "event-lag",
			means: "One batch of events in ten is stored more than two minutes after it happened: rollouts stand still.",
			first: "blox doctor; if the events queue is empty the delay lies before it, in ECS or EventBridge: look at the AWS Health Dashboard.",
			// p90 and not the maximum: EventBridge may deliver a single event up to 24 hours late, which is no trouble.
			metric:    m.blox(eventLagMillis, statisticP90, minute),
			threshold: lateSeconds * 1000, periods: 5, datapoints: 3,
		},
		{
			name: "dispatch-behind", runbook: "dispatch-behind",
			means: "Changes of the state reach watchers and the daemon scheduler over a minute late.",
			first: "the logs and the throttles of function dispatch.",
			// A retried batch blocks its shard, so the age rises by itself until the batch goes through or is given up.
			metric:    ofFunction(props.Functions.Dispatch, "IteratorAge", statisticMaximum, minute, ""),
			threshold: 60_000, periods: 5, datapoints: 5,
		},
		{
			name: "wakeups-waiting", runbook: "wakeups-waiting",
			means: "Environments have waited over 20 minutes to be looked at: daemons are not started, replaced or rolled out.",
			first: "blox doctor; then the logs and the throttles of function drive.",
			// A wake-up may be sent with a delay of up to 15 minutes, and its age counts from the sending. As with the events, one
			// that was received three times is not counted: it is in errors-drive, and soon in the dead letters.
			metric:    ofQueue(props.WakeupQueue, "ApproximateAgeOfOldestMessage", statisticMaximum, minute, ""),
			threshold: 20 * 60, periods: 5, datapoints: 5,
		},
		{
			name: "drive-silent", runbook: "drive-silent",
			means: "Function drive has not run for 15 minutes although the tick is to invoke it every minute: no daemon is looked after.",
			first: "whether the tick's schedule is enabled, then dead-letters-schedules.",
			// Lambda reports no invocations by reporting nothing. See silenceIsBad for the first minutes of an installation.
			metric:    ofFunction(props.Functions.Drive, "Invocations", statisticSum, 5*minute, ""),
			threshold: 1, below: true, periods: 3, silenceIsBad: true,
		},
	}
}

// functionAlarms: every function fails at times and is tried again; what fails in ten minutes out of fifteen does not
// get better by itself.
func functionAlarms(props Props, m metrics) []alarm {
	var all []alarm
	for _, f := range props.Functions.list() {
		all = append(all,
			alarm{
				name: "errors-" + f.name, runbook: "function-errors",
				means:     errorMeaning(f),
				first:     fmt.Sprintf("the log group of function %s, newest errors.", f.name),
				metric:    failures(f, m),
				threshold: 1, periods: 3, datapoints: 2,
			},
			alarm{
				name: "throttles-" + f.name, runbook: "function-throttles",
				means:     throttleMeaning(props.Settings, f.name),
				first:     throttleFirst(props.Settings, f.name),
				metric:    ofFunction(f.function, "Throttles", statisticSum, 5*minute, ""),
				threshold: 1, periods: 3, datapoints: 2,
			},
		)
	}
	return append(all,
		alarm{
			name: "api-failing", runbook: "api-failing",
			means:     "The API answers with 5xx.",
			first:     "the access log for the paths, then the log group of function api.",
			metric:    props.Stage.MetricServerError(options(statisticSum, 5*minute, "")),
			threshold: 1, periods: 3, datapoints: 2,
		},
		alarm{
			name: "function-calls-failing", runbook: "function-calls-failing",
			means: "API Gateway cannot call the functions behind the API, and not because too many run: requests are answered with 429.",
			first: "lambdaStatus in the access log: 403 says that the permission to invoke is gone.",
			// An alarm of its own costs what one metric more in api-failing would, and says what it is.
			metric:    m.blox(FunctionCallsFailed, statisticSum, 5*minute),
			threshold: 1, periods: 3, datapoints: 2,
		})
}

// failures is what a function could not do. Where it has a queue that is more than the invocations that failed: a batch of
// which messages are handed back for another try has succeeded, as Lambda sees it, even if all of them are.
func failures(f named, m metrics) awscloudwatch.IMetric {
	errors := ofFunction(f.function, "Errors", statisticSum, 5*minute, "")
	if f.messagesFailed == "" {
		return errors
	}
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		// Either may lack a period in which the other has failures.
		Expression: jsii.String("FILL(errors, 0) + FILL(messages, 0)"),
		UsingMetrics: &map[string]awscloudwatch.IMetric{
			"errors": errors, "messages": m.blox(f.messagesFailed, statisticSum, 5*minute),
		},
		Label:  jsii.String("Failed runs and messages"),
		Period: minutes(5 * minute),
	})
}

func errorMeaning(f named) string {
	if f.messagesFailed == "" {
		return fmt.Sprintf("Function %s fails or runs out of time.", f.name)
	}
	return fmt.Sprintf("Function %s fails, runs out of time, or hands messages back undone.", f.name)
}

// capped says whether the function has a concurrency of its own, which only the stream function may have.
func capped(s *settings.Settings, function string) bool {
	return function == "stream" && s.Watchers > 0
}

func throttleMeaning(s *settings.Settings, function string) string {
	if capped(s, function) {
		return "As many watchers as are allowed are connected: more are turned away with 429."
	}
	return fmt.Sprintf("Lambda does not run function %s as often as it is asked to: the account's concurrency is used up.", function)
}

func throttleFirst(s *settings.Settings, function string) string {
	if capped(s, function) {
		return "who watches, in the access log; then raise the parameter watchers."
	}
	return "ConcurrentExecutions of the account against its quota, and which function uses it."
}
