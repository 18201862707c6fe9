package ecssim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/ecssim"
)

func withToken(token string) func(*ecs.RunTaskInput) {
	return func(in *ecs.RunTaskInput) { in.ClientToken = &token }
}

func TestClientTokens(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.hosts(3, ecssim.HostSpec{})
	w.define("app", nil)
	first := w.start(run("app", withToken("t1")))

	t.Run("the same request gets the same task, as it is now", func(t *testing.T) {
		w.pass(5 * time.Second)
		again := w.start(run("app", withToken("t1")))
		require.Equal(t, first.TaskArn, again.TaskArn)
		require.Equal(t, "RUNNING", *again.LastStatus)
		require.Len(t, w.listTasks(nil), 1)
	})
	t.Run("the cluster's ARN is the same cluster", func(t *testing.T) {
		again := w.start(run("app", func(in *ecs.RunTaskInput) {
			withToken("t1")(in)
			in.Cluster = aws.String("arn:aws:ecs:us-east-1:123456789012:cluster/prod")
		}))
		require.Equal(t, first.TaskArn, again.TaskArn)
	})
	t.Run("any other parameter is a conflict that names the task", func(t *testing.T) {
		for _, change := range []func(*ecs.RunTaskInput){
			func(in *ecs.RunTaskInput) { in.StartedBy = aws.String("x") },
			func(in *ecs.RunTaskInput) { in.Count = aws.Int32(2) },
			func(in *ecs.RunTaskInput) {
				in.Tags = []types.Tag{{Key: aws.String("at"), Value: aws.String("09:00")}}
			},
		} {
			_, err := w.ecs.RunTask(w.ctx(), run("app", func(in *ecs.RunTaskInput) { withToken("t1")(in); change(in) }))
			var conflict *types.ConflictException
			require.ErrorAs(t, err, &conflict)
			require.Equal(t, []string{*first.TaskArn}, conflict.ResourceIds)
		}
	})
	t.Run("after the stop it is the old, stopped task", func(t *testing.T) {
		w.stop(first.TaskArn)
		w.pass(10 * time.Second)
		again := w.start(run("app", withToken("t1")))
		require.Equal(t, first.TaskArn, again.TaskArn)
		require.Equal(t, "STOPPED", *again.LastStatus)
		require.Empty(t, w.listTasks(nil))
	})
	t.Run("another cluster knows nothing of it", func(t *testing.T) {
		w.sim.AddHost(w.now, "other", ecssim.HostSpec{})
		other := w.start(run("app", func(in *ecs.RunTaskInput) { withToken("t1")(in); in.Cluster = aws.String("other") }))
		require.NotEqual(t, first.TaskArn, other.TaskArn)
	})
	t.Run("once the task is forgotten, the token is free", func(t *testing.T) {
		w.pass(2 * time.Hour)
		require.NotEqual(t, first.TaskArn, w.start(run("app", withToken("t1"))).TaskArn)
	})
	t.Run("a day later it is free, though the task lives", func(t *testing.T) {
		long := w.start(run("app", withToken("t2")))
		w.pass(24*time.Hour - time.Second)
		require.Equal(t, long.TaskArn, w.start(run("app", withToken("t2"))).TaskArn)
		w.pass(time.Second)
		require.NotEqual(t, long.TaskArn, w.start(run("app", withToken("t2"))).TaskArn)
	})
	t.Run("a call that placed nothing leaves the token unused", func(t *testing.T) {
		w.define("huge", func(in *ecs.RegisterTaskDefinitionInput) { in.ContainerDefinitions[0].Memory = aws.Int32(9000) })
		out, err := w.ecs.RunTask(w.ctx(), run("huge", withToken("t3")))
		require.NoError(t, err)
		require.Empty(t, out.Tasks)
		w.hosts(1, ecssim.HostSpec{Memory: 16000})
		w.start(run("huge", withToken("t3")))
	})
}

func TestATokenWhoseAnswerWasLostStartsNothingTwice(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.hosts(1, ecssim.HostSpec{})
	w.define("app", nil)
	w.sim.Faults().SetAnswers(ecssim.AnswerFaults{Lost: 1, Actions: []string{"RunTask"}})
	for range 10 {
		_, err := w.ecs.RunTask(w.ctx(), run("app", withToken("once")))
		require.Error(t, err)
	}
	w.sim.Faults().Clear()
	task := w.start(run("app", withToken("once")))
	require.Equal(t, []string{*task.TaskArn}, w.listTasks(nil))
}

