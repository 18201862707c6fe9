package ecsapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

var testCluster = state.ClusterKey{Account: "210987654321", Region: "eu-west-1", Name: "edge"}

// filler sets every field of an SDK struct to a value of its own and remembers
// how each must look in JSON.
type filler struct {
	t    *testing.T
	n    int
	want map[string]string // path in the SDK's struct: text in the JSON
}

func (f *filler) fill(path string, v reflect.Value) {
	f.n++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		at := time.Date(2026, 11, 20, 9, 0, 0, f.n*int(time.Millisecond), time.UTC)
		v.Set(reflect.ValueOf(at))
		f.want[path] = at.Format(time.RFC3339Nano)
	case v.Type() == reflect.TypeFor[types.SharingStrategy]():
		strategy := &types.SharingStrategyMemberNvidiaMps{}
		f.fill(path, reflect.ValueOf(&strategy.Value).Elem())
		v.Set(reflect.ValueOf(strategy))
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(path, v.Elem())
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(path+"[0]", v.Index(0))
		f.fill(path+"[1]", v.Index(1))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				f.fill(path+"."+field.Name, v.Field(i))
			}
		}
	case v.Kind() == reflect.String:
		text := fmt.Sprintf("text-%d-end", f.n)
		v.SetString(text)
		f.want[path] = text
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(int64(1_000_000 + f.n))
		f.want[path] = fmt.Sprint(1_000_000 + f.n)
	case v.CanFloat():
		v.SetFloat(float64(f.n) + 0.5)
		f.want[path] = fmt.Sprint(float64(f.n) + 0.5)
	default:
		f.t.Fatalf("%s has type %s, which this test cannot fill: the SDK has something new", path, v.Type())
	}
}

func filled[T any](t *testing.T, name string) (T, map[string]string) {
	f := filler{t: t, want: map[string]string{}}
	var v T
	f.fill(name, reflect.ValueOf(&v).Elem())
	return v, f.want
}

func requireAllIn(t *testing.T, want map[string]string, detail string) {
	t.Helper()
	for path, text := range want {
		require.Contains(t, detail, text, "%s got lost", path)
	}
}

func TestNoFieldOfADescribedTaskIsLost(t *testing.T) {
	task, want := filled[types.Task](t, "Task")
	require.Greater(t, len(want), 100, "the filler reaches the nested fields")
	detail, err := json.Marshal(TaskOf(task))
	require.NoError(t, err)
	requireAllIn(t, want, string(detail))
	require.Contains(t, string(detail), `"enableExecuteCommand":true`)
}

func TestNoFieldOfADescribedContainerInstanceIsLost(t *testing.T) {
	instance, want := filled[types.ContainerInstance](t, "ContainerInstance")
	require.Greater(t, len(want), 50, "the filler reaches the nested fields")
	detail, err := json.Marshal(ContainerInstanceOf(instance, testCluster))
	require.NoError(t, err)
	requireAllIn(t, want, string(detail))
	require.Contains(t, string(detail), `"agentConnected":true`)
	require.Contains(t, string(detail), `"clusterArn":"arn:aws:ecs:eu-west-1:210987654321:cluster/edge"`)
}

// The names are those of events; every field an answer has is one that the
// stored types read back.
func TestDetailsReadBackAsTheyWere(t *testing.T) {
	task, _ := filled[types.Task](t, "Task")
	detail, err := json.Marshal(TaskOf(task))
	require.NoError(t, err)
	decoded, err := state.DecodeTask(detail)
	require.NoError(t, err)
	require.Equal(t, TaskOf(task), decoded)

	instance, _ := filled[types.ContainerInstance](t, "ContainerInstance")
	detail, err = json.Marshal(ContainerInstanceOf(instance, testCluster))
	require.NoError(t, err)
	decodedInstance, err := state.DecodeContainerInstance(detail)
	require.NoError(t, err)
	require.Equal(t, ContainerInstanceOf(instance, testCluster), decodedInstance)
}

func TestResourcesHaveTheValueTheirTypeNames(t *testing.T) {
	for _, c := range []struct {
		resource types.Resource
		want     string
	}{
		{types.Resource{Name: aws.String("CPU"), Type: aws.String("INTEGER")}, `{"name":"CPU","type":"INTEGER","integerValue":0}`},
		{types.Resource{Name: aws.String("CPU"), Type: aws.String("INTEGER"), IntegerValue: 7}, `{"name":"CPU","type":"INTEGER","integerValue":7}`},
		{types.Resource{Name: aws.String("DISK"), Type: aws.String("LONG"), LongValue: 1 << 40}, `{"name":"DISK","type":"LONG","longValue":1099511627776}`},
		{types.Resource{Name: aws.String("LOAD"), Type: aws.String("DOUBLE"), DoubleValue: 0.5}, `{"name":"LOAD","type":"DOUBLE","doubleValue":0.5}`},
		{types.Resource{Name: aws.String("PORTS"), Type: aws.String("STRINGSET"), StringSetValue: []string{"22"}}, `{"name":"PORTS","type":"STRINGSET","stringSetValue":["22"]}`},
		{types.Resource{Name: aws.String("PORTS"), Type: aws.String("STRINGSET"), StringSetValue: []string{}}, `{"name":"PORTS","type":"STRINGSET","stringSetValue":[]}`},
	} {
		got, err := json.Marshal(resource(c.resource))
		require.NoError(t, err)
		require.JSONEq(t, c.want, string(got))
	}
}

// ECS names the same attachment differently in events and in the API.
func TestAttachmentsHaveTheEventsType(t *testing.T) {
	require.Equal(t, "eni", attachment(types.Attachment{Type: aws.String("ElasticNetworkInterface")}).Type)
	require.Equal(t, "AmazonElasticBlockStorage", attachment(types.Attachment{Type: aws.String("AmazonElasticBlockStorage")}).Type)
}

func TestObserveKeepsTextAsECSWroteIt(t *testing.T) {
	task := state.Task{StoppedReason: "a < b && c > d"}
	seen, err := observe(state.KindTask, testCluster.ARN(""), "arn:aws:ecs:eu-west-1:210987654321:task/edge/1", 3, task, time.Time{})
	require.NoError(t, err)
	require.Contains(t, string(seen.Detail), "a < b && c > d")
	require.False(t, strings.HasSuffix(string(seen.Detail), "\n"))
}

func TestObserveRefusesWhatCannotBeOrdered(t *testing.T) {
	_, err := observe(state.KindTask, testCluster.ARN(""), "arn:aws:ecs:eu-west-1:210987654321:task/edge/1", 0, state.Task{}, time.Time{})
	require.ErrorContains(t, err, "allowed are 1 and above")
	_, err = observe(state.KindTask, testCluster.ARN(""), "arn:aws:ecs:eu-west-1:210987654321:task/other/1", 1, state.Task{}, time.Time{})
	require.ErrorContains(t, err, "does not belong to cluster")
}
