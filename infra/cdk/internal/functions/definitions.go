package functions

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/infra/cdk/internal/ecsaccess"
	"github.com/blox/blox/infra/cdk/internal/events"
	"github.com/blox/blox/infra/cdk/internal/member/rolename"
	"github.com/blox/blox/internal/table/schema"
)

// Timeouts in seconds. Queues in front of a function hide a message for longer.
const (
	ingestSeconds    = 20
	reconcileSeconds = 300
	dispatchSeconds  = 60
	driveSeconds     = 60
	// apiSeconds is API Gateway's own limit: a function that works longer answers nobody. A poll waits for 25 seconds of
	// them at most.
	apiSeconds = 29
	// streamSeconds is above the five minutes after which a stream ends by itself and is opened anew.
	streamSeconds = 330
)

// definition is one function. Handler and zip differ where one zip is deployed as two functions.
type definition struct {
	name           string
	description    string
	zip            string
	memoryMB       int
	timeoutSeconds int
	environment    map[string]*string
	statements     []awsiam.PolicyStatement
	// allowRecursion turns Lambda's loop detection off; see drive.
	allowRecursion bool
	// reserved caps how many run at the same time; nil for the account's share.
	reserved *float64
}

func (f *Functions) ingest(p Props) definition {
	return definition{
		name: "ingest", zip: "ingest", memoryMB: 256, timeoutSeconds: ingestSeconds,
		description: "Stores ECS events",
		environment: map[string]*string{
			"BLOX_INSTALLATION":        jsii.String(p.Settings.Installation),
			"BLOX_STATE_TABLE":         p.State.State.TableName(),
			"BLOX_EVENTS_DLQ_URL":      p.Events.DeadLetters.QueueUrl(),
			"BLOX_RECONCILE_QUEUE_URL": p.Daemon.Reconcile.QueueUrl(),
			"BLOX_RETENTION_DAYS":      number(p.Settings.RetentionDays),
		},
		statements: []awsiam.PolicyStatement{
			onTable("State", p.State.State, batchGetItem, putItem, updateItem),
			on("SetAside", p.Events.DeadLetters.QueueArn(), "sqs:SendMessage"),
			on("Hints", p.Daemon.Reconcile.QueueArn(), "sqs:SendMessage"),
			consume(p.Events.Queue.QueueArn()),
		},
	}
}

func (f *Functions) reconcile(p Props) definition {
	statements := []awsiam.PolicyStatement{
		onTable("State", p.State.State, batchGetItem, putItem, query, updateItem),
		onIndexes(p.State.State, schema.ByPhase),
		onKeys("CallBudget", p.State.Daemon, []string{budgetKeys}, getItem, putItem),
		on("Sweeps", p.Daemon.Reconcile.QueueArn(), "sqs:SendMessage"),
		consume(p.Daemon.Reconcile.QueueArn()),
	}
	statements = append(statements, ecsaccess.Reconcile(f.home())...)
	return definition{
		name: rolename.Reconcile, zip: "reconcile", memoryMB: 512, timeoutSeconds: reconcileSeconds,
		description: "Compares what is stored with ECS, and repairs it",
		environment: map[string]*string{
			"BLOX_INSTALLATION":         jsii.String(p.Settings.Installation),
			"BLOX_ACCOUNT":              f.stack.Account(),
			"BLOX_STATE_TABLE":          p.State.State.TableName(),
			"BLOX_DAEMON_TABLE":         p.State.Daemon.TableName(),
			"BLOX_RECONCILE_QUEUE_URL":  p.Daemon.Reconcile.QueueUrl(),
			"BLOX_RETENTION_DAYS":       number(p.Settings.RetentionDays),
			"BLOX_RECONCILE_MINUTES":    number(p.Settings.ReconcileMinutes),
			"BLOX_ECS_READS_PER_SECOND": number(p.Settings.ReadsPerSecond),
			"BLOX_MEMBERS":              jsii.String(p.Settings.MemberList()),
			"BLOX_EXTERNAL_ID":          jsii.String(p.Settings.ExternalIDOrNone()),
		},
		statements: append(statements, f.members(p, rolename.Read)...),
	}
}

