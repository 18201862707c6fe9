package member_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/infra/cdk/internal/member"
	"github.com/blox/blox/infra/cdk/internal/settings"
	"github.com/blox/blox/infra/cdk/internal/synthtest"
)

const (
	central  = "123456789012"
	home     = "eu-west-1"
	other    = "210987654321"
	external = "3b0c44d6-3c0d-4c53-9a4b-f3c4d6a1c0de"
	passable = "arn:aws:iam::" + other + ":role/log-agent"
)

func TestMain(m *testing.M) { synthtest.Main(m, func() error { return nil }) }

// synthesized is a stack as CloudFormation gets it, and what cdk-nag says to it.
type synthesized struct {
	resources map[string]any
	findings  []string
}

func synthesize(stack awscdk.Stack) synthesized {
	awscdk.Aspects_Of(stack).Add(cdknag.NewAwsSolutionsChecks(nil), nil)
	template := *assertions.Template_FromStack(stack, nil).ToJSON()
	s := synthesized{resources: template["Resources"].(map[string]any)}
	for _, finding := range *assertions.Annotations_FromStack(stack).FindError(jsii.String("*"), assertions.Match_AnyValue()) {
		s.findings = append(s.findings, synthtest.Finding(finding))
	}
	return s
}

// of is the properties of the resources of a type.
func (s synthesized) of(kind string) []map[string]any {
	var found []map[string]any
	for _, r := range s.resources {
		if fields := r.(map[string]any); fields["Type"] == kind {
			found = append(found, fields["Properties"].(map[string]any))
		}
	}
	return found
}

func (s synthesized) only(t *testing.T, kind string) map[string]any {
	t.Helper()
	found := s.of(kind)
	require.Len(t, found, 1, kind)
	return found[0]
}

// role is the role of that name.
func (s synthesized) role(t *testing.T, name string) map[string]any {
	t.Helper()
	for _, role := range s.of("AWS::IAM::Role") {
		if role["RoleName"] == name {
			return role
		}
	}
	require.Fail(t, "there is no role "+name)
	return nil
}

func given(t *testing.T, parameters map[string]any) *settings.Settings {
	t.Helper()
	s, err := settings.From(parameters)
	require.NoError(t, err)
	return s
}

func memberStack(account, region string) func() synthesized {
	return sync.OnceValue(func() synthesized {
		s, err := settings.From(map[string]any{
			"centralAccount": central, "centralRegion": home, "externalId": external, "passableRoleArns": passable,
		})
		if err != nil {
			panic(err)
		}
		return synthesize(member.NewStack(awscdk.NewApp(nil), "Member", s, &awscdk.StackProps{
			Env: &awscdk.Environment{Account: jsii.String(account), Region: jsii.String(region)},
		}))
	})
}

var there = memberStack(other, "us-east-1")

// arn is an ARN with the partition that CloudFormation fills in.
func arn(rest string) any {
	return map[string]any{"Fn::Join": []any{"", []any{"arn:", map[string]any{"Ref": "AWS::Partition"}, rest}}}
}

func TestMemberPassesEventsOn(t *testing.T) {
	rule := there().only(t, "AWS::Events::Rule")
	require.Equal(t, map[string]any{
		"source": []any{"aws.ecs"},
		"detail-type": []any{
			"ECS Task State Change", "ECS Container Instance State Change", "ECS Container Instance Health Change",
		},
		"account": []any{other}, "region": []any{"us-east-1"},
	}, rule["EventPattern"])
	require.NotContains(t, rule, "EventBusName", "ECS's events are on the default bus")
	targets := rule["Targets"].([]any)
	require.Len(t, targets, 1)
	target := targets[0].(map[string]any)
	require.Equal(t, arn(":events:"+home+":"+central+":event-bus/blox-blox-members"), target["Arn"])
	require.NotEmpty(t, target["RoleArn"], "across regions and accounts EventBridge needs a role")
	require.NotEmpty(t, target["DeadLetterConfig"])

	queue := there().only(t, "AWS::SQS::Queue")
	require.InDelta(t, 14*24*3600, queue["MessageRetentionPeriod"], 0)
	alarm := there().only(t, "AWS::CloudWatch::Alarm")
	require.Equal(t, "Blox-blox-dead-letters-member", alarm["AlarmName"])
	runbook, err := os.ReadFile("../../../../docs/deploy.md")
	require.NoError(t, err)
	require.Contains(t, string(runbook), "\n### dead-letters-member\n")
}

