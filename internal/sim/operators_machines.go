package sim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/blox/blox/internal/alarms"
	"github.com/blox/blox/internal/daemon"
)

// moveRing moves a host into and out of instance groups. ECS tells nobody of it.
func (w *world) moveRing() {
	h := w.someHost((*host).active)
	if h == nil || !w.s.selector && !w.s.canary {
		return
	}
	ring := rings[w.plan.IntN(len(rings))]
	w.met("operator: host changes its ring")
	w.note("operator: host %s is of ring %s", h.machine, ring)
	w.operator("PutAttributes", map[string]any{"cluster": cluster, "attributes": []any{attributeOf(h, ringAttribute, ring)}}) // it may be full
}

func attributeOf(h *host, name, value string) map[string]any {
	return map[string]any{"name": name, "value": value, "targetType": "container-instance", "targetId": h.arn}
}

// fillAttributes leaves a host no room for an attribute of ours: ECS allows ten.
func (w *world) fillAttributes() {
	h := w.someHost((*host).active)
	if h == nil || !w.s.readiness {
		return
	}
	w.met("operator: host full of attributes")
	w.note("operator: host %s gets ten attributes", h.machine)
	for i := range 10 {
		w.operator("PutAttributes", map[string]any{"cluster": cluster, "attributes": []any{attributeOf(h, fmt.Sprintf("n%d", i), "x")}}) // until it is full
	}
	w.after(time.Duration(60+w.plan.IntN(300))*time.Second, func() { w.emptyAttributes(h) })
}

func (w *world) emptyAttributes(h *host) {
	var given []any
	for i := range 10 {
		given = append(given, map[string]any{"name": fmt.Sprintf("n%d", i), "targetId": h.arn})
	}
	w.operator("DeleteAttributes", map[string]any{"cluster": cluster, "attributes": given}) // it may have left
}

// sicken has the health check of a daemon fail, for a while or for good.
func (w *world) sicken() {
	if !w.s.sickness {
		return
	}
	arns := w.checked()
	if len(arns) == 0 {
		return
	}
	arn := arns[w.plan.IntN(len(arns))]
	w.met("operator: daemon turns unhealthy")
	w.note("the health check of %s fails", arn)
	w.setHealth(arn, false)
	if w.plan.IntN(3) == 0 {
		w.after(time.Duration(1+w.plan.IntN(90))*time.Second, func() { w.setHealth(arn, true) })
	}
}

// sickenAll is a health check that fails everywhere at once, as one does that asks a server which is down: the daemons are
// as good as before, and restarting them is of no use.
func (w *world) sickenAll() {
	arns := w.checked()
	if !w.s.sickness || len(arns) < 2 {
		return
	}
	w.met("operator: all daemons turn unhealthy")
	w.note("the health checks of all daemons fail")
	for _, arn := range arns {
		w.setHealth(arn, false)
	}
	w.after(time.Duration(60+w.plan.IntN(300))*time.Second, func() {
		for _, arn := range arns {
			w.setHealth(arn, true)
		}
	})
}

// checked are our tasks whose health check succeeds.
func (w *world) checked() []string {
	var arns []string
	for _, arn := range slices.Sorted(maps.Keys(w.truth.tasks)) {
		if t := w.truth.tasks[arn]; t.environment != "" && t.live() && t.last == daemon.StatusRunning && t.health == "HEALTHY" {
			arns = append(arns, arn)
		}
	}
	return arns
}

func (w *world) setHealth(arn string, healthy bool) {
	_ = w.ecs.SetTaskHealth(w.now, cluster, arn, healthy) // it may be over
	w.hear()
}

// deregister is a tool that cleans up old task definitions. The first ones stay.
func (w *world) deregisterDefinition() {
	if !w.s.deregister {
		return
	}
	name, revision := w.someName(), 4+w.plan.IntN(revisions-3)
	out, ok := w.operator("DeregisterTaskDefinition", map[string]any{"taskDefinition": fmt.Sprintf("%s:%d", name, revision)})
	if !ok {
		return // it was before
	}
	w.met("operator: task definition deregistered")
	w.note("operator: %s:%d is INACTIVE", name, revision)
	w.ops.inactive[out["taskDefinition"].(map[string]any)["taskDefinitionArn"].(string)] = true
}

// raise has an alarm go off for a while.
func (w *world) raise() {
	if !w.s.alarms {
		return
	}
	w.met("operator: alarm goes off")
	w.note("the alarm %s goes off", watchedAlarm)
	w.alarms.Set(watchedAlarm, "ALARM")
	w.after(time.Duration(10+w.plan.IntN(120))*time.Second, func() { w.alarms.Set(watchedAlarm, "OK") })
}

// watcher is CloudWatch as functions reach it.
type watcher struct{ world *world }

var _ alarms.API = watcher{}

// DescribeAlarms implements [alarms.API].
func (a watcher) DescribeAlarms(
	ctx context.Context, in *cloudwatch.DescribeAlarmsInput, _ ...func(*cloudwatch.Options),
) (*cloudwatch.DescribeAlarmsOutput, error) {
	return perform(a.world, effect{service: "cloudwatch", name: "DescribeAlarms"}, func() (*cloudwatch.DescribeAlarmsOutput, error) {
		return a.world.alarms.DescribeAlarms(ctx, in)
	}, errThrottled, errLost)
}

// prepareMigration is a fleet that has its daemon from an ECS service until now. The constraint is what lets a host be
// taken over: ECS stops its task where the attribute is put.
func (w *world) prepareMigration() {
	container := map[string]any{"name": "agent", "image": legacy, "cpu": 10, "memory": 100, "essential": true}
	if !w.s.portless() {
		container["portMappings"] = []any{map[string]any{"containerPort": 9000, "hostPort": firstPort}}
	}
	w.must("RegisterTaskDefinition", map[string]any{"family": legacy, "networkMode": "bridge", "containerDefinitions": []any{container}})
	w.must("CreateService", map[string]any{
		"cluster": cluster, "serviceName": legacy, "taskDefinition": legacy, "schedulingStrategy": "DAEMON",
		"placementConstraints": []any{map[string]any{"type": "memberOf", "expression": "not(attribute:" + handoverAttribute + " exists)"}},
	})
}
