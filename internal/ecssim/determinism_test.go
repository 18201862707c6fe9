package ecssim_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/ecssim"
)

// step is one thing done to a simulator at a time; the same steps can be done to another one.
type step struct {
	after  time.Duration
	action string
	body   string
	host   int
}

var anyStep = rapid.Custom(func(t *rapid.T) step {
	s := step{after: time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond, host: rapid.IntRange(0, 3).Draw(t, "host")}
	task := rapid.IntRange(1, 2).Draw(t, "definition")
	calls := map[string]string{
		"RunTask":                   fmt.Sprintf(`{"cluster":"c","taskDefinition":"app%d","count":%d,"group":"g%d","clientToken":"%d","placementConstraints":[{"type":"distinctInstance"}]}`, task, 1+s.host, s.host%2, s.host),
		"ListTasks":                 `{"cluster":"c"}`,
		"ListContainerInstances":    `{"cluster":"c","filter":"runningTasksCount >= 1 or attribute:ecs.availability-zone =~ .*a"}`,
		"ListAttributes":            `{"cluster":"c","targetType":"container-instance"}`,
		"UpdateService":             fmt.Sprintf(`{"cluster":"c","service":"s","desiredCount":%d,"taskDefinition":"app%d"}`, s.host, task),
		"DescribeServices":          `{"cluster":"c","services":["s"]}`,
		"DescribeTaskDefinition":    `{"taskDefinition":"app1"}`,
		"RegisterContainerInstance": `{"cluster":"c","attributes":[{"name":"ring","value":"a"},{"name":"zone","value":"b"}],"tags":[]}`,
		"+add":                      "", "+remove": "", "+disconnect": "", "+reconnect": "", "+reregister": "", "+stop": "", "+drain": "",
	}
	s.action = rapid.SampledFrom([]string{
		"RunTask", "RunTask", "ListTasks", "ListContainerInstances", "ListAttributes", "UpdateService",
		"DescribeServices", "DescribeTaskDefinition", "RegisterContainerInstance", "+add", "+remove", "+disconnect", "+reconnect",
		"+reregister", "+stop", "+stop", "+drain",
	}).Draw(t, "action")
	s.body = calls[s.action]
	return s
})

// play does the steps and returns everything the simulator said.
func play(seed uint64, steps []step) []byte {
	var said bytes.Buffer
	now := epoch
	sim := ecssim.New(ecssim.Config{Seed: seed}, now)
	call := func(action, body string) {
		status, answer := sim.Handle(now, "AmazonEC2ContainerServiceV20141113."+action, []byte(body))
		fmt.Fprintf(&said, "%s %d %s\n", action, status, answer)
	}
	sim.Faults().SetEvents(ecssim.EventFaults{Drop: 0.1, Duplicate: 0.1, Delay: 0.1, Reorder: 0.1})
	sim.Faults().SetAnswers(ecssim.AnswerFaults{Lost: 0.1})
	sim.Faults().SetImage("app2", ecssim.ImageFault{CrashAfter: 2 * time.Second, ExitCode: 1})
	sim.AddHost(now, "c", ecssim.HostSpec{})
	for i := 1; i <= 2; i++ {
		call("RegisterTaskDefinition", fmt.Sprintf(`{"family":"app%d","containerDefinitions":[{"name":"m","image":"app%d","memory":64,"dockerLabels":{"b":"1","a":"2"},"portMappings":[{"containerPort":80}]}]}`, i, i))
	}
	call("CreateService", `{"cluster":"c","serviceName":"s","taskDefinition":"app1","desiredCount":2}`)
	for _, s := range steps {
		now = now.Add(s.after)
		for _, e := range sim.Advance(now) {
			fmt.Fprintf(&said, "event %s %s\n", e.At, e.JSON)
		}
		world := sim.Snapshot()
		switch s.action {
		case "+add":
			sim.AddHost(now, "c", ecssim.HostSpec{External: s.host == 3})
			continue
		case "+stop":
			if len(world.Tasks) > 0 {
				call("StopTask", fmt.Sprintf(`{"cluster":"c","task":%q}`, world.Tasks[s.host%len(world.Tasks)].ARN))
			}
			continue
		}
		if s.action[0] != '+' {
			call(s.action, s.body)
			continue
		}
		if len(world.Hosts) == 0 {
			continue
		}
		host := world.Hosts[s.host%len(world.Hosts)].ARN
		var err error
		switch s.action {
		case "+remove":
			err = sim.RemoveHost(now, "c", host)
		case "+disconnect":
			err = sim.DisconnectAgent(now, "c", host)
		case "+reconnect":
			err = sim.ReconnectAgent(now, "c", host)
		case "+reregister":
			_, err = sim.ReregisterAgent(now, "c", host)
		case "+drain":
			call("UpdateContainerInstancesState", fmt.Sprintf(`{"cluster":"c","containerInstances":[%q],"status":"DRAINING"}`, host))
		}
		fmt.Fprintf(&said, "%s %v\n", s.action, err)
	}
	for _, e := range sim.Advance(now.Add(2 * time.Minute)) {
		fmt.Fprintf(&said, "event %s %s\n", e.At, e.JSON)
	}
	fmt.Fprintf(&said, "%+v", sim.Snapshot())
	return said.Bytes()
}

