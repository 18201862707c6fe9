package blox_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/table/schema"
)

// statement is one statement of a policy, with lists where IAM also takes single values.
type statement struct {
	SID       string
	Effect    string
	Actions   []string
	Resources []any
	Condition object
}

// granted are the statements of a role's policies, by the role's logical id.
func granted(tb testing.TB, m made) map[string][]statement {
	tb.Helper()
	all := map[string][]statement{}
	for _, id := range m.template.ids("AWS::IAM::Role") {
		policies, _ := m.template.Resources[id].Properties["Policies"].([]any)
		for _, policy := range policies {
			all[id] = append(all[id], statements(tb, policy.(object)["PolicyDocument"])...)
		}
	}
	for _, id := range m.template.ids("AWS::IAM::Policy") {
		properties := m.template.Resources[id].Properties
		for _, role := range properties["Roles"].([]any) {
			of := role.(object)["Ref"].(string)
			all[of] = append(all[of], statements(tb, properties["PolicyDocument"])...)
		}
	}
	return all
}

func statements(tb testing.TB, document any) []statement {
	tb.Helper()
	var all []statement
	for _, raw := range document.(object)["Statement"].([]any) {
		s := raw.(object)
		one := statement{Effect: s["Effect"].(string), Resources: list(s["Resource"])}
		one.SID, _ = s["Sid"].(string)
		one.Condition, _ = s["Condition"].(object)
		for _, action := range list(s["Action"]) {
			one.Actions = append(one.Actions, action.(string))
		}
		require.NotEmpty(tb, one.Actions)
		require.NotContains(tb, s, "NotAction")
		require.NotContains(tb, s, "NotResource")
		all = append(all, one)
	}
	return all
}

func list(value any) []any {
	if many, ok := value.([]any); ok {
		return many
	}
	return []any{value}
}

func ofFunction(tb testing.TB, m made, name string) []statement {
	tb.Helper()
	role, _ := m.template.one(tb, "AWS::IAM::Role", "Functions"+functionIDs[name]+"Role")
	require.Equal(tb, getAtt(role, "Arn"), m.template.function(tb, name)["Role"], "a role of its own")
	return granted(tb, m)[role]
}

func TestNoWildcardStandsInAnAction(t *testing.T) {
	for _, m := range []made{standard, options, ofMember} {
		for role, all := range granted(t, m) {
			for _, s := range all {
				require.Equal(t, "Allow", s.Effect)
				for _, action := range s.Actions {
					require.NotContains(t, action, "*", role)
				}
			}
		}
	}
}

// What IAM knows no narrower resource for. ListTasks is bound by its condition.
func TestEverythingIsTheResourceOnlyWhereIAMKnowsNoOther(t *testing.T) {
	allowed := []string{
		"cloudwatch:DescribeAlarms", "dynamodb:ListStreams", "ecs:DescribeTaskDefinition", "ecs:ListClusters", "ecs:ListTasks",
		"ecs:RegisterTaskDefinition", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
	}
	for _, m := range []made{standard, options, ofMember} {
		for role, all := range granted(t, m) {
			for _, s := range all {
				for _, resource := range s.Resources {
					if resource != "*" {
						continue
					}
					for _, action := range s.Actions {
						require.Contains(t, allowed, action, role)
						if action == "ecs:ListTasks" {
							require.Contains(t, text(t, s.Condition), "ecs:cluster")
						}
					}
				}
			}
		}
	}
}

