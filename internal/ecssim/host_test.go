package ecssim_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/ecssim"
)

func TestRegisteringThroughTheAPI(t *testing.T) {
	w := newWorld(t, ecssim.Config{Delays: exact()})
	out, err := w.ecs.RegisterContainerInstance(w.ctx(), &ecs.RegisterContainerInstanceInput{
		Cluster: aws.String("prod"),
		TotalResources: []types.Resource{
			{Name: aws.String("CPU"), Type: aws.String("INTEGER"), IntegerValue: 4096},
			{Name: aws.String("MEMORY"), Type: aws.String("INTEGER"), IntegerValue: 1000},
			{Name: aws.String("PORTS"), Type: aws.String("STRINGSET"), StringSetValue: []string{"22", "51678"}},
			{Name: aws.String("PORTS_UDP"), Type: aws.String("STRINGSET"), StringSetValue: []string{"53"}},
		},
		VersionInfo: &types.VersionInfo{AgentVersion: aws.String("1.99.0")},
		Attributes:  []types.Attribute{{Name: aws.String("ring"), Value: aws.String("canary")}},
		Tags:        []types.Tag{{Key: aws.String("team"), Value: aws.String("edge")}},
	})
	require.NoError(t, err)
	h := out.ContainerInstance
	require.Regexp(t, "^i-[0-9a-f]{17}$", *h.Ec2InstanceId, "an id is made up")
	require.False(t, h.AgentConnected, "the agent connects after it has registered")
	w.pass(time.Second)
	now := w.host(*h.ContainerInstanceArn)
	require.True(t, now.AgentConnected)
	require.Equal(t, int64(2), now.Version)
	require.Equal(t, "1.99.0", *now.VersionInfo.AgentVersion)
	require.Equal(t, int32(4096), now.RegisteredResources[0].IntegerValue)
	require.Equal(t, int32(1000), now.RemainingResources[1].IntegerValue)
	require.Equal(t, []string{"22", "51678"}, now.RegisteredResources[2].StringSetValue)
	require.Equal(t, []string{"53"}, now.RemainingResources[3].StringSetValue)
	require.Contains(t, now.Attributes, types.Attribute{Name: aws.String("ring"), Value: aws.String("canary")})

	events := w.of(*h.ContainerInstanceArn)
	require.Len(t, events, 2)
	require.Equal(t, "ECS Container Instance State Change", events[0].DetailType)
	require.Equal(t, []bool{false, true}, []bool{events[0].Detail.AgentConnected, events[1].Detail.AgentConnected})

	t.Run("an agent that starts again keeps its ARN", func(t *testing.T) {
		again, err := w.ecs.RegisterContainerInstance(w.ctx(), &ecs.RegisterContainerInstanceInput{
			Cluster: aws.String("prod"), ContainerInstanceArn: h.ContainerInstanceArn, VersionInfo: &types.VersionInfo{AgentVersion: aws.String("1.100.0")},
		})
		require.NoError(t, err)
		require.Equal(t, h.ContainerInstanceArn, again.ContainerInstance.ContainerInstanceArn)
		w.pass(time.Second)
		require.Equal(t, "1.100.0", *w.host(*h.ContainerInstanceArn).VersionInfo.AgentVersion)
	})
	t.Run("a machine's identity document gives id, zone and type", func(t *testing.T) {
		machine, err := w.ecs.RegisterContainerInstance(w.ctx(), &ecs.RegisterContainerInstanceInput{
			Cluster:                  aws.String("prod"),
			InstanceIdentityDocument: aws.String(`{"instanceId":"i-0abc","availabilityZone":"us-east-1f","instanceType":"c8g.large"}`),
		})
		require.NoError(t, err)
		require.Equal(t, "i-0abc", *machine.ContainerInstance.Ec2InstanceId)
		list, err := w.ecs.ListContainerInstances(w.ctx(), &ecs.ListContainerInstancesInput{
			Cluster: aws.String("prod"),
			Filter:  aws.String("attribute:ecs.availability-zone == us-east-1f and attribute:ecs.instance-type == c8g.large"),
		})
		require.NoError(t, err)
		require.Equal(t, []string{*machine.ContainerInstance.ContainerInstanceArn}, list.ContainerInstanceArns)
	})
}