// distinctInstance counts tasks of the group whose desired status is RUNNING.
func TestDistinctInstance(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.hosts(3, ecssim.HostSpec{})
	w.define("app", nil)
	in := func(group string, count int32) *ecs.RunTaskInput {
		return run("app", func(in *ecs.RunTaskInput) {
			in.Group, in.Count, in.PlacementConstraints = &group, &count, []types.PlacementConstraint{distinct}
		})
	}
	out, err := w.ecs.RunTask(w.ctx(), in("g", 5))
	require.NoError(t, err)
	require.Len(t, out.Tasks, 3, "a count that only fits in part is started in part")
	const full = "DistinctInstance placement constraint unsatisfied."
	require.Equal(t, []string{full, full, full}, reasons(out.Failures), "each host with its reason")
	hosts := map[string]bool{}
	for _, task := range out.Tasks {
		hosts[*task.ContainerInstanceArn] = true
	}
	require.Len(t, hosts, 3)

	other, err := w.ecs.RunTask(w.ctx(), in("other", 1))
	require.NoError(t, err)
	require.Len(t, other.Tasks, 1, "another group has hosts of its own")

	stopping := out.Tasks[0]
	w.pass(5 * time.Second)
	w.stop(stopping.TaskArn)
	again := w.start(in("g", 1))
	require.Equal(t, stopping.ContainerInstanceArn, again.ContainerInstanceArn, "a stopping task is in nobody's way, though it is still there")
	require.Equal(t, "RUNNING", *w.task(stopping.TaskArn).LastStatus)
}

func TestPortsAndMemoryAreHeldUntilStopped(t *testing.T) {
	w := newWorld(t, ecssim.Config{Delays: exact()})
	host := w.hosts(1, ecssim.HostSpec{Memory: 200})[0]
	port := func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80), HostPort: aws.Int32(80)}}
		in.ContainerDefinitions[0].Memory = aws.Int32(60)
	}
	w.define("port", port)
	w.define("heavy", nil) // 128 MiB
	first := w.start(run("port", nil))
	heavy := w.start(run("heavy", nil))
	w.pass(5 * time.Second)
	refused := func(family, reason string) {
		t.Helper()
		out, err := w.ecs.RunTask(w.ctx(), run(family, nil))
		require.NoError(t, err)
		require.Equal(t, []string{reason}, reasons(out.Failures))
		require.Equal(t, host, *out.Failures[0].Arn)
	}
	refused("port", "RESOURCE:MEMORY")
	w.stop(heavy.TaskArn)
	refused("port", "RESOURCE:MEMORY")
	w.pass(5 * time.Second)
	refused("port", "RESOURCE:PORTS")
	require.Contains(t, w.host(host).RemainingResources[2].StringSetValue, "80")
	w.stop(first.TaskArn)
	refused("port", "RESOURCE:PORTS")
	w.pass(490 * time.Millisecond)
	require.Equal(t, "STOPPING", *w.task(first.TaskArn).LastStatus)
	refused("port", "RESOURCE:PORTS")
	w.pass(20 * time.Millisecond)
	require.Equal(t, "STOPPED", *w.task(first.TaskArn).LastStatus)
	require.NotContains(t, w.host(host).RemainingResources[2].StringSetValue, "80")
	w.stop(w.start(run("port", nil)).TaskArn)
	w.pass(5 * time.Second)
	w.start(run("port", nil)) // one that never ran had no bindings to give back, only its claim
}

func TestMemoryReservationIsWhatCounts(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	host := w.hosts(1, ecssim.HostSpec{Memory: 100})[0]
	w.define("app", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].MemoryReservation = aws.Int32(60)
	})
	task := w.start(run("app", nil))
	require.Equal(t, []string{"128", "60"}, []string{*task.Containers[0].Memory, *task.Containers[0].MemoryReservation})
	require.Equal(t, int32(40), w.host(host).RemainingResources[1].IntegerValue)
}

