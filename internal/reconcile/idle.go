package reconcile

import (
	"strings"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/state"
)

// onlyDaemons counts the ACTIVE container instances that run Blox daemons, of whatever installation, and nothing else;
// anywhere says whether there is a daemon in the cluster at all. A task that is being stopped is there until it has
// stopped. Tasks of ECS's DAEMON services count as others: a pass reads tasks, and which services are such it would have
// to ask ECS for.
func onlyDaemons(tasks, instances []state.Record) (hosts int, anywhere bool) {
	type load struct{ daemon, other bool }
	loads := map[string]load{}
	for _, task := range tasks {
		on := loads[task.Task.ContainerInstanceID]
		if strings.HasPrefix(task.Task.StartedBy, daemon.StartedByPrefix) {
			on.daemon, anywhere = true, true
		} else {
			on.other = true
		}
		loads[task.Task.ContainerInstanceID] = on
	}
	for _, instance := range instances {
		on := loads[instance.ID]
		if instance.Instance.Status == state.InstanceActive && on.daemon && !on.other {
			hosts++
		}
	}
	return hosts, anywhere
}

// measureIdle gives the number that a scaling policy goes by. Each cluster is a metric of its own, which is paid for: one
// without daemons needs none, since ECS sees by itself which of its hosts are free.
func (p *pass) measureIdle(summary state.Summary) {
	if !p.hasDaemons {
		return
	}
	p.cfg.Metrics.Put([]metrics.Value{{Name: metrics.HostsWithOnlyDaemons, Value: int64(summary.Instances.WithOnlyDaemons)}},
		metrics.Property{Key: metrics.DimensionCluster, Value: p.key.String()})
}