// The same host, spelled for the API and for the bus.
func TestTheTwoSpellingsOfAHost(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	arn := w.hosts(1, ecssim.HostSpec{})[0]
	w.pass(0)
	var envelope struct {
		Detail map[string]any `json:"detail"`
	}
	require.NoError(t, json.Unmarshal(w.of(arn)[0].JSON, &envelope))
	require.Equal(t, "2026-11-20T09:00:00Z", envelope.Detail["registeredAt"])
	require.Equal(t, "arn:aws:ecs:us-east-1:123456789012:cluster/prod", envelope.Detail["clusterArn"])
	require.Equal(t, map[string]any{"name": "CPU", "type": "INTEGER", "integerValue": 2048.0}, envelope.Detail["registeredResources"].([]any)[0])

	_, body := w.sim.Handle(w.now, "AmazonEC2ContainerServiceV20141113.DescribeContainerInstances", []byte(`{"cluster":"prod","containerInstances":["`+arn+`"]}`))
	var answer struct {
		ContainerInstances []map[string]any `json:"containerInstances"`
	}
	require.NoError(t, json.Unmarshal(body, &answer))
	described := answer.ContainerInstances[0]
	require.InDelta(t, epoch.Unix(), described["registeredAt"], 0)
	require.NotContains(t, described, "updatedAt")
	require.NotContains(t, described, "clusterArn")
	require.Equal(t, map[string]any{"name": "CPU", "type": "INTEGER", "integerValue": 2048.0, "longValue": 0.0, "doubleValue": 0.0},
		described["registeredResources"].([]any)[0])
	require.Equal(t, envelope.Detail["version"], described["version"])
}

func TestPlacingATaskIsAnEventOfItsHost(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	arn := w.hosts(1, ecssim.HostSpec{})[0]
	w.define("app", nil)
	task := w.start(run("app", nil))
	w.pass(5 * time.Second)
	require.Len(t, w.of(arn), 2, "joined, task placed; that it runs changes no resource")
	running := w.host(arn)
	require.Equal(t, []int32{1, 0}, []int32{running.RunningTasksCount, running.PendingTasksCount})
	w.stop(task.TaskArn)
	w.pass(5 * time.Second)
	require.Len(t, w.of(arn), 3)
	require.Equal(t, w.host(arn).RegisteredResources, w.host(arn).RemainingResources)
}

func TestDraining(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	hosts := w.hosts(2, ecssim.HostSpec{})
	w.define("app", nil)
	own := w.start(run("app", func(in *ecs.RunTaskInput) {
		in.PlacementConstraints = []types.PlacementConstraint{memberOf("ec2InstanceId == " + *w.host(hosts[0]).Ec2InstanceId)}
	}))
	w.pass(5 * time.Second)
	w.drain(hosts[0], types.ContainerInstanceStatusDraining)
	w.drain(hosts[0], types.ContainerInstanceStatusDraining)
	w.pass(time.Hour)
	require.Equal(t, "RUNNING", *w.task(own.TaskArn).LastStatus, "a task of nobody's service stays")
	require.Len(t, w.of(hosts[0]), 3, "draining twice is one change")
	require.Equal(t, hosts[1], *w.start(run("app", nil)).ContainerInstanceArn, "nothing new is placed there")
	w.drain(hosts[1], types.ContainerInstanceStatusDraining)
	_, err := w.ecs.RunTask(w.ctx(), run("app", nil))
	require.ErrorContains(t, err, "No Container Instances were found in your cluster.")
	w.drain(hosts[0], types.ContainerInstanceStatusActive)
	require.Equal(t, hosts[0], *w.start(run("app", nil)).ContainerInstanceArn)

	out, err := w.ecs.UpdateContainerInstancesState(w.ctx(), &ecs.UpdateContainerInstancesStateInput{
		Cluster:            aws.String("prod"),
		ContainerInstances: []string{"nobody"}, Status: types.ContainerInstanceStatusDraining,
	})
	require.NoError(t, err)
	require.Equal(t, []string{"MISSING"}, reasons(out.Failures))
	_, err = w.ecs.UpdateContainerInstancesState(w.ctx(), &ecs.UpdateContainerInstancesStateInput{
		Cluster:            aws.String("prod"),
		ContainerInstances: slicesRepeat(hosts[0], 11), Status: types.ContainerInstanceStatusDraining,
	})
	require.ErrorContains(t, err, "at most 10 items")
	_, err = w.ecs.UpdateContainerInstancesState(w.ctx(), &ecs.UpdateContainerInstancesStateInput{
		Cluster:            aws.String("prod"),
		ContainerInstances: hosts, Status: types.ContainerInstanceStatusRegistering,
	})
	require.ErrorContains(t, err, "expected ACTIVE or DRAINING")
}

