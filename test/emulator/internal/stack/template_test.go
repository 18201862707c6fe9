package stack

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func template() *Template {
	return &Template{
		Partition: "aws", Account: "123456789012", Region: "us-east-1", StackName: "Blox-blox",
		Resources: map[string]Resource{
			"Queue": {LogicalID: "Queue", Type: "AWS::SQS::Queue", PhysicalID: "http://localhost:1/123456789012/blox-events"},
			"Table": {LogicalID: "Table", Type: "AWS::DynamoDB::Table", PhysicalID: "blox-state"},
			"Role":  {LogicalID: "Role", Type: "AWS::IAM::Role", PhysicalID: "blox-role"},
			"Lost":  {LogicalID: "Lost", Type: "AWS::Scheduler::Schedule"},
			"Stage": {LogicalID: "Stage", Type: "AWS::ApiGateway::Stage", Properties: map[string]any{"StageName": "blox"}},
		},
		Attributes: map[string]string{"Table.StreamArn": "arn:stream"},
		Parameters: map[string]string{"Days": "7"},
		Conditions: map[string]bool{"Yes": true},
	}
}

func TestResolve(t *testing.T) {
	for in, want := range map[string]string{
		`"text"`:                               `"text"`,
		`{"a":[1,{"Ref":"Table"}]}`:            `{"a":[1,"blox-state"]}`,
		`{"Ref":"Days"}`:                       `"7"`,
		`{"Ref":"Stage"}`:                      `"blox"`,
		`{"Fn::GetAtt":["Queue","Arn"]}`:       `"arn:aws:sqs:us-east-1:123456789012:blox-events"`,
		`{"Fn::GetAtt":"Queue.QueueName"}`:     `"blox-events"`,
		`{"Fn::GetAtt":["Role","Arn"]}`:        `"arn:aws:iam::123456789012:role/blox-role"`,
		`{"Fn::GetAtt":["Table","StreamArn"]}`: `"arn:stream"`,
		`{"Fn::Join":["/",[{"Fn::GetAtt":["Table","Arn"]},"index","*"]]}`:      `"arn:aws:dynamodb:us-east-1:123456789012:table/blox-state/index/*"`,
		`{"Fn::Sub":"${AWS::Region}-${Table}-${Queue.QueueName}-${!Literal}"}`: `"us-east-1-blox-state-blox-events-${Literal}"`,
		`{"Fn::Sub":["${x}",{"x":{"Ref":"Table"}}]}`:                           `"blox-state"`,
		`{"Fn::Select":[1,{"Fn::Split":["-",{"Ref":"AWS::Region"}]}]}`:         `"east"`,
		`{"Fn::If":["Yes",1,2]}`:                                               `1`,
		`{"a":{"Ref":"AWS::NoValue"},"b":[{"Ref":"AWS::NoValue"}]}`:            `{"b":null}`,
	} {
		var value any
		require.NoError(t, json.Unmarshal([]byte(in), &value))
		got, err := template().Resolve(value)
		require.NoError(t, err, in)
		out, err := json.Marshal(got)
		require.NoError(t, err)
		require.JSONEq(t, want, string(out), in)
	}
}

func TestWhatCannotBeResolvedIsNamed(t *testing.T) {
	for in, want := range map[string]string{
		`{"Ref":"Nobody"}`:                    "Nobody",
		`{"Ref":"Lost"}`:                      "did not create",
		`{"Fn::GetAtt":["Table","Shoe"]}`:     "Shoe",
		`{"Fn::ImportValue":"x"}`:             "Fn::ImportValue",
		`{"Fn::If":["No",1,2]}`:               `"No"`,
		`{"a":{"b":{"Fn::Sub":"${Nobody}"}}}`: "a: b: ",
		`{"Fn::Select":[2,["a"]]}`:            "Fn::Select",
	} {
		var value any
		require.NoError(t, json.Unmarshal([]byte(in), &value))
		_, err := template().Resolve(value)
		require.ErrorContains(t, err, want, in)
	}
}
