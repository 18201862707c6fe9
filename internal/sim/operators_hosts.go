package sim

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/ecssim"
)

func (w *world) addHost() {
	if len(w.registered()) >= w.p.mostHosts {
		return
	}
	w.ops.machines++
	// In no order of their coming: what sorts first must not always be what is oldest.
	id := fmt.Sprintf("i-%04x%013x", w.plan.IntN(1<<16), w.ops.machines)
	w.ecs.AddHost(w.now, cluster, hostSpec(id))
	w.note("operator: host %s joins", id)
	w.hear()
	if w.ops.machines%9 == 0 && w.f.crowd == 0 {
		w.runOne(squatter) // before the daemon is there
	}
}

// registered are the container instances of the first cluster that are not INACTIVE, sorted by registration.
func (w *world) registered() []*host {
	var hosts []*host
	for _, arn := range slices.Sorted(maps.Keys(w.truth.hosts)) {
		if h := w.truth.hosts[arn]; h.status != "INACTIVE" && h.cluster == clusterKey() {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

func (w *world) someHost(fits func(*host) bool) *host {
	hosts := slices.DeleteFunc(w.registered(), func(h *host) bool { return !fits(h) })
	if len(hosts) == 0 {
		return nil
	}
	return hosts[w.plan.IntN(len(hosts))]
}

func (h *host) active() bool { return h.status == daemon.StatusActive && h.connected }

func (w *world) removeHost() {
	h := w.someHost(func(*host) bool { return true })
	if h == nil || len(w.registered()) < 4 {
		return
	}
	w.met("operator: host leaves")
	w.note("operator: host %s leaves", h.machine)
	if err := w.ecs.RemoveHost(w.now, cluster, h.machine); err != nil {
		panic(err)
	}
	w.hear()
}

// restartHost is a machine that is stopped and started again: it leaves, and comes back under its old EC2 instance id.
func (w *world) restartHost() {
	h := w.someHost((*host).active)
	if h == nil || len(w.registered()) < 4 {
		return
	}
	w.met("operator: host stops and comes back")
	w.note("operator: host %s stops", h.machine)
	if err := w.ecs.RemoveHost(w.now, cluster, h.machine); err != nil {
		panic(err)
	}
	w.hear()
	w.after(time.Duration(10+w.plan.IntN(240))*time.Second, func() {
		w.note("operator: host %s comes back", h.machine)
		w.ecs.AddHost(w.now, cluster, hostSpec(h.machine))
		w.hear()
	})
}

// hostSpec is a machine with room for two daemons and an ordinary task, and not for many of them.
func hostSpec(id string) ecssim.HostSpec {
	spec := ecssim.HostSpec{EC2InstanceID: id, Memory: 2500, CPU: 1024}
	if ring := int(id[len("i-")]) % (len(rings) + 1); ring < len(rings) { // one host in four is of no ring
		spec.Attributes = map[string]string{ringAttribute: rings[ring]}
	}
	return spec
}

func (w *world) drainHost() {
	h := w.someHost((*host).active)
	if h == nil {
		return
	}
	w.met("operator: host drains")
	w.setStatus(h, daemon.StatusDraining)
	if w.plan.IntN(2) == 0 {
		w.after(time.Duration(5+w.plan.IntN(240))*time.Second, func() {
			if h.status == daemon.StatusDraining {
				w.met("operator: host drains no more")
				w.setStatus(h, daemon.StatusActive)
			}
		})
	}
}

func (w *world) setStatus(h *host, status string) {
	w.note("operator: host %s to %s", h.machine, status)
	w.must("UpdateContainerInstancesState", map[string]any{"cluster": cluster, "containerInstances": []string{h.arn}, "status": status})
}

func (w *world) disconnect() {
	h := w.someHost(func(h *host) bool { return h.connected })
	if h == nil {
		return
	}
	w.met("operator: agent away")
	w.note("operator: the agent of host %s is away", h.machine)
	if err := w.ecs.DisconnectAgent(w.now, cluster, h.arn); err != nil {
		panic(err)
	}
	w.hear()
	away := time.Duration(1+w.plan.IntN(60)) * time.Second
	if w.plan.IntN(3) == 0 {
		away = time.Duration(1+w.plan.IntN(6)) * time.Minute
	}
	w.after(away, func() { w.reconnect(h) })
}

func (w *world) reconnect(h *host) {
	if h.status == "INACTIVE" || h.connected || w.replaced(h) {
		return
	}
	w.note("operator: the agent of host %s is back", h.machine)
	if err := w.ecs.ReconnectAgent(w.now, cluster, h.arn); err != nil {
		panic(err)
	}
	w.hear()
}

// replaced says that the machine's agent has registered anew since.
func (w *world) replaced(h *host) bool {
	for _, other := range w.registered() {
		if other != h && other.machine == h.machine && other.connected {
			return true
		}
	}
	return false
}

// reregister is an agent that lost its state. Somebody takes its old registration away a while later.
func (w *world) reregister() {
	h := w.someHost((*host).active)
	if h == nil {
		return
	}
	w.met("operator: agent registers anew")
	arn, err := w.ecs.ReregisterAgent(w.now, cluster, h.arn)
	if err != nil {
		panic(err)
	}
	w.note("operator: host %s registers anew as %s", h.machine, arn)
	w.hear()
	w.after(time.Duration(10+w.plan.IntN(200))*time.Second, func() { w.deregister(h) })
}

func (w *world) deregister(h *host) {
	if h.status == "INACTIVE" {
		return
	}
	w.note("operator: the registration %s of host %s is taken away", h.arn, h.machine)
	w.must("DeregisterContainerInstance", map[string]any{"cluster": cluster, "containerInstance": h.arn, "force": true})
}
