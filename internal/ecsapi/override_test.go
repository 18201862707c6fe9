package ecsapi

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"
)

func TestTaskOverrideIsReadInTheWordsOfTheAPI(t *testing.T) {
	override, err := TaskOverride(json.RawMessage(`{
		"cpu": "256", "taskRoleArn": "arn:role", "ephemeralStorage": {"sizeInGiB": 30},
		"containerOverrides": [{
			"name": "agent", "command": ["run", "-v"], "memoryReservation": 64,
			"environment": [{"name": "LEVEL", "value": "debug"}],
			"environmentFiles": [{"type": "s3", "value": "arn:file"}],
			"resourceRequirements": [{"type": "GPU", "value": "1"}]
		}]
	}`))
	require.NoError(t, err)
	require.Equal(t, &types.TaskOverride{
		Cpu: aws.String("256"), TaskRoleArn: aws.String("arn:role"), EphemeralStorage: &types.EphemeralStorage{SizeInGiB: 30},
		ContainerOverrides: []types.ContainerOverride{{
			Name: aws.String("agent"), Command: []string{"run", "-v"}, MemoryReservation: aws.Int32(64),
			Environment:          []types.KeyValuePair{{Name: aws.String("LEVEL"), Value: aws.String("debug")}},
			EnvironmentFiles:     []types.EnvironmentFile{{Type: types.EnvironmentFileTypeS3, Value: aws.String("arn:file")}},
			ResourceRequirements: []types.ResourceRequirement{{Type: types.ResourceTypeGpu, Value: aws.String("1")}},
		}},
	}, override)
}

func TestWhatWouldBeLeftOutOfTheRequestIsRefused(t *testing.T) {
	for raw, want := range map[string]string{
		`{"containerOverride": []}`:                   `unknown field "containerOverride"`,
		`{"containerOverrides": [{"comand": ["a"]}]}`: `unknown field "comand"`,
		`{"cpu": 256}`:                                "cannot unmarshal number",
		`{} {}`:                                       "something follows the JSON object",
		`[]`:                                          "cannot unmarshal array",
	} {
		_, err := TaskOverride(json.RawMessage(raw))
		require.ErrorContains(t, err, want, raw)
	}
	for _, raw := range []string{"", "null"} {
		override, err := TaskOverride(json.RawMessage(raw))
		require.NoError(t, err)
		require.Nil(t, override)
	}
}