func TestFailuresOfPlacement(t *testing.T) {
	for _, c := range []struct {
		name       string
		host       ecssim.HostSpec
		definition func(*ecs.RegisterTaskDefinitionInput)
		change     func(*ecs.RunTaskInput)
		disconnect bool
		reason     string
	}{
		{name: "CPU", host: ecssim.HostSpec{CPU: 63}, reason: "RESOURCE:CPU"},
		{name: "memory", host: ecssim.HostSpec{Memory: 127}, reason: "RESOURCE:MEMORY"},
		{name: "memory of an override", host: ecssim.HostSpec{}, reason: "RESOURCE:MEMORY", change: func(in *ecs.RunTaskInput) {
			in.Overrides = &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{Name: aws.String("main"), Memory: aws.Int32(9999)}}}
		}},
		{name: "the task's size counts, not its containers'", reason: "RESOURCE:MEMORY", definition: func(in *ecs.RegisterTaskDefinitionInput) { in.Memory = aws.String("9 GB") }},
		{name: "port of the agent", reason: "RESOURCE:PORTS", definition: func(in *ecs.RegisterTaskDefinitionInput) {
			in.NetworkMode = types.NetworkModeHost
			in.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(51678)}}
		}},
		{name: "GPU", reason: "RESOURCE:GPU", definition: func(in *ecs.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions[0].ResourceRequirements = []types.ResourceRequirement{{Type: types.ResourceTypeGpu, Value: aws.String("1")}}
		}},
		{name: "agent", disconnect: true, reason: "AGENT"},
		{name: "attribute", reason: "ATTRIBUTE", definition: func(in *ecs.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions[0].LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverSplunk}
		}},
		{name: "memberOf", reason: "MemberOf placement constraint unsatisfied.", change: func(in *ecs.RunTaskInput) {
			in.PlacementConstraints = []types.PlacementConstraint{memberOf("attribute:ring == canary")}
		}},
		{name: "memberOf of the task definition", reason: "MemberOf placement constraint unsatisfied.", definition: func(in *ecs.RegisterTaskDefinitionInput) {
			in.PlacementConstraints = []types.TaskDefinitionPlacementConstraint{{Type: types.TaskDefinitionPlacementConstraintTypeMemberOf, Expression: aws.String("attribute:ecs.os-type == windows")}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, ecssim.Config{})
			host := w.hosts(1, c.host)[0]
			if c.disconnect {
				require.NoError(t, w.sim.DisconnectAgent(w.now, "prod", host))
			}
			w.define("app", c.definition)
			out, err := w.ecs.RunTask(w.ctx(), run("app", c.change))
			require.NoError(t, err)
			require.Empty(t, out.Tasks)
			require.Equal(t, []string{c.reason}, reasons(out.Failures))
			require.Equal(t, host, *out.Failures[0].Arn)
		})
	}
}

func TestTheClosestHostIsTheFirstFailure(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	for i := range 4 {
		w.hosts(1, ecssim.HostSpec{EC2InstanceID: id(i), Memory: 100 + i})
	}
	w.define("app", nil)
	out, err := w.ecs.RunTask(w.ctx(), run("app", func(in *ecs.RunTaskInput) {
		in.PlacementConstraints = []types.PlacementConstraint{distinct, memberOf("ec2InstanceId == i-2")}
	}))
	require.NoError(t, err)
	no := "MemberOf placement constraint unsatisfied."
	require.Equal(t, []string{"RESOURCE:MEMORY", no, no, no}, reasons(out.Failures))
	require.Equal(t, "i-2", *w.host(*out.Failures[0].Arn).Ec2InstanceId)
}

// The constraints AWS's developer guide gives as examples, on hosts that tell them apart.
func TestDocumentedPlacementConstraints(t *testing.T) {
	for _, c := range []struct {
		constraint string
		hosts      string // where it may run, of the four below
	}{
		{"attribute:ecs.instance-type =~ t2.*", "t2"},
		{"task:group == databases", "db"},
		{"not(task:group == databases)", "t2 g2 stack"},
		{"attribute:ecs.instance-type == g2.2xlarge", "g2"},
		{"attribute:ecs.instance-type =~ g2.* and attribute:ecs.availability-zone != us-east-1d", "g2"},
		{"attribute:ecs.availability-zone in [us-east-1a, us-east-1b]", "g2 db"},
		{"attribute:stack == prod", "stack"},
		{"attribute:stack != prod", ""},
		{"ec2InstanceId in ['i-t2', 'i-db']", "t2 db"},
		{"runningTasksCount == 1", "db"},
		{"agentVersion < 1.14.5", "stack"},
		{"registeredAt < 2018-02-13", ""},
	} {
		t.Run(c.constraint, func(t *testing.T) {
			w := newWorld(t, ecssim.Config{})
			add := func(name, instanceType, zone, version string, more map[string]string) {
				attributes := map[string]string{"ecs.instance-type": instanceType, "ecs.availability-zone": zone}
				for k, v := range more {
					attributes[k] = v
				}
				w.hosts(1, ecssim.HostSpec{EC2InstanceID: "i-" + name, AgentVersion: version, Attributes: attributes})
			}
			add("t2", "t2.micro", "us-east-1d", "1.20.0", nil)
			add("g2", "g2.2xlarge", "us-east-1a", "1.20.0", nil)
			add("db", "m5.large", "us-east-1b", "1.20.0", nil)
			add("stack", "g3.large", "us-east-1d", "1.14.4", map[string]string{"stack": "prod"})
			w.define("app", nil)
			w.start(run("app", func(in *ecs.RunTaskInput) {
				in.Group = aws.String("databases")
				in.PlacementConstraints = []types.PlacementConstraint{memberOf("ec2InstanceId == i-db")}
			}))
			w.pass(5 * time.Second)
			out, err := w.ecs.RunTask(w.ctx(), run("app", func(in *ecs.RunTaskInput) {
				in.Count, in.Group = aws.Int32(10), aws.String("mine")
				in.PlacementConstraints = []types.PlacementConstraint{distinct, memberOf(c.constraint)}
			}))
			require.NoError(t, err)
			var got []string
			for _, task := range out.Tasks {
				got = append(got, strings.TrimPrefix(*w.host(*task.ContainerInstanceArn).Ec2InstanceId, "i-"))
			}
			require.ElementsMatch(t, strings.Fields(c.hosts), got)
		})
	}
}

