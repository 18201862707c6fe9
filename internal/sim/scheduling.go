package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/blox/blox/client"
)

// scheduling is what the environments of a seed make use of. What bounds how many daemons may be down is the same for all
// revisions of a seed: a driver that was paused may act by the one that it has read.
type scheduling struct {
	methods                  []string
	maxUnavailable, maxSurge client.Amount
	hostDeadlineSeconds      int

	canary, bake, progressDeadline, breaker, alarms bool
	readiness, release, selector, priorities        bool
	sickness, deregister, migrate, verbs, freeze    bool
}

func newScheduling(r *rand.Rand) scheduling {
	with := func(share float64) bool { return r.Float64() < share }
	s := scheduling{
		methods: [][]string{
			{client.MethodTerminateThenReplace},
			{client.MethodTerminateThenReplace, client.MethodOnDelete},
			{client.MethodReplaceThenTerminate},
			{client.MethodReplaceThenTerminate, client.MethodTerminateThenReplace, client.MethodOnDelete},
		}[[]int{0, 0, 0, 1, 2, 3, 3}[r.IntN(7)]],
		hostDeadlineSeconds: []int{0, 0, 60, 120, 300}[r.IntN(5)],
		canary:              with(0.35), bake: with(0.3), progressDeadline: with(0.25), breaker: with(0.5), alarms: with(0.25),
		readiness: with(0.3), release: with(0.25), selector: with(0.3), priorities: with(0.4), sickness: with(0.3),
		deregister: with(0.15), migrate: with(0.15), verbs: with(0.55), freeze: with(0.3),
	}
	if with(0.3) {
		s.maxUnavailable = []client.Amount{"0", "1", "2", "3", "10%", "40%", "100%"}[r.IntN(7)]
	}
	if with(0.5) {
		s.maxSurge = []client.Amount{"1", "2", "10%", "50%", "100%"}[r.IntN(5)]
	}
	return s
}

// portless says that two daemons fit on a host: a surge is refused where they would want the same port.
func (s scheduling) portless() bool {
	return slices.Contains(s.methods, client.MethodReplaceThenTerminate)
}

// onlySurges says that there is always a new daemon before the old one goes, so that none need ever be down.
func (s scheduling) onlySurges() bool {
	return len(s.methods) == 1 && s.methods[0] == client.MethodReplaceThenTerminate
}

// The attributes of hosts that the simulation knows.
const (
	ringAttribute     = "ring"
	handoverAttribute = "blox.handover"
	watchedAlarm      = "errors"
	// legacy is the family and the DAEMON service that an environment takes over from.
	legacy = "legacy"
)

var rings = []string{"a", "b", "c"}

// readinessOf is the attribute that an environment sets. It is renamed now and then.
func readinessOf(name string, renamed bool) string {
	if renamed {
		return "blox." + name + ".v2"
	}
	return "blox." + name
}

// definition draws what an environment is to be.
func (w *world) definition(name string, revision int) client.EnvironmentDefinition {
	r, s := w.rolling, w.s
	with := func(featured bool, share float64) bool { return r.Float64() < share && featured }
	d := client.EnvironmentDefinition{
		Name: name, InstanceGroup: &client.InstanceGroup{Cluster: cluster}, LaunchType: "EC2",
		TaskDefinition:   fmt.Sprintf("%s:%d", name, revision),
		ReleaseIdleHosts: with(s.release, 0.8), DeploymentConfiguration: w.configuration(),
	}
	if with(s.readiness, 0.85) {
		d.ReadinessAttribute = readinessOf(name, r.IntN(5) == 0)
	}
	if with(s.selector, 0.7) {
		d.InstanceGroup.Expression = []string{
			"attribute:ring in [a, b]", "not(attribute:ring == c)", "attribute:ring != a", "attribute:ring exists",
		}[r.IntN(4)]
	}
	if hosts := w.registered(); with(s.selector, 0.4) && len(hosts) > 0 {
		d.InstanceGroup.Exclude = []string{hosts[r.IntN(len(hosts))].machine}
	}
	if s.priorities {
		d.DrainPriority = r.IntN(3) - 1
	}
	if s.migrate && name == names[0] {
		d.MigrateFrom = legacy
	}
	return d
}

func (w *world) configuration() *client.DeploymentConfiguration {
	r, s := w.rolling, w.s
	with := func(featured bool, share float64) bool { return r.Float64() < share && featured }
	c := &client.DeploymentConfiguration{
		Method: s.methods[r.IntN(len(s.methods))], MinHealthySeconds: &w.p.minHealthySeconds,
		HostDeadlineSeconds: s.hostDeadlineSeconds, MaxUnavailable: s.maxUnavailable,
	}
	if s.maxUnavailable == "" {
		c.MinimumHealthyPercent = &w.p.minimumHealthyPercent
	}
	if c.Method == client.MethodReplaceThenTerminate {
		c.MaxSurge = s.maxSurge
	}
	if with(s.canary, 0.6) && c.Method != client.MethodOnDelete {
		c.Canary = &client.Canary{Hosts: []client.Amount{"1", "2", "20%"}[r.IntN(3)]}
		if r.IntN(4) == 0 {
			c.Canary = &client.Canary{Expression: "attribute:ring == a"}
		}
		if r.IntN(2) == 0 {
			c.Canary.PromoteAfterSeconds = 10 + r.IntN(60)
		}
	}
	if with(s.bake, 0.6) {
		c.BakeSeconds = 15 + r.IntN(90)
	}
	if with(s.progressDeadline, 0.6) {
		c.ProgressDeadlineSeconds = 120 + r.IntN(600)
	}
	if with(s.alarms, 0.7) {
		c.Alarms = []string{watchedAlarm}
	}
	if s.breaker {
		enable, back := r.IntN(5) > 0, r.IntN(4) > 0
		c.CircuitBreaker = &client.CircuitBreaker{Enable: &enable, Rollback: &back}
		c.CircuitBreaker.Threshold = []client.Amount{"", "1", "2", "30%"}[r.IntN(4)]
	}
	return c
}
