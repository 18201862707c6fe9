package blox_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNagFindsNothing(t *testing.T) {
	require.Empty(t, standard.findings)
	require.Empty(t, options.findings)
	require.Empty(t, ofMember.findings)
}

// The client finds the API by the outputs, doctor the tables and queues.
func TestOutputs(t *testing.T) {
	require.Subset(t, slices.Collect(maps.Keys(standard.template.Outputs)), []string{
		"AlarmTopicArn", "ApiUrl", "DaemonTableArn", "DaemonTableName", "EventBusName", "EventsDeadLettersUrl", "EventsQueueUrl", "Installation",
		"ReconcileDeadLettersUrl", "ReconcileMinutes", "ReconcileQueueUrl", "RuleDeadLettersUrl", "ScheduleDeadLettersUrl", "StateStreamArn", "StateTableArn",
		"StateTableName", "StreamFailuresUrl", "Version", "WakeupQueueUrl", "WakeupsDeadLettersUrl",
	})
	require.Equal(t, getAtt("StateTable", "StreamArn"), standard.template.Outputs["StateStreamArn"]["Value"])
	require.Equal(t, "team-a", options.template.Outputs["Installation"]["Value"])
	_, bus := options.template.one(t, "AWS::Events::EventBus", "EventsBus")
	require.Equal(t, bus["Name"], options.template.Outputs["EventBusName"]["Value"])
	require.Equal(t, "5", standard.template.Outputs["ReconcileMinutes"]["Value"], "as text: CloudFormation takes no other")
	require.Equal(t, "1", options.template.Outputs["ReconcileMinutes"]["Value"])
	require.Equal(t, "v1.2.3", options.template.Outputs["Version"]["Value"])
	for name, output := range standard.template.Outputs {
		require.NotContains(t, output, "Export", "%s: an exported value cannot change while another stack reads it", name)
	}
}

// Emulators do not know the parameter of the bootstrap stack's version; the CDK command looks itself.
func TestTheTemplateHasNoRuleAboutTheBootstrapStack(t *testing.T) {
	require.Empty(t, standard.template.Rules)
	require.NotContains(t, standard.template.Parameters, "BootstrapVersion")
}

// What CloudFormation cannot tag, or not everywhere.
var untaggable = map[string]bool{
	"AWS::ApiGateway::Account": true, "AWS::ApiGateway::Deployment": true, "AWS::ApiGateway::GatewayResponse": true, "AWS::ApiGateway::Method": true,
	"AWS::ApiGateway::Model": true, "AWS::ApiGateway::RequestValidator": true, "AWS::ApiGateway::Resource": true,
	"AWS::CloudWatch::Dashboard":  true,
	"AWS::Events::EventBusPolicy": true, "AWS::IAM::ManagedPolicy": true, "AWS::IAM::Policy": true, "AWS::Lambda::EventInvokeConfig": true,
	"AWS::Lambda::Permission": true, "AWS::Logs::MetricFilter": true, "AWS::SNS::Subscription": true, "AWS::SNS::TopicPolicy": true, "AWS::SQS::QueuePolicy": true,
	"AWS::Scheduler::Schedule": true,
}

func TestEverythingIsTaggedWithTheInstallation(t *testing.T) {
	for _, m := range []made{standard, options, ofMember} {
		for id, r := range m.template.Resources {
			if !untaggable[r.Type] {
				require.Contains(t, text(t, r.Properties["Tags"]), "blox:installation", "%s %s", r.Type, id)
			}
		}
	}
}

func TestMembersHaveABusOnlyWhereThereAreAny(t *testing.T) {
	require.Len(t, standard.template.ids("AWS::Events::EventBus"), 1)
	require.Len(t, options.template.ids("AWS::Events::EventBus"), 2)
	require.Empty(t, ofMember.template.ids("AWS::Lambda::Function"), "a member runs nothing")
	require.Empty(t, ofMember.template.ids("AWS::DynamoDB::Table"), "and stores nothing")
}

var update = flag.Bool("update", false, "write the golden templates")

var (
	assetHash  = regexp.MustCompile(`[0-9a-f]{64}`)
	deployment = regexp.MustCompile(`(Deployment[0-9A-F]{8})[0-9a-f]{32}`)
)

// The templates as they were last looked at: every change of them is to be seen in review. Hashes of what is deployed
// are left out, they change with every build.
func TestTemplatesAreAsTheyWere(t *testing.T) {
	for name, m := range map[string]made{"installation": standard, "options": options, "member": ofMember} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			encoder := json.NewEncoder(&out)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", " ")
			require.NoError(t, encoder.Encode(m.template))
			got := assetHash.ReplaceAll(out.Bytes(), []byte("HASH"))
			got = deployment.ReplaceAll(got, []byte("${1}HASH"))
			path := filepath.Join("testdata", name+".template.json")
			if golden, err := os.ReadFile(path); err == nil {
				var older template
				require.NoError(t, json.Unmarshal(golden, &older))
				require.Empty(t, changedLocalIndexes(older.Resources, m.template.Resources),
					"CloudFormation cannot change the local indexes of a table: one with others wants another logical id, and somebody who "+
						"moves what the old one holds. While nobody has installed it, remove %s and make it anew with -update", path)
			}
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(path, got, 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), string(got), "if the change is meant: go test ./internal/blox -update")
		})
	}
}