func TestEventsRoleMayPutEventsOnThatBusOnly(t *testing.T) {
	role := there().role(t, "blox-blox-events-us-east-1")
	trust := role["AssumeRolePolicyDocument"].(map[string]any)["Statement"].([]any)[0].(map[string]any)
	require.Equal(t, map[string]any{"Service": "events.amazonaws.com"}, trust["Principal"])
	require.Equal(t, map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": other}}, trust["Condition"])
	policy := there().only(t, "AWS::IAM::Policy")["PolicyDocument"].(map[string]any)["Statement"].([]any)
	require.Equal(t, []any{map[string]any{
		"Effect": "Allow", "Action": "events:PutEvents", "Resource": arn(":events:" + home + ":" + central + ":event-bus/blox-blox-members"),
	}}, policy)
}

func TestRolesTrustTheFunctionsWithTheExternalID(t *testing.T) {
	for name, callers := range map[string]any{
		"blox-blox-read-us-east-1": []any{
			arn(":iam::" + central + ":role/blox-blox-reconcile-" + home), arn(":iam::" + central + ":role/blox-blox-api-" + home),
		},
		"blox-blox-scheduler-us-east-1": []any{arn(":iam::" + central + ":role/blox-blox-drive-" + home)},
	} {
		trust := there().role(t, name)["AssumeRolePolicyDocument"].(map[string]any)["Statement"].([]any)
		require.Equal(t, []any{map[string]any{
			"Effect":    "Allow",
			"Action":    "sts:AssumeRole",
			"Principal": map[string]any{"AWS": arn(":iam::" + central + ":root")},
			"Condition": map[string]any{
				"StringEquals": map[string]any{"sts:ExternalId": external},
				"ArnEquals":    map[string]any{"aws:PrincipalArn": callers},
			},
		}}, trust, name)
	}
}

// actions are what the inline policies of a role allow, by policy.
func actions(t *testing.T, role map[string]any) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, p := range role["Policies"].([]any) {
		policy := p.(map[string]any)
		name := policy["PolicyName"].(string)
		for _, s := range policy["PolicyDocument"].(map[string]any)["Statement"].([]any) {
			statement := s.(map[string]any)
			switch action := statement["Action"].(type) {
			case string:
				found[name] = append(found[name], action)
			case []any:
				for _, a := range action {
					found[name] = append(found[name], a.(string))
				}
			}
		}
		slices.Sort(found[name])
	}
	return found
}

func TestRolesAllowWhatTheFunctionsCall(t *testing.T) {
	require.Equal(t, map[string][]string{
		"reconcile": {
			"ecs:DescribeClusters", "ecs:DescribeContainerInstances", "ecs:DescribeTasks", "ecs:ListClusters",
			"ecs:ListContainerInstances", "ecs:ListTasks",
		},
		"api": {
			"cloudwatch:DescribeAlarms", "ecs:DescribeCapacityProviders", "ecs:DescribeClusters", "ecs:DescribeServices",
			"ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition", "ecs:TagResource", "iam:PassRole",
		},
	}, actions(t, there().role(t, "blox-blox-read-us-east-1")))

	scheduler := actions(t, there().role(t, "blox-blox-scheduler-us-east-1"))["drive"]
	for _, action := range []string{"ecs:RunTask", "ecs:StopTask", "ecs:DescribeTasks", "ecs:ListTasks", "ecs:PutAttributes", "cloudwatch:DescribeAlarms", "iam:PassRole"} {
		require.Contains(t, scheduler, action)
	}
	for _, name := range []string{"blox-blox-read-us-east-1", "blox-blox-scheduler-us-east-1"} {
		for _, allowed := range actions(t, there().role(t, name)) {
			require.NotContains(t, strings.Join(allowed, " "), "*")
		}
	}
}

func TestOnlyThePassableRolesArePassedAndOnlyToTasks(t *testing.T) {
	for _, name := range []string{"blox-blox-scheduler-us-east-1", "blox-blox-read-us-east-1"} {
		found := 0
		for _, p := range there().role(t, name)["Policies"].([]any) {
			for _, s := range p.(map[string]any)["PolicyDocument"].(map[string]any)["Statement"].([]any) {
				statement := s.(map[string]any)
				if statement["Action"] == "iam:PassRole" {
					require.Equal(t, passable, statement["Resource"])
					require.Equal(t, map[string]any{"StringEquals": map[string]any{"iam:PassedToService": "ecs-tasks.amazonaws.com"}}, statement["Condition"])
					found++
				}
			}
		}
		require.Equal(t, 1, found, name)
	}
}

