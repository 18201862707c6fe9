package httpapi_test

import (
	"net/http"
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
)

const copyIt = `"copyTaskDefinition": true`

func TestACopyOfATaskDefinitionIsMadeOnce(t *testing.T) {
	a := newAPI(t)
	a.definitions()
	a.ecs.tags[taskDefinitionARN("awsvpc:1")] = []types.Tag{
		{Key: aws.String("team"), Value: aws.String("core")},
		{Key: aws.String("aws:cloudformation:stack-name"), Value: aws.String("x")},
		{Key: aws.String("app"), Value: aws.String("logs")},
	}
	env := a.create(body("awsvpc:1", subnets, copyIt))
	require.Equal(t, taskDefinitionARN("blox-n:1"), env.TaskDefinition)
	require.Equal(t, taskDefinitionARN("awsvpc:1"), env.SourceTaskDefinition)
	require.True(t, env.CopyTaskDefinition)
	require.Equal(t, types.NetworkModeAwsvpc, a.ecs.taskDefinitions["blox-n"].NetworkMode)
	require.Equal(t, []types.Tag{{Key: aws.String("app"), Value: aws.String("logs")}, {Key: aws.String("team"), Value: aws.String("core")}},
		a.ecs.tags[env.TaskDefinition], "but for AWS's own, which are not ours to set")

	var again client.Environment
	a.put("n", body("awsvpc:1", subnets, copyIt)).into(&again)
	require.Equal(t, 1, again.Revision)
	require.Equal(t, 1, a.ecs.registered, "the same content is the same copy")

	// Deploying it away and back: the newest copy is another one by then.
	a.define("awsvpc:2", func(task *types.TaskDefinition) {
		task.NetworkMode, task.Memory = types.NetworkModeAwsvpc, aws.String("512")
	})
	for i, source := range []string{"awsvpc:2", "awsvpc:1"} {
		a.put("n", body(source, subnets, copyIt)).into(&again)
		require.Equal(t, i+2, again.Revision)
		require.Equal(t, i+2, a.ecs.registered)
		require.Equal(t, taskDefinitionARN(source), again.SourceTaskDefinition)
	}
	var own client.Environment
	a.put("n", body("awsvpc:1", subnets)).into(&own)
	require.Equal(t, taskDefinitionARN("awsvpc:1"), own.TaskDefinition, "no copy any more")
	require.Empty(t, own.SourceTaskDefinition)
}

func TestACopyThatSomebodyDeregisteredIsMadeAnew(t *testing.T) {
	a := newAPI(t)
	a.definitions()
	a.create(body("plain:1", copyIt))
	gone := a.ecs.taskDefinitions["blox-n"]
	gone.Status = types.TaskDefinitionStatusInactive
	a.ecs.taskDefinitions["blox-n"] = gone
	var again client.Environment
	a.put("n", body("plain:1", copyIt)).into(&again)
	require.Equal(t, taskDefinitionARN("blox-n:2"), again.TaskDefinition)
	require.Equal(t, 2, again.Revision)
}

// What is refused, and what is only asked for, leaves nothing behind in ECS.
func TestNoCopyIsMadeInVain(t *testing.T) {
	a := newAPI(t)
	a.definitions()
	a.create(body("plain:1"))
	a.put("n", body("plain:1", copyIt, `"baseRevision": 7`)).problem(409)
	a.do(http.MethodPost, "/v1/environments", body("plain:1", copyIt)).problem(409)
	a.do(http.MethodPut, "/v1/environments/n?dryRun=true", body("plain:1", copyIt)).object()
	a.put("other", `{"taskDefinition": "plain:1", "instanceGroup": {"cluster": "edge"}, `+copyIt+`}`).problem(409)
	require.Zero(t, a.ecs.registered)
}

// Everything that RegisterTaskDefinition takes is copied: a field that the SDK learns must not get lost unnoticed.
func TestEverythingOfATaskDefinitionIsCopied(t *testing.T) {
	notTaken := []string{"InferenceAccelerators"} // ECS has them no more
	described := reflect.TypeFor[types.TaskDefinition]()
	for i := range described.NumField() {
		if _, takes := reflect.TypeFor[ecs.RegisterTaskDefinitionInput]().FieldByName(described.Field(i).Name); !takes {
			notTaken = append(notTaken, described.Field(i).Name)
		}
	}
	a := newAPI(t)
	a.definitions()
	a.define("full:1", func(task *types.TaskDefinition) {
		fill(reflect.ValueOf(task).Elem(), notTaken)
	})
	a.create(body("full:1", copyIt))
	got, want := reflect.ValueOf(a.ecs.taskDefinitions["blox-n"]), reflect.ValueOf(a.ecs.taskDefinitions["full:1"])
	compared := 0
	for i := range described.NumField() {
		name := described.Field(i).Name
		if !described.Field(i).IsExported() || slices.Contains(notTaken, name) || name == "Family" {
			continue
		}
		compared++
		require.False(t, want.Field(i).IsZero(), "%s is tested", name)
		require.Equal(t, want.Field(i).Interface(), got.Field(i).Interface(), name)
	}
	require.Greater(t, compared, 10)
}

// fill sets what is empty, without the named fields, to something that is not.
func fill(task reflect.Value, but []string) {
	for i := range task.NumField() {
		field, kind := task.Field(i), task.Type().Field(i)
		if !kind.IsExported() || slices.Contains(but, kind.Name) || !field.IsZero() || kind.Name == "NetworkMode" {
			continue
		}
		switch field.Kind() {
		case reflect.Pointer:
			field.Set(reflect.New(field.Type().Elem()))
			if field.Elem().Kind() == reflect.String {
				field.Elem().SetString(kind.Name)
			}
		case reflect.Slice:
			field.Set(reflect.MakeSlice(field.Type(), 1, 1))
			if kind.Name == "RequiresCompatibilities" {
				field.Index(0).SetString(string(types.CompatibilityEc2))
			}
		case reflect.String:
			field.SetString(kind.Name)
		}
	}
	task.FieldByName("NetworkMode").SetString(string(types.NetworkModeBridge))
}