func TestAHostThatIsRemoved(t *testing.T) {
	for name, remove := range map[string]func(w *world, arn string){
		"terminated": func(w *world, arn string) {
			require.NoError(w.t, w.sim.RemoveHost(w.now, "prod", *w.host(arn).Ec2InstanceId))
		},
		"deregistered by force": func(w *world, arn string) {
			_, err := w.ecs.DeregisterContainerInstance(w.ctx(), &ecs.DeregisterContainerInstanceInput{Cluster: aws.String("prod"), ContainerInstance: &arn})
			require.ErrorContains(w.t, err, "Found running tasks on the instance.")
			out, err := w.ecs.DeregisterContainerInstance(w.ctx(), &ecs.DeregisterContainerInstanceInput{Cluster: aws.String("prod"), ContainerInstance: &arn, Force: aws.Bool(true)})
			require.NoError(w.t, err)
			require.Equal(w.t, "INACTIVE", *out.ContainerInstance.Status)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, ecssim.Config{})
			arn := w.hosts(1, ecssim.HostSpec{})[0]
			w.define("app", nil)
			task := w.start(run("app", nil))
			w.pass(5 * time.Second)
			remove(w, arn)
			w.pass(0)
			end := w.task(task.TaskArn)
			require.Equal(t, []string{"STOPPED", "STOPPED"}, []string{*end.LastStatus, *end.DesiredStatus})
			require.NotEmpty(t, *end.StoppedReason)
			gone := w.host(arn)
			require.Equal(t, "INACTIVE", *gone.Status)
			require.False(t, gone.AgentConnected)
			last := w.of(arn)[len(w.of(arn))-1]
			require.Equal(t, "INACTIVE", last.Detail.Status)
			list, err := w.ecs.ListContainerInstances(w.ctx(), &ecs.ListContainerInstancesInput{Cluster: aws.String("prod")})
			require.NoError(t, err)
			require.Empty(t, list.ContainerInstanceArns, "described for an hour, listed no more")
			w.pass(61 * time.Minute)
			out, err := w.ecs.DescribeContainerInstances(w.ctx(), &ecs.DescribeContainerInstancesInput{Cluster: aws.String("prod"), ContainerInstances: []string{arn}})
			require.NoError(t, err)
			require.Equal(t, []string{"MISSING"}, reasons(out.Failures))
			require.Empty(t, w.sim.Snapshot().Hosts)
			require.Error(t, w.sim.RemoveHost(w.now, "prod", arn))
		})
	}
}

func TestAnAgentThatRegistersAnew(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	old := w.hosts(1, ecssim.HostSpec{EC2InstanceID: "i-1"})[0]
	w.define("app", nil)
	task := w.start(run("app", nil))
	w.pass(5 * time.Second)
	arn, err := w.sim.ReregisterAgent(w.now, "prod", "i-1")
	require.NoError(t, err)
	require.NotEqual(t, old, arn)
	require.Equal(t, "i-1", *w.host(arn).Ec2InstanceId)
	require.False(t, w.host(old).AgentConnected)
	require.True(t, w.host(arn).AgentConnected)
	require.Equal(t, "RUNNING", *w.task(task.TaskArn).LastStatus, "ECS believes in the old task")
	require.Equal(t, arn, *w.start(run("app", nil)).ContainerInstanceArn)

	require.NoError(t, w.sim.DisconnectAgent(w.now, "prod", "i-1"))
	require.False(t, w.host(arn).AgentConnected, "an EC2 instance id means the newest registration")
	require.NoError(t, w.sim.RemoveHost(w.now, "prod", "i-1"))
	require.Equal(t, []string{"INACTIVE", "INACTIVE"}, []string{*w.host(old).Status, *w.host(arn).Status}, "the machine is gone under all its names")
	require.ErrorContains(t, w.sim.DisconnectAgent(w.now, "prod", "i-2"), "cluster prod has no host i-2")
	require.ErrorContains(t, w.sim.ReconnectAgent(w.now, "none", "i-1"), "Cluster not found")
}