func TestTheSameSeedAndCallsSayTheSameBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		steps := rapid.SliceOfN(anyStep, 1, 40).Draw(t, "steps")
		first, second := play(seed, steps), play(seed, steps)
		if !bytes.Equal(first, second) {
			t.Fatalf("two runs differ:\n%s\n---\n%s", first, second)
		}
	})
	require.NotEqual(t, play(1, nil), play(2, nil))
}

// Whatever happens, the books balance: what a host has left is what it has less what its tasks hold, and its counts are
// those of its tasks.
func TestTheBooksOfEveryHostBalance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := epoch
		sim := ecssim.New(ecssim.Config{Seed: rapid.Uint64().Draw(t, "seed")}, now)
		call := func(action, body string) {
			sim.Handle(now, "AmazonEC2ContainerServiceV20141113."+action, []byte(body))
		}
		sim.AddHost(now, "c", ecssim.HostSpec{})
		for i := 1; i <= 2; i++ {
			call("RegisterTaskDefinition", fmt.Sprintf(`{"family":"app%d","containerDefinitions":[{"name":"m","image":"app%d","cpu":100,"memory":1000}]}`, i, i))
		}
		for _, s := range rapid.SliceOfN(anyStep, 1, 60).Draw(t, "steps") {
			now = now.Add(s.after)
			sim.Advance(now)
			world := sim.Snapshot()
			host := ""
			if len(world.Hosts) > 0 {
				host = world.Hosts[s.host%len(world.Hosts)].ARN
			}
			switch {
			case s.action == "+add" || host == "":
				sim.AddHost(now, "c", ecssim.HostSpec{})
			case s.action == "+remove":
				_ = sim.RemoveHost(now, "c", host) // may be gone already
			case s.action == "+disconnect":
				_ = sim.DisconnectAgent(now, "c", host)
			case s.action == "+reconnect":
				_ = sim.ReconnectAgent(now, "c", host)
			case s.action == "+stop" && len(world.Tasks) > 0:
				call("StopTask", fmt.Sprintf(`{"cluster":"c","task":%q}`, world.Tasks[s.host%len(world.Tasks)].ARN))
			case s.action[0] != '+':
				call(s.action, s.body)
			}
			checkBooks(t, sim.Snapshot())
		}
	})
}

func checkBooks(t *rapid.T, world ecssim.World) {
	for _, h := range world.Hosts {
		held, running, pending := 0, 0, 0
		groups := map[string]int{}
		for _, task := range world.Tasks {
			if task.ContainerInstanceARN != h.ARN || task.LastStatus == "STOPPED" {
				continue
			}
			held++
			if task.DesiredStatus == "RUNNING" {
				groups[task.Group]++
			}
			switch task.LastStatus {
			case "RUNNING":
				running++
			case "PENDING", "PROVISIONING":
				pending++
			}
		}
		if h.Memory-1000*held != h.RemainingMemory || h.CPU-100*held != h.RemainingCPU || h.RemainingMemory < 0 {
			t.Fatalf("%d tasks on a host with %d of %d CPU and %d of %d memory left", held, h.RemainingCPU, h.CPU, h.RemainingMemory, h.Memory)
		}
		if running != h.RunningTasksCount || pending != h.PendingTasksCount {
			t.Fatalf("counts %d and %d, tasks %d and %d", h.RunningTasksCount, h.PendingTasksCount, running, pending)
		}
		for group, n := range groups {
			if n > 1 {
				t.Fatalf("%d tasks of group %s on one host, under distinctInstance", n, group)
			}
		}
		if h.Status == "INACTIVE" && held > 0 {
			t.Fatalf("%d tasks on an INACTIVE host", held)
		}
	}
}
