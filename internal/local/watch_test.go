package local

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/ecssim"
)

// watch looks at the simulator's truth at every event that ECS emits. It remembers what must never be, and wakes who
// waits for what must come.
type watch struct {
	mu      sync.Mutex
	world   ecssim.World
	changed chan struct{} // closed at the next look
	floor   int           // hosts with a running daemon that there must be at least
	most    int           // live daemons that a host may have
	broken  []string
}

func newWatch() *watch { return &watch{changed: make(chan struct{}), most: 1} }

func (w *watch) see(world ecssim.World) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.world = world
	for host, tasks := range daemonsByHost(world) {
		if len(tasks) > w.most {
			w.breaks(fmt.Sprintf("host %s has %d daemons: %v", host, len(tasks), tasks))
		}
	}
	if n := hostsServed(world); n < w.floor {
		w.breaks(fmt.Sprintf("%d hosts have a running daemon, the minimum is %d", n, w.floor))
	}
	close(w.changed)
	w.changed = make(chan struct{})
}

// breaks remembers what must not be, each once and not too many.
func (w *watch) breaks(what string) {
	if len(w.broken) < 10 && !slices.Contains(w.broken, what) {
		w.broken = append(w.broken, what)
	}
}

// look returns the world as it was last seen and who tells of the next one.
func (w *watch) look() (ecssim.World, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.world, w.changed
}

func (w *watch) setFloor(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.floor = n
}

// setMost allows so many live daemons a host, as a surge needs.
func (w *watch) setMost(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.most = n
}

// until waits for a world as wanted, and says how long it took.
func (w *watch) until(t *testing.T, what string, wanted func(ecssim.World) bool) time.Duration {
	t.Helper()
	started := time.Now()
	deadline := time.After(patience)
	for {
		world, changed := w.look()
		if wanted(world) {
			return time.Since(started)
		}
		select {
		case <-changed:
		case <-deadline:
			require.Failf(t, "waited in vain", "%s; %d hosts, %d running daemons of %d", what, len(activeHosts(world)), len(runningDaemons(world)), len(liveDaemons(world)))
		}
	}
}

// unbroken fails the test if anything was ever seen that must not be.
func (w *watch) unbroken(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Empty(t, w.broken)
}

// patience is how long a condition may take; on a busy machine things take a while.
const patience = 3 * time.Minute

// liveDaemons are the tasks of this installation's daemons that ECS means to run.
func liveDaemons(world ecssim.World) (tasks []ecssim.TaskInfo) {
	for _, task := range world.Tasks {
		if strings.HasPrefix(task.Group, "blox:"+installation+":") && task.DesiredStatus == "RUNNING" {
			tasks = append(tasks, task)
		}
	}
	return tasks
}

func runningDaemons(world ecssim.World) (tasks []ecssim.TaskInfo) {
	for _, task := range liveDaemons(world) {
		if task.LastStatus == "RUNNING" {
			tasks = append(tasks, task)
		}
	}
	return tasks
}

// hostsServed counts the hosts with a running daemon.
func hostsServed(world ecssim.World) int {
	served := map[string]bool{}
	for _, task := range runningDaemons(world) {
		served[task.EC2InstanceID] = true
	}
	return len(served)
}

// daemonsByHost has the ids of each host's live daemons.
func daemonsByHost(world ecssim.World) map[string][]string {
	byHost := map[string][]string{}
	for _, task := range liveDaemons(world) {
		byHost[task.EC2InstanceID] = append(byHost[task.EC2InstanceID], task.ID)
	}
	return byHost
}

func activeHosts(world ecssim.World) (hosts []ecssim.HostInfo) {
	for _, host := range world.Hosts {
		if host.Status == "ACTIVE" {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// everyHostHasOne says that there are n active hosts and each runs exactly one daemon.
func everyHostHasOne(n int) func(ecssim.World) bool {
	return func(world ecssim.World) bool {
		hosts, running := activeHosts(world), runningDaemons(world)
		if len(hosts) != n || len(running) != n || len(liveDaemons(world)) != n {
			return false
		}
		byHost := daemonsByHost(world)
		for _, host := range hosts {
			if len(byHost[host.EC2InstanceID]) != 1 {
				return false
			}
		}
		return true
	}
}