func TestAttributesMoveWithoutEventsAndVersions(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	hosts := w.hosts(2, ecssim.HostSpec{})
	w.pass(0)
	put := func(name, value, target string) error {
		_, err := w.ecs.PutAttributes(w.ctx(), &ecs.PutAttributesInput{
			Cluster:    aws.String("prod"),
			Attributes: []types.Attribute{{Name: &name, Value: &value, TargetId: &target, TargetType: types.TargetTypeContainerInstance}},
		})
		return err
	}
	require.NoError(t, put("ring", "canary", hosts[0]))
	require.NoError(t, put("ring", "prod", hosts[1][len(hosts[1])-32:]))
	require.ErrorContains(t, put("ring", "x", "nobody"), "TargetNotFoundException")
	require.ErrorContains(t, put("ri ng", "x", hosts[0]), "attribute name")
	require.ErrorContains(t, put("ring", " x", hosts[0]), "value")

	list := func(in *ecs.ListAttributesInput) []string {
		in.Cluster, in.TargetType = aws.String("prod"), types.TargetTypeContainerInstance
		out, err := w.ecs.ListAttributes(w.ctx(), in)
		require.NoError(t, err)
		var found []string
		for _, a := range out.Attributes {
			found = append(found, *a.TargetId+" "+aws.ToString(a.Value))
		}
		return found
	}
	require.ElementsMatch(t, []string{hosts[0] + " canary", hosts[1] + " prod"}, list(&ecs.ListAttributesInput{AttributeName: aws.String("ring")}))
	require.Equal(t, []string{hosts[0] + " canary"}, list(&ecs.ListAttributesInput{AttributeName: aws.String("ring"), AttributeValue: aws.String("canary")}))

	_, err := w.ecs.DeleteAttributes(w.ctx(), &ecs.DeleteAttributesInput{
		Cluster:    aws.String("prod"),
		Attributes: []types.Attribute{{Name: aws.String("ring"), TargetId: &hosts[0]}},
	})
	require.NoError(t, err)
	require.Len(t, list(&ecs.ListAttributesInput{AttributeName: aws.String("ring")}), 1)
	for i := range 10 {
		require.NoError(t, put("a"+id(i), "", hosts[0]))
	}
	require.ErrorContains(t, put("eleventh", "", hosts[0]), "AttributeLimitExceededException")

	before := w.sim.Snapshot().Hosts[1]
	require.NoError(t, put("ring", "later", hosts[1]))
	require.Equal(t, "prod", before.Attributes["ring"], "a snapshot stays as it was")
	require.Equal(t, "later", w.sim.Snapshot().Hosts[1].Attributes["ring"])

	w.pass(time.Minute)
	require.Equal(t, int64(1), w.host(hosts[0]).Version)
	require.Len(t, w.of(hosts[0]), 1)
}

func TestTagsMoveWithoutEventsAndVersions(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	host := w.hosts(1, ecssim.HostSpec{})[0]
	definition := w.define("app", nil)
	task := w.start(run("app", nil))
	for _, arn := range []string{host, definition, *task.TaskArn, "arn:aws:ecs:us-east-1:123456789012:cluster/prod"} {
		_, err := w.ecs.TagResource(w.ctx(), &ecs.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}}})
		require.NoError(t, err, arn)
		_, err = w.ecs.UntagResource(w.ctx(), &ecs.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"a"}})
		require.NoError(t, err)
		out, err := w.ecs.ListTagsForResource(w.ctx(), &ecs.ListTagsForResourceInput{ResourceArn: &arn})
		require.NoError(t, err)
		require.Equal(t, []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}}, out.Tags)
	}
	tagged, err := w.ecs.DescribeTasks(w.ctx(), &ecs.DescribeTasksInput{Cluster: aws.String("prod"), Tasks: []string{*task.TaskArn}, Include: []types.TaskField{types.TaskFieldTags}})
	require.NoError(t, err)
	require.Len(t, tagged.Tasks[0].Tags, 1)
	require.Equal(t, int64(1), tagged.Tasks[0].Version)
	for _, bad := range []string{"arn:aws:ecs:us-east-1:123456789012:task/prod/none", "arn:aws:s3:::bucket", "x"} {
		_, err := w.ecs.ListTagsForResource(w.ctx(), &ecs.ListTagsForResourceInput{ResourceArn: &bad})
		require.ErrorContains(t, err, "InvalidParameterException", bad)
	}
}

func TestAddedHostsHaveTheirTagsUnderEveryName(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	old := w.hosts(1, ecssim.HostSpec{EC2InstanceID: "i-1", Tags: map[string]string{"b": "2", "a": "1"}})[0]
	anew, err := w.sim.ReregisterAgent(w.now, "prod", "i-1")
	require.NoError(t, err)
	for _, arn := range []string{old, anew} {
		out, err := w.ecs.ListTagsForResource(w.ctx(), &ecs.ListTagsForResourceInput{ResourceArn: &arn})
		require.NoError(t, err)
		require.Equal(t, []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}}, out.Tags)
	}
}
