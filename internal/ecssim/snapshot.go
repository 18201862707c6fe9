package ecssim

import "time"

// World is the truth at one moment, for checks of invariants: what ECS holds, without lag, pages or limits. Everything is
// in order of creation.
type World struct {
	Now   time.Time
	Tasks []TaskInfo // all that ECS has not forgotten
	Hosts []HostInfo // container instances, INACTIVE ones for the hour they are known
}

// TaskInfo is a task. Times that have not come are zero.
type TaskInfo struct {
	ARN                  string
	ID                   string
	ClusterARN           string
	TaskDefinitionARN    string
	ContainerInstanceARN string
	EC2InstanceID        string
	Group                string
	StartedBy            string
	ClientToken          string // of the RunTask call, if it was given one
	DesiredStatus        string
	LastStatus           string
	HealthStatus         string
	StopCode             string
	StoppedReason        string
	Version              int64
	CreatedAt            time.Time
	StartedAt            time.Time
	StoppingAt           time.Time
	StoppedAt            time.Time
}

// HostInfo is a container instance.
type HostInfo struct {
	ARN               string
	ID                string
	ClusterARN        string
	EC2InstanceID     string
	Status            string
	AgentConnected    bool
	External          bool
	Version           int64
	RegisteredAt      time.Time
	Attributes        map[string]string // read-only; later changes do not show in it
	CPU               int               // registered
	Memory            int
	RemainingCPU      int
	RemainingMemory   int
	RunningTasksCount int
	PendingTasksCount int
}

// Snapshot returns the truth as of the last call that moved the clock. Its slices are the caller's, the maps
// in it are shared and must not be changed.
func (s *Simulator) Snapshot() World {
	w := World{Now: s.now}
	hosts, tasks := 0, 0
	for _, c := range s.clusterOrder {
		hosts += len(c.hosts)
		tasks += len(c.taskByID)
	}
	w.Hosts, w.Tasks = make([]HostInfo, 0, hosts), make([]TaskInfo, 0, tasks)
	for _, c := range s.clusterOrder {
		for _, h := range c.hosts {
			w.Hosts = append(w.Hosts, HostInfo{
				ARN: h.arn, ID: h.id, ClusterARN: c.arn, EC2InstanceID: h.ec2InstanceID, Status: h.status,
				AgentConnected: h.agentConnected, External: h.external, Version: h.version, RegisteredAt: h.registeredAt,
				Attributes: h.attributes, CPU: h.cpu, Memory: h.memory,
				RemainingCPU: h.cpu - h.usedCPU, RemainingMemory: h.memory - h.usedMemory,
				RunningTasksCount: h.running, PendingTasksCount: h.pending,
			})
		}
		i, j := 0, 0
		for i < len(c.live) || j < len(c.stopped) {
			if j == len(c.stopped) || i < len(c.live) && c.live[i].seq < c.stopped[j].seq {
				w.Tasks = append(w.Tasks, c.live[i].info())
				i++
			} else {
				w.Tasks = append(w.Tasks, c.stopped[j].info())
				j++
			}
		}
	}
	return w
}

func (t *task) info() TaskInfo {
	info := TaskInfo{
		ARN: t.arn, ID: t.id, ClusterARN: t.cluster.arn, TaskDefinitionARN: t.definition.arn, ContainerInstanceARN: t.host.arn,
		EC2InstanceID: t.host.ec2InstanceID, Group: t.group, StartedBy: t.startedBy, DesiredStatus: t.desired, LastStatus: t.last,
		HealthStatus: t.health(), StopCode: t.stopCode, StoppedReason: t.stoppedReason, Version: t.version,
		CreatedAt: t.createdAt, StartedAt: t.startedAt, StoppingAt: t.stoppingAt, StoppedAt: t.stoppedAt,
	}
	if t.launch != nil {
		info.ClientToken = t.launch.token
	}
	return info
}
