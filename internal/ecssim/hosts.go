package ecssim

import (
	"fmt"
	"slices"
	"time"
)

// AddHost is a machine that joins a cluster, which is created if there is none, and returns its container instance ARN.
// Its agent is connected at once, with one event. (A host that comes through the RegisterContainerInstance API connects
// a little later, with an event of its own, as real ones do.)
func (s *Simulator) AddHost(now time.Time, cluster string, spec HostSpec) (containerInstanceArn string) {
	s.runDue(now)
	c, err := s.cluster(cluster)
	if err != nil {
		c = s.newCluster(s.clusterName(cluster))
	}
	h := c.newHost(spec.withDefaults(), wellKnownPorts)
	h.setConnected(true)
	return h.arn
}

// RemoveHost terminates a machine: its tasks stop, every container instance it was registered as turns INACTIVE. The host
// is named by EC2 instance id, container instance id or ARN. The error is for an unknown cluster or host.
func (s *Simulator) RemoveHost(now time.Time, cluster, host string) error {
	s.runDue(now)
	h, err := s.findHost(cluster, host)
	if err != nil {
		return err
	}
	reason := fmt.Sprintf("Host EC2 (instance %s) terminated.", h.ec2InstanceID)
	for _, same := range slices.Clone(h.cluster.hosts) {
		if same.ec2InstanceID == h.ec2InstanceID && same.status != statusInactive {
			same.deactivate("TerminationNotice", reason)
		}
	}
	return nil
}

// DisconnectAgent cuts an agent off: its host takes no new task, and ECS hears of no change of its tasks.
func (s *Simulator) DisconnectAgent(now time.Time, cluster, host string) error {
	return s.connect(now, cluster, host, false)
}

// ReconnectAgent brings it back; what happened to its tasks meanwhile is reported shortly after.
func (s *Simulator) ReconnectAgent(now time.Time, cluster, host string) error {
	return s.connect(now, cluster, host, true)
}

func (s *Simulator) connect(now time.Time, cluster, host string, connected bool) error {
	s.runDue(now)
	h, err := s.findHost(cluster, host)
	if err != nil {
		return err
	}
	h.setConnected(connected)
	return nil
}

// ReregisterAgent is an agent that lost its state: the same machine registers anew and gets a new container instance
// ARN, without the attributes that PutAttributes gave the old one. The old one stays ACTIVE with its agent disconnected for
// ever, and so do its tasks, until somebody deregisters it by force or the machine is removed; that is what ECS knows of
// them.
func (s *Simulator) ReregisterAgent(now time.Time, cluster, host string) (containerInstanceArn string, err error) {
	s.runDue(now)
	old, err := s.findHost(cluster, host)
	if err != nil {
		return "", err
	}
	old.setConnected(false)
	h := old.cluster.newHost(HostSpec{
		EC2InstanceID: old.ec2InstanceID, CPU: old.cpu, Memory: old.memory, GPUs: old.gpus, NetworkInterfaces: old.interfaces, External: old.external,
		AgentVersion: old.versionInfo.AgentVersion, Attributes: old.configured,
	}, old.reserved)
	h.tags = old.tags
	h.setConnected(true)
	return h.arn, nil
}

// findHost looks for a container instance id or ARN, then for an EC2 instance id, of which the newest registration counts.
func (s *Simulator) findHost(clusterRef, ref string) (*host, error) {
	c, err := s.cluster(clusterRef)
	if err != nil {
		return nil, fmt.Errorf("ecssim: host %s of cluster %s: %w", ref, clusterRef, err)
	}
	if h := c.host(ref); h != nil && h.status != statusInactive {
		return h, nil
	}
	for _, h := range slices.Backward(c.hosts) {
		if h.ec2InstanceID == ref && h.status != statusInactive {
			return h, nil
		}
	}
	return nil, fmt.Errorf("ecssim: cluster %s has no host %s: expected an EC2 instance id, a container instance id or an ARN of one that is not INACTIVE", c.name, ref)
}
