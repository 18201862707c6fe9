package ecssim

import "time"

// Config describes the simulated account and how quickly things happen in it.
type Config struct {
	Account   string // default 123456789012
	Region    string // default us-east-1
	Partition string // default aws
	Seed      uint64
	// Delays says how long states last; the zero value means DefaultDelays().
	Delays Delays
	// ConsistencyLag is how long Describe and List do not know a new task yet; DescribeTasks answers MISSING. 0 = none.
	ConsistencyLag time.Duration
	// Throttle enforces the documented request rates, with ThrottlingException beyond them.
	Throttle bool
}

// Delays says how long the states of tasks, hosts and services last. Each is drawn anew for each task, up to Jitter (a
// fraction) longer or shorter, except the retentions, which are exact.
type Delays struct {
	Provision   time.Duration // awsvpc: attaching the network interface
	Accept      time.Duration // agent takes a new task or a stop order
	Pull        time.Duration // image pull
	Start       time.Duration // from pulled to RUNNING
	Health      time.Duration // from RUNNING to the first health check result
	Deactivate  time.Duration // awsvpc: DEACTIVATING
	Stop        time.Duration // from SIGTERM to the exit of a well-behaved container
	Deprovision time.Duration // awsvpc: detaching the network interface
	Kill        time.Duration // from SIGTERM to SIGKILL, for containers that ignore SIGTERM and set no stopTimeout

	AgentConnect   time.Duration // from RegisterContainerInstance to agentConnected
	ServiceStep    time.Duration // service scheduler's time to react to a change
	ServiceBackoff time.Duration // service scheduler's pause after a placement or a task that failed

	StoppedTaskRetention      time.Duration // how long a STOPPED task can be described
	InactiveInstanceRetention time.Duration // how long an INACTIVE container instance can be described

	Jitter float64 // 0.25 means 25 % more or less
}

// DefaultDelays are quick enough for a demo (a task runs about one second after RunTask) and keep every state visible.
// The retentions are ECS's: about an hour.
func DefaultDelays() Delays {
	return Delays{
		Provision: 200 * time.Millisecond, Accept: 100 * time.Millisecond, Pull: 450 * time.Millisecond,
		Start: 350 * time.Millisecond, Health: time.Second, Deactivate: 100 * time.Millisecond,
		Stop: 400 * time.Millisecond, Deprovision: 200 * time.Millisecond, Kill: 30 * time.Second,
		AgentConnect: 100 * time.Millisecond, ServiceStep: 250 * time.Millisecond, ServiceBackoff: 5 * time.Second,
		StoppedTaskRetention: time.Hour, InactiveInstanceRetention: time.Hour,
		Jitter: 0.25,
	}
}

func (c Config) withDefaults() Config {
	if c.Account == "" {
		c.Account = "123456789012"
	}
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	if c.Partition == "" {
		c.Partition = "aws"
	}
	if c.Delays == (Delays{}) {
		c.Delays = DefaultDelays()
	}
	return c
}