// Every statement about ECS is bound to the member, by its resource or by a condition, or its action knows no resource.
func TestRolesReachThisMemberOnly(t *testing.T) {
	knowNoResource := []string{"cloudwatch:DescribeAlarms", "ecs:DescribeTaskDefinition", "ecs:ListClusters", "ecs:RegisterTaskDefinition"}
	for _, role := range there().of("AWS::IAM::Role") {
		policies, _ := role["Policies"].([]any)
		for _, p := range policies {
			for _, s := range p.(map[string]any)["PolicyDocument"].(map[string]any)["Statement"].([]any) {
				statement := s.(map[string]any)
				action, _ := statement["Action"].(string)
				several, _ := statement["Action"].([]any)
				bindable := slices.DeleteFunc(slices.Clone(several), func(a any) bool { return slices.Contains(knowNoResource, a.(string)) })
				if slices.Contains(knowNoResource, action) || action == "iam:PassRole" || action == "" && len(bindable) == 0 {
					continue
				}
				bound, err := json.Marshal([]any{statement["Resource"], statement["Condition"]})
				require.NoError(t, err)
				require.Contains(t, string(bound), ":ecs:us-east-1:"+other+":", "%v", statement["Sid"])
			}
		}
	}
}

func TestMemberIsElsewhere(t *testing.T) {
	require.Empty(t, there().findings)
	require.Empty(t, memberStack(central, "us-east-1")().findings, "another region of the same account is a member")
	findings := memberStack(central, home)().findings
	require.Len(t, findings, 1)
	require.Contains(t, findings[0], "is where the installation itself lives")
}

func centralStack(t *testing.T, members string) synthesized {
	t.Helper()
	s := given(t, map[string]any{"members": members, "externalId": external})
	stack := awscdk.NewStack(awscdk.NewApp(nil), jsii.String("Blox-blox"), &awscdk.StackProps{
		Env: &awscdk.Environment{Account: jsii.String(central), Region: jsii.String(home)},
	})
	queue := func(name string) awssqs.IQueue {
		return awssqs.NewQueue(stack, jsii.String(name), &awssqs.QueueProps{EnforceSSL: jsii.Bool(true)})
	}
	member.NewCentral(stack, "Members", member.CentralProps{Settings: s, EventsQueue: queue("Events"), DeadLetters: queue("Dead")})
	return synthesize(stack)
}

func TestCentralBusAdmitsTheMembersAccountsOnly(t *testing.T) {
	made := centralStack(t, other+"/us-east-1,"+other+"/eu-west-1,"+central+"/us-east-1")
	require.Equal(t, "blox-blox-members", made.only(t, "AWS::Events::EventBus")["Name"])
	policy := made.only(t, "AWS::Events::EventBusPolicy")
	statement := policy["Statement"].(map[string]any)
	require.Equal(t, "events:PutEvents", statement["Action"])
	require.Equal(t, map[string]any{"AWS": []any{arn(":iam::" + central + ":root"), arn(":iam::" + other + ":root")}}, statement["Principal"])
	// EventBridge asks the policy at PutTargets too, and then the caller is whoever deploys the member.
	require.NotContains(t, statement, "Condition")

	rule := made.only(t, "AWS::Events::Rule")
	require.NotEmpty(t, rule["EventBusName"])
	pattern := rule["EventPattern"].(map[string]any)
	require.Equal(t, []any{"aws.ecs"}, pattern["source"])
	require.Len(t, pattern["detail-type"], 3)
	require.Equal(t, []any{central, other}, pattern["account"])
	require.Equal(t, []any{"eu-west-1", "us-east-1"}, pattern["region"])
	targets := rule["Targets"].([]any)
	require.Len(t, targets, 1)
	require.NotEmpty(t, targets[0].(map[string]any)["DeadLetterConfig"])
}

// EventBridge refuses a bus policy of more than 10 KB.
func TestPolicyOfTheMostMembersFitsTheBus(t *testing.T) {
	var members []string
	for i := range 50 { // the most that settings allow
		members = append(members, fmt.Sprintf("%012d/ap-southeast-1", 100000000000+i))
	}
	policy := centralStack(t, strings.Join(members, ",")).only(t, "AWS::Events::EventBusPolicy")
	text, err := json.Marshal(policy["Statement"])
	require.NoError(t, err)
	// CloudFormation's Join around the partition is longer than the partition.
	filled := strings.NewReplacer(`{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},"`, `"arn:aws-us-gov`, `"]]}`, `"`).Replace(string(text))
	require.Less(t, len(filled), 10*1024)
}
