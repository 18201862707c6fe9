package stack

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/test/emulator/internal/policy"
)

func TestFunctionsAreKnownByTheirEnvironment(t *testing.T) {
	for want, environment := range map[string]map[string]string{
		"drive":     {"BLOX_HANDLER": "drive", "BLOX_RECONCILE_MINUTES": "5"},
		"ingest":    {"BLOX_EVENTS_DLQ_URL": "x"},
		"reconcile": {"BLOX_RECONCILE_MINUTES": "5"},
	} {
		name, err := nameOf(environment)
		require.NoError(t, err)
		require.Equal(t, want, name)
	}
	_, err := nameOf(map[string]string{"A": "b"})
	require.ErrorContains(t, err, "BLOX_HANDLER")
}

func archive(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range files {
		f, err := w.Create(name)
		require.NoError(t, err)
		_, err = f.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestUnpack(t *testing.T) {
	directory := t.TempDir()
	require.NoError(t, Unpack(archive(t, map[string]string{"bootstrap": "run", "data/a": "b"}), directory))
	info, err := os.Stat(filepath.Join(directory, "bootstrap"))
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&0o100, "it can be run")
	require.FileExists(t, filepath.Join(directory, "data", "a"))

	require.Error(t, Unpack(archive(t, map[string]string{"../outside": "x"}), directory), "no file outside of the folder")
	require.NoFileExists(t, filepath.Join(filepath.Dir(directory), "outside"))
	require.ErrorContains(t, Unpack([]byte("no zip"), directory), "opening the zip")
}

func TestThePoliciesOfARole(t *testing.T) {
	document := func(action string) map[string]any {
		return map[string]any{"Statement": []any{map[string]any{"Effect": "Allow", "Action": action, "Resource": "*"}}}
	}
	template := &Template{Resources: map[string]Resource{
		"Role": {LogicalID: "Role", Type: "AWS::IAM::Role", PhysicalID: "role-1", Properties: map[string]any{
			"Policies": []any{map[string]any{"PolicyDocument": document("sqs:SendMessage")}},
		}},
		"Attached": {LogicalID: "Attached", Type: "AWS::IAM::Policy", PhysicalID: "p1", Properties: map[string]any{
			"PolicyDocument": document("sqs:ReceiveMessage"), "Roles": []any{map[string]any{"Ref": "Role"}},
		}},
		"Other": {LogicalID: "Other", Type: "AWS::IAM::Policy", PhysicalID: "p2", Properties: map[string]any{
			"PolicyDocument": document("sqs:DeleteMessage"), "Roles": []any{"role-2"},
		}},
		"AWSs": {LogicalID: "AWSs", Type: "AWS::IAM::Role", PhysicalID: "role-3", Properties: map[string]any{
			"ManagedPolicyArns": []any{"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"},
		}},
	}}
	documents, err := template.Policies("Role")
	require.NoError(t, err)
	for action, want := range map[string]bool{"sqs:SendMessage": true, "sqs:ReceiveMessage": true, "sqs:DeleteMessage": false} {
		decision, err := policy.Decide(documents, policy.Request{Action: action, Resource: "q"})
		require.NoError(t, err)
		require.Equal(t, want, decision.Allowed, action)
	}
	_, err = template.Policies("AWSs")
	require.ErrorContains(t, err, "AWSLambdaBasicExecutionRole")
	_, err = template.Policies("Attached")
	require.ErrorContains(t, err, "no role")
}

func TestATemplateMayBeYAML(t *testing.T) {
	for _, body := range []string{
		`{"Resources":{"T":{"Type":"AWS::DynamoDB::Table","DeletionPolicy":"Retain","Properties":{"TableName":"x"}}}}`,
		"Resources:\n  T:\n    Type: AWS::DynamoDB::Table\n    DeletionPolicy: Retain\n    Properties:\n      TableName: x\n",
	} {
		template := &Template{Resources: map[string]Resource{}}
		require.NoError(t, template.parse(body))
		require.Equal(t, Resource{LogicalID: "T", Type: "AWS::DynamoDB::Table", Properties: map[string]any{"TableName": "x"}, Retained: true}, template.Resources["T"])
	}
}

func TestQueueNames(t *testing.T) {
	for _, of := range []string{"arn:aws:sqs:us-east-1:123456789012:q.fifo", "http://localhost:1/123456789012/q.fifo", "https://sqs.us-east-1.amazonaws.com/1/q.fifo"} {
		require.Equal(t, "q.fifo", QueueName(of))
	}
}