func (f *Functions) dispatch(p Props) definition {
	return definition{
		name: "dispatch", zip: "scheduler", memoryMB: 256, timeoutSeconds: dispatchSeconds,
		description: "Reads the state table's stream: writes the feed, and wakes the scheduler",
		environment: map[string]*string{
			"BLOX_HANDLER":          jsii.String("dispatch"),
			"BLOX_INSTALLATION":     jsii.String(p.Settings.Installation),
			"BLOX_STATE_TABLE":      p.State.State.TableName(),
			"BLOX_DAEMON_TABLE":     p.State.Daemon.TableName(),
			"BLOX_WAKEUP_QUEUE_URL": p.Daemon.Wakeups.QueueUrl(),
			"BLOX_RETENTION_DAYS":   number(p.Settings.RetentionDays),
			"BLOX_FORWARD_CHANGES":  jsii.String(strconv.FormatBool(p.Settings.ForwardChanges)),
			"BLOX_EVENT_BUS":        jsii.String(events.BusName(p.Settings.Installation)),
		},
		statements: append([]awsiam.PolicyStatement{
			onTable("State", p.State.State, batchGetItem),
			onKeys("Feed", p.State.State, []string{feedKeys}, getItem, putItem, updateItem),
			onKeys("EnvironmentsOfClusters", p.State.Daemon, []string{membershipKeys}, query),
			on("WakeUps", p.Daemon.Wakeups.QueueArn(), "sqs:SendMessage"),
			on("ReadStream", p.State.State.TableStreamArn(), "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
			on("ListStreams", jsii.String("*"), "dynamodb:ListStreams"),
			on("SetAside", p.Daemon.StreamFailures.QueueArn(), "sqs:SendMessage"),
		}, forward(p)...),
	}
}

// forward lets dispatch put changes on the installation's bus, where that was asked for.
func forward(p Props) []awsiam.PolicyStatement {
	if !p.Settings.ForwardChanges {
		return nil
	}
	return []awsiam.PolicyStatement{on("Forward", p.Events.Bus.EventBusArn(), "events:PutEvents")}
}

func (f *Functions) drive(p Props) definition {
	statements := []awsiam.PolicyStatement{
		onTable("State", p.State.State, batchGetItem, getItem, updateItem),
		onIndexes(p.State.State, schema.ByPhase, schema.ByInstance, schema.ByGroup),
		onKeys("KnownClusters", p.State.State, []string{clustersKey}, query),
		onTable("Daemon", p.State.Daemon, batchGetItem, batchWriteItem, conditionCheck, deleteItem, getItem, putItem, query, updateItem),
		on("WakeUps", p.Daemon.Wakeups.QueueArn(), "sqs:SendMessage"),
		on("Announce", p.Events.Bus.EventBusArn(), "events:PutEvents"),
		consume(p.Daemon.Wakeups.QueueArn()),
	}
	statements = append(statements, ecsaccess.Drive(f.home(), p.Settings.PassableRoleARNs)...)
	return definition{
		name: rolename.Drive, zip: "scheduler", memoryMB: 512, timeoutSeconds: driveSeconds,
		description: "Works on environments: starts and stops daemons",
		// It sends wake-ups to itself for as long as a rollout waits for something. Lambda takes such a chain for a runaway
		// and drops it after some sixteen turns; here every wake-up has a reason, a delay and a lease.
		allowRecursion: true,
		environment: map[string]*string{
			"BLOX_HANDLER":                 jsii.String("drive"),
			"BLOX_INSTALLATION":            jsii.String(p.Settings.Installation),
			"BLOX_ACCOUNT":                 f.stack.Account(),
			"BLOX_STATE_TABLE":             p.State.State.TableName(),
			"BLOX_DAEMON_TABLE":            p.State.Daemon.TableName(),
			"BLOX_WAKEUP_QUEUE_URL":        p.Daemon.Wakeups.QueueUrl(),
			"BLOX_RETENTION_DAYS":          number(p.Settings.RetentionDays),
			"BLOX_RECONCILE_MINUTES":       number(p.Settings.ReconcileMinutes),
			"BLOX_ECS_READS_PER_SECOND":    number(p.Settings.ReadsPerSecond),
			"BLOX_ECS_MODIFIES_PER_SECOND": number(p.Settings.ModifiesPerSecond),
			"BLOX_EVENT_BUS":               jsii.String(events.BusName(p.Settings.Installation)),
			"BLOX_MEMBERS":                 jsii.String(p.Settings.MemberList()),
			"BLOX_EXTERNAL_ID":             jsii.String(p.Settings.ExternalIDOrNone()),
		},
		statements: append(statements, f.members(p, rolename.Scheduler)...),
	}
}

func (f *Functions) api(p Props) definition {
	statements := []awsiam.PolicyStatement{
		onTable("State", p.State.State, batchGetItem, getItem, query),
		onIndexes(p.State.State, allIndexes...),
		onTable("Daemon", p.State.Daemon, batchGetItem, getItem, putItem, query, updateItem),
		on("WakeUps", p.Daemon.Wakeups.QueueArn(), "sqs:SendMessage"),
		on("Reconcile", p.Daemon.Reconcile.QueueArn(), "sqs:SendMessage"),
	}
	statements = append(statements, ecsaccess.API(f.home(), p.Settings.PassableRoleARNs)...)
	return definition{
		name: rolename.API, zip: "api", memoryMB: 256, timeoutSeconds: apiSeconds,
		description: "Answers the API",
		environment: map[string]*string{
			"BLOX_HANDLER":              jsii.String("api"),
			"BLOX_INSTALLATION":         jsii.String(p.Settings.Installation),
			"BLOX_ACCOUNT":              f.stack.Account(),
			"BLOX_STATE_TABLE":          p.State.State.TableName(),
			"BLOX_DAEMON_TABLE":         p.State.Daemon.TableName(),
			"BLOX_WAKEUP_QUEUE_URL":     p.Daemon.Wakeups.QueueUrl(),
			"BLOX_RECONCILE_QUEUE_URL":  p.Daemon.Reconcile.QueueUrl(),
			"BLOX_RECONCILE_MINUTES":    number(p.Settings.ReconcileMinutes),
			"BLOX_ECS_READS_PER_SECOND": number(p.Settings.ReadsPerSecond),
			"BLOX_VERSION":              jsii.String(p.Settings.Version),
			"BLOX_RETENTION_DAYS":       number(p.Settings.RetentionDays),
			"BLOX_MEMBERS":              jsii.String(p.Settings.MemberList()),
			"BLOX_EXTERNAL_ID":          jsii.String(p.Settings.ExternalIDOrNone()),
		},
		statements: append(statements, f.members(p, rolename.Read)...),
	}
}

func (f *Functions) stream(p Props) definition {
	return definition{
		name: "stream", zip: "api", memoryMB: 256, timeoutSeconds: streamSeconds,
		description: "Tells watchers what changes",
		reserved:    reserved(p.Settings.Watchers),
		environment: map[string]*string{
			"BLOX_HANDLER":        jsii.String("stream"),
			"BLOX_INSTALLATION":   jsii.String(p.Settings.Installation),
			"BLOX_ACCOUNT":        f.stack.Account(),
			"BLOX_STATE_TABLE":    p.State.State.TableName(),
			"BLOX_VERSION":        jsii.String(p.Settings.Version),
			"BLOX_RETENTION_DAYS": number(p.Settings.RetentionDays),
		},
		// A watch reads records and the feed consistently, and so no global index.
		statements: []awsiam.PolicyStatement{
			onTable("State", p.State.State, batchGetItem, query),
			onIndexes(p.State.State, schema.ByPhase),
		},
	}
}

// reserved is nil for 0: Lambda would take a reservation of 0 for "run none".
func reserved(watchers int) *float64 {
	if watchers == 0 {
		return nil
	}
	return jsii.Number(watchers)
}

// members lets a function be the role of that kind in every member account and region, and no other role.
func (f *Functions) members(p Props, roleName func(installation, region string) string) []awsiam.PolicyStatement {
	if len(p.Settings.Members) == 0 {
		return nil
	}
	var arns []*string
	for _, m := range p.Settings.Members {
		arns = append(arns, jsii.String(rolename.ARN(*f.stack.Partition(), m.Account, roleName(p.Settings.Installation, m.Region))))
	}
	return []awsiam.PolicyStatement{onTables("Members", arns, nil, []string{"sts:AssumeRole"})}
}

// consume is what Lambda's poller does with a queue, in the function's name.
func consume(queueARN *string) awsiam.PolicyStatement {
	return on("Poll", queueARN, "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
}

func number(n int) *string { return jsii.String(fmt.Sprint(n)) }
