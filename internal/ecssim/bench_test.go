package ecssim_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/blox/blox/internal/ecssim"
)

var taskARN = regexp.MustCompile(`arn:aws:ecs:[^"]*:task/[^"]*`)

// One daemon task on one of fifty hosts, from RunTask to STOPPED, with all its events: what a simulation does most.
func BenchmarkDaemonTaskLife(b *testing.B) {
	now := epoch
	sim := ecssim.New(ecssim.Config{}, now)
	for i := range 50 {
		sim.AddHost(now, "c", ecssim.HostSpec{EC2InstanceID: id(i)})
	}
	call := func(action, body string) []byte {
		status, answer := sim.Handle(now, prefix+action, []byte(body))
		if status != 200 {
			b.Fatalf("%s: %d %s", action, status, answer)
		}
		return answer
	}
	call("RegisterTaskDefinition", `{"family":"d","containerDefinitions":[{"name":"m","image":"i","memory":64}]}`)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		answer := call("RunTask", fmt.Sprintf(`{"cluster":"c","taskDefinition":"d","group":"blox:x","clientToken":"%d","placementConstraints":[{"type":"distinctInstance"},{"type":"memberOf","expression":"ec2InstanceId == i-%d"}]}`, n, n%50))
		now = now.Add(2 * time.Second)
		sim.Advance(now)
		call("StopTask", fmt.Sprintf(`{"cluster":"c","task":%q}`, taskARN.Find(answer)))
		now = now.Add(2 * time.Second)
		sim.Advance(now)
		n++
	}
}