func TestStrategies(t *testing.T) {
	for _, c := range []struct {
		name     string
		strategy []types.PlacementStrategy
		perHost  string // tasks on the hosts a1 a2 b1 after four
	}{
		{"none spreads over zones", nil, "[1 1 2]"},
		{"spread over zones", []types.PlacementStrategy{{Type: types.PlacementStrategyTypeSpread, Field: aws.String("attribute:ecs.availability-zone")}}, "[1 1 2]"},
		{"spread over hosts", []types.PlacementStrategy{{Type: types.PlacementStrategyTypeSpread, Field: aws.String("instanceId")}}, "[2 1 1]"},
		{"binpack memory", []types.PlacementStrategy{{Type: types.PlacementStrategyTypeBinpack, Field: aws.String("memory")}}, "[0 4 0]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, ecssim.Config{})
			var hosts []string
			for i, zone := range []string{"a", "a", "b"} {
				hosts = append(hosts, w.hosts(1, ecssim.HostSpec{Memory: 4000 - 100*(i%2), Attributes: map[string]string{"ecs.availability-zone": zone}})...)
			}
			w.define("app", nil)
			out, err := w.ecs.RunTask(w.ctx(), run("app", func(in *ecs.RunTaskInput) { in.Count, in.PlacementStrategy = aws.Int32(4), c.strategy }))
			require.NoError(t, err)
			counts := make([]int, 3)
			for _, task := range out.Tasks {
				for i, h := range hosts {
					if h == *task.ContainerInstanceArn {
						counts[i]++
					}
				}
			}
			require.Equal(t, c.perHost, fmt.Sprint(counts))
		})
	}
}