// The calls of each function, for an installation without members and tracing. Whoever adds one here has to show that it is made.
func TestWhatEachFunctionMayDo(t *testing.T) {
	poll := []string{"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
	every := []string{"logs:CreateLogStream", "logs:PutLogEvents"}
	for name, want := range map[string][]string{
		"ingest": append([]string{"dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "sqs:SendMessage"}, poll...),
		"reconcile": append([]string{
			"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
			"ecs:DescribeClusters", "ecs:DescribeContainerInstances", "ecs:DescribeTasks", "ecs:ListClusters", "ecs:ListContainerInstances", "ecs:ListTasks",
			"sqs:SendMessage",
		}, poll...),
		"dispatch": {
			"dynamodb:BatchGetItem", "dynamodb:DescribeStream", "dynamodb:GetItem", "dynamodb:GetRecords", "dynamodb:GetShardIterator",
			"dynamodb:ListStreams", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem", "sqs:SendMessage",
		},
		"drive": append([]string{
			"dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
			"cloudwatch:DescribeAlarms", "ecs:DeleteAttributes", "ecs:DescribeCapacityProviders", "ecs:DescribeServices",
			"ecs:DescribeTaskDefinition", "ecs:DescribeTasks", "ecs:ListTasks", "ecs:PutAttributes", "ecs:RunTask", "ecs:StopTask", "ecs:TagResource",
			"events:PutEvents", "sqs:SendMessage",
		}, poll...),
		"api": {
			"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
			"cloudwatch:DescribeAlarms", "ecs:DescribeCapacityProviders", "ecs:DescribeClusters", "ecs:DescribeServices",
			"ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition", "ecs:TagResource", "sqs:SendMessage",
		},
		"stream": {"dynamodb:BatchGetItem", "dynamodb:Query"},
	} {
		require.Equal(t, slices.Sorted(slices.Values(append(want, every...))), actions(ofFunction(t, standard, name)), name)
	}
}

func actions(all []statement) []string {
	set := map[string]bool{}
	for _, s := range all {
		for _, action := range s.Actions {
			set[action] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// find is the statement of that name.
func find(tb testing.TB, all []statement, sid string) statement {
	tb.Helper()
	i := slices.IndexFunc(all, func(s statement) bool { return s.SID == sid })
	require.GreaterOrEqual(tb, i, 0, "no statement %s", sid)
	return all[i]
}

func TestCallsToECSAreBoundToTheAccountAndRegion(t *testing.T) {
	const clusters = `{"ArnLike":{"ecs:cluster":{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":ecs:",{"Ref":"AWS::Region"},":",{"Ref":"AWS::AccountId"},":cluster/*"]]}}}`
	for _, name := range []string{"reconcile", "drive", "api"} {
		for _, s := range ofFunction(t, standard, name) {
			if !strings.HasPrefix(s.Actions[0], "ecs:") {
				continue
			}
			for _, resource := range s.Resources {
				if resource != "*" {
					require.Contains(t, text(t, resource), `":ecs:",{"Ref":"AWS::Region"},":",{"Ref":"AWS::AccountId"},":`, s.SID)
				}
			}
			switch s.SID {
			// These actions do not know the condition key, or no cluster.
			case "ListClusters", "Clusters", "TaskDefinitions", "CapacityProviders", "TagNewTasks", "TagCopies":
			default:
				require.JSONEq(t, clusters, text(t, s.Condition), s.SID)
			}
		}
	}
	tag := find(t, ofFunction(t, standard, "drive"), "TagNewTasks")
	require.Equal(t, object{"StringEquals": object{"ecs:CreateAction": "RunTask"}}, tag.Condition)
	tag = find(t, ofFunction(t, standard, "api"), "TagCopies")
	require.Equal(t, object{"StringEquals": object{"ecs:CreateAction": "RegisterTaskDefinition"}}, tag.Condition)
	require.Contains(t, text(t, tag.Resources), `:task-definition/blox-*:*"`)
}

func TestOnlyTheGivenRolesMayBePassed(t *testing.T) {
	for _, name := range []string{"drive", "api"} {
		pass := find(t, ofFunction(t, options, name), "PassRolesToTasks")
		require.Equal(t, []string{"iam:PassRole"}, pass.Actions)
		require.Equal(t, []any{passable}, pass.Resources)
		require.Equal(t, object{"StringEquals": object{"iam:PassedToService": "ecs-tasks.amazonaws.com"}}, pass.Condition)
	}
	for role, all := range granted(t, standard) {
		require.NotContains(t, actions(all), "iam:PassRole", role)
	}
}

// Events cost money each, and a permission that nothing uses is one too many.
func TestChangesAreForwardedOnlyIfAskedFor(t *testing.T) {
	bus, _ := options.template.one(t, "AWS::Events::EventBus", "EventsBus")
	forward := find(t, ofFunction(t, options, "dispatch"), "Forward")
	require.Equal(t, []string{"events:PutEvents"}, forward.Actions)
	require.Equal(t, []any{getAtt(bus, "Arn")}, forward.Resources)
	require.Equal(t, "true", environment(options, t, "dispatch")["BLOX_FORWARD_CHANGES"])
	require.Equal(t, "blox-team-a", environment(options, t, "dispatch")["BLOX_EVENT_BUS"])
	require.NotContains(t, actions(ofFunction(t, standard, "dispatch")), "events:PutEvents")
	require.Equal(t, "false", environment(standard, t, "dispatch")["BLOX_FORWARD_CHANGES"])
}

// The api function asks for two things, each of a queue of its own: wake-ups, and reconciles of a cluster.
func TestTheAPIAsksForReconciles(t *testing.T) {
	queue, _ := standard.template.one(t, "AWS::SQS::Queue", "DaemonReconcile")
	reconcile := find(t, ofFunction(t, standard, "api"), "Reconcile")
	require.Equal(t, []string{"sqs:SendMessage"}, reconcile.Actions)
	require.Equal(t, []any{getAtt(queue, "Arn")}, reconcile.Resources)
	require.Equal(t, ref(queue), environment(standard, t, "api")["BLOX_RECONCILE_QUEUE_URL"])
}

// queueARNs are the ARNs of queues, by the beginnings of their logical ids.
func queueARNs(tb testing.TB, prefixes ...string) []any {
	tb.Helper()
	all := make([]any, len(prefixes))
	for i, prefix := range prefixes {
		id, _ := standard.template.one(tb, "AWS::SQS::Queue", prefix)
		all[i] = getAtt(id, "Arn")
	}
	return all
}

// What is called by `blox dlq`, which runs with its user's credentials: see package dlq. A place in a stream or a schedule's
// invocation cannot be sent back, so that nobody needs to take it away.
func TestOperatorsMayWorkOnDeadLetters(t *testing.T) {
	_, policy := standard.template.one(t, "AWS::IAM::ManagedPolicy", "APIOperator")
	all := statements(t, policy["PolicyDocument"])
	for sid, want := range map[string]struct {
		actions   []string
		resources []any
	}{
		"FindQueues": {[]string{"cloudformation:DescribeStacks"}, []any{ref("AWS::StackId")}},
		"LookAtDeadLetters": {
			[]string{"sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"},
			queueARNs(t, "EventsQueueDeadLetters", "EventsRuleDeadLetters", "DaemonReconcileDeadLetters", "DaemonWakeupsDeadLetters",
				"DaemonStreamFailures", "DaemonScheduleDeadLetters"),
		},
		"TakeDeadLetters": {
			[]string{"sqs:DeleteMessage"},
			queueARNs(t, "EventsQueueDeadLetters", "EventsRuleDeadLetters", "DaemonReconcileDeadLetters", "DaemonWakeupsDeadLetters"),
		},
		"MoveDeadLetters": {
			[]string{"sqs:CancelMessageMoveTask", "sqs:ListMessageMoveTasks", "sqs:StartMessageMoveTask"},
			queueARNs(t, "EventsQueueDeadLetters", "DaemonReconcileDeadLetters", "DaemonWakeupsDeadLetters"),
		},
		"SendBack": {[]string{"sqs:GetQueueAttributes", "sqs:SendMessage"}, queueARNs(t, "EventsQueue", "DaemonReconcile", "DaemonWakeups")},
	} {
		got := find(t, all, sid)
		require.Equal(t, "Allow", got.Effect)
		require.Equal(t, want.actions, got.Actions, sid)
		require.ElementsMatch(t, want.resources, got.Resources, sid)
	}
	require.Len(t, all, 6, "these five, and the API")
	_, readOnly := standard.template.one(t, "AWS::IAM::ManagedPolicy", "APIReadOnly")
	require.Len(t, statements(t, readOnly["PolicyDocument"]), 1, "readers have the API only")
}

// Dispatch writes the feed and nothing else of the state table; of the daemon table, it and reconcile need a corner each.
func TestPartsOfTables(t *testing.T) {
	for _, c := range []struct {
		function, sid, keys string
	}{
		{"dispatch", "Feed", "feed/*"},
		{"dispatch", "EnvironmentsOfClusters", "cluster/*"},
		{"drive", "KnownClusters", "clusters"},
		{"reconcile", "CallBudget", "budget/*"},
	} {
		require.Equal(t, object{
			"ForAllValues:StringLike": object{"dynamodb:LeadingKeys": []any{c.keys}},
			"Null":                    object{"dynamodb:LeadingKeys": "false"},
		}, find(t, ofFunction(t, standard, c.function), c.sid).Condition, c.sid)
	}
}

// The stream function reads the state table and knows of no other; of indexes, only the local one: a global one may lag
// behind the feed.
func TestTheStreamFunctionReadsTheStateTableOnly(t *testing.T) {
	table := getAtt("StateTable", "Arn")
	readable := []any{table, object{"Fn::Join": []any{"", []any{table, "/index/" + schema.ByPhase}}}}
	found := 0
	for _, s := range ofFunction(t, standard, "stream") {
		if strings.HasPrefix(s.Actions[0], "dynamodb:") {
			require.Subset(t, readable, s.Resources)
			found++
		}
	}
	require.Positive(t, found)
}

func TestFunctionsMayBeTheMembersRolesAndNoOthers(t *testing.T) {
	for name, kind := range map[string]string{"reconcile": "read", "api": "read", "drive": "scheduler"} {
		members := find(t, ofFunction(t, options, name), "Members")
		require.Equal(t, []string{"sts:AssumeRole"}, members.Actions)
		require.Len(t, members.Resources, 2)
		require.Contains(t, text(t, members.Resources), `:iam::210987654321:role/blox-team-a-`+kind+`-eu-west-1"`)
		require.Contains(t, text(t, members.Resources), `:iam::123456789012:role/blox-team-a-`+kind+`-us-east-1"`)
		require.NotContains(t, text(t, members.Resources), "*")
		require.NotContains(t, actions(ofFunction(t, standard, name)), "sts:AssumeRole")
	}
	for _, name := range []string{"ingest", "dispatch", "stream"} {
		require.NotContains(t, actions(ofFunction(t, options, name)), "sts:AssumeRole")
	}
}

// The roles' names are part of the members' trust: see package rolename.
func TestRolesOfFunctionsAreNamed(t *testing.T) {
	for name := range functionIDs {
		_, role := options.template.one(t, "AWS::IAM::Role", "Functions"+functionIDs[name]+"Role")
		require.JSONEq(t, `{"Fn::Join":["",["blox-team-a-`+name+`-",{"Ref":"AWS::Region"}]]}`, text(t, role["RoleName"]))
	}
}

func TestTheSchedulesRoleIsForThisAccountsSchedules(t *testing.T) {
	id, role := standard.template.one(t, "AWS::IAM::Role", "DaemonScheduleRole")
	require.JSONEq(t, `[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"scheduler.amazonaws.com"},
		"Condition":{"StringEquals":{"aws:SourceAccount":{"Ref":"AWS::AccountId"}}}}]`,
		text(t, role["AssumeRolePolicyDocument"].(object)["Statement"]))
	require.Equal(t, []string{"lambda:InvokeFunction", "sqs:SendMessage"}, actions(granted(t, standard)[id]))
	require.Len(t, find(t, granted(t, standard)[id], "Invoke").Resources, 2)
}

// dependent is a line of dependent-permissions.json: a permission that no call of the function's own accounts for.
type dependent struct{ Function, Action, Resource, When, Cause string }

func TestDependentPermissionsAreGranted(t *testing.T) {
	raw, err := os.ReadFile("../../dependent-permissions.json")
	require.NoError(t, err)
	var table []dependent
	require.NoError(t, json.Unmarshal(raw, &table))
	require.NotEmpty(t, table)
	seen := map[dependent]bool{}
	for _, line := range table {
		require.NotEmpty(t, line.Cause, line)
		key := dependent{Function: line.Function, Action: line.Action, Resource: line.Resource}
		require.False(t, seen[key], "%s of %s stands there twice", line.Action, line.Function)
		seen[key] = true
		inStandard, inOptions := actions(ofFunction(t, standard, line.Function)), actions(ofFunction(t, options, line.Function))
		switch line.When {
		case "always":
			require.Contains(t, inStandard, line.Action, line.Function)
			require.Contains(t, inOptions, line.Action, line.Function)
		case "tracing is true", "customerKey is true", "members is given", "passableRoleArns is given":
			require.NotContains(t, inStandard, line.Action, line.Function)
			require.Contains(t, inOptions, line.Action, line.Function)
		default:
			t.Errorf("unknown condition %q", line.When)
		}
	}
}