func TestRunTaskRefusesWhatItCannotDo(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	w.define("app", nil)
	_, err := w.ecs.RunTask(w.ctx(), run("app", nil))
	require.ErrorContains(t, err, "InvalidParameterException: No Container Instances were found in your cluster.")
	w.hosts(1, ecssim.HostSpec{})
	for _, c := range []struct {
		says   string
		change func(*ecs.RunTaskInput)
	}{
		{"ClusterNotFoundException: Cluster not found.", func(in *ecs.RunTaskInput) { in.Cluster = aws.String("none") }},
		{"ClientException: TaskDefinition not found.", func(in *ecs.RunTaskInput) { in.TaskDefinition = aws.String("app:2") }},
		{"count is 11, it must be between 1 and 10", func(in *ecs.RunTaskInput) { in.Count = aws.Int32(11) }},
		{"count is 0", func(in *ecs.RunTaskInput) { in.Count = aws.Int32(0) }},
		{"at most 128", func(in *ecs.RunTaskInput) { in.StartedBy = aws.String(strings.Repeat("x", 129)) }},
		{"at most 255", func(in *ecs.RunTaskInput) { in.Group = aws.String(strings.Repeat("x", 256)) }},
		{"clientToken", withToken(strings.Repeat("x", 65))},
		{"line 1 column 5: \"=\" cannot be read", func(in *ecs.RunTaskInput) {
			in.PlacementConstraints = []types.PlacementConstraint{memberOf("abc =")}
		}},
		{"at most 2000", func(in *ecs.RunTaskInput) {
			in.PlacementConstraints = []types.PlacementConstraint{memberOf("attribute:a == " + strings.Repeat("x", 2000))}
		}},
		{"at most 10 are allowed", func(in *ecs.RunTaskInput) {
			in.PlacementConstraints = slicesRepeat(memberOf("attribute:a exists"), 11)
		}},
		{`launchType "FARGATE" is not simulated, expected EC2 or EXTERNAL`, func(in *ecs.RunTaskInput) { in.LaunchType = types.LaunchTypeFargate }},
		{"Override for container named side is not a container in the TaskDefinition.", func(in *ecs.RunTaskInput) {
			in.Overrides = &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{Name: aws.String("side")}}}
		}},
		{"overrides: ", func(in *ecs.RunTaskInput) {
			in.Overrides = &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{Name: aws.String("main"), Command: []string{strings.Repeat("x", 8192)}}}}
		}},
		{"placementStrategy", func(in *ecs.RunTaskInput) {
			in.PlacementStrategy = []types.PlacementStrategy{{Type: types.PlacementStrategyTypeBinpack, Field: aws.String("disk")}}
		}},
		{"No Container Instances", func(in *ecs.RunTaskInput) { in.LaunchType = types.LaunchTypeExternal }},
	} {
		_, err := w.ecs.RunTask(w.ctx(), run("app", c.change))
		require.ErrorContains(t, err, c.says)
	}
	w.define("vpc", func(in *ecs.RegisterTaskDefinitionInput) { in.NetworkMode = types.NetworkModeAwsvpc })
	_, err = w.ecs.RunTask(w.ctx(), run("vpc", nil))
	require.ErrorContains(t, err, "Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	require.Empty(t, w.listTasks(nil))
}

func TestExternalHostsRunExternalTasks(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	external := w.hosts(1, ecssim.HostSpec{External: true})[0]
	w.hosts(1, ecssim.HostSpec{})
	w.define("app", nil)
	task := w.start(run("app", func(in *ecs.RunTaskInput) { in.LaunchType = types.LaunchTypeExternal }))
	require.Equal(t, external, *task.ContainerInstanceArn)
	require.Equal(t, types.LaunchTypeExternal, task.LaunchType)
	require.Regexp(t, "^mi-[0-9a-f]{17}$", *w.host(external).Ec2InstanceId)
	require.NotEqual(t, external, *w.start(run("app", nil)).ContainerInstanceArn)
}

func TestStartTask(t *testing.T) {
	w := newWorld(t, ecssim.Config{})
	hosts := w.hosts(5, ecssim.HostSpec{})
	w.define("app", nil)
	require.NoError(t, w.sim.DisconnectAgent(w.now, "prod", hosts[1]))
	require.NoError(t, w.sim.RemoveHost(w.now, "prod", hosts[2]))
	w.drain(hosts[3], types.ContainerInstanceStatusDraining)
	unknown := strings.Repeat("0", 32)
	out, err := w.ecs.StartTask(w.ctx(), &ecs.StartTaskInput{
		Cluster: aws.String("prod"), TaskDefinition: aws.String("app"),
		ContainerInstances: append(hosts, unknown), StartedBy: aws.String("me"),
	})
	require.NoError(t, err)
	require.Len(t, out.Tasks, 2)
	require.Equal(t, []string{hosts[0], hosts[4]}, []string{*out.Tasks[0].ContainerInstanceArn, *out.Tasks[1].ContainerInstanceArn})
	require.Equal(t, []string{"AGENT", "INACTIVE", "INACTIVE", "MISSING"}, reasons(out.Failures))
	require.Equal(t, "arn:aws:ecs:us-east-1:123456789012:container-instance/prod/"+unknown, *out.Failures[3].Arn)

	_, err = w.ecs.StartTask(w.ctx(), &ecs.StartTaskInput{Cluster: aws.String("prod"), TaskDefinition: aws.String("app"), ContainerInstances: slicesRepeat(hosts[0], 11)})
	require.ErrorContains(t, err, "Container Instances can have at most 10 items, 11 were given.")
	_, err = w.ecs.StartTask(w.ctx(), &ecs.StartTaskInput{Cluster: aws.String("prod"), TaskDefinition: aws.String("app"), ContainerInstances: hosts[:1], StartedBy: aws.String(strings.Repeat("x", 37))})
	require.ErrorContains(t, err, "at most 36")
}

func slicesRepeat[T any](x T, n int) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = x
	}
	return list
}
