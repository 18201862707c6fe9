package drive

import (
	"context"
	"strings"

	"github.com/blox/blox/internal/clusterquery"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
)

func (r *reading) addHosts(ctx context.Context, records []state.Record) error {
	for _, record := range records {
		host, instance, ok, err := hostOf(record)
		if err != nil {
			return err
		}
		if _, added := r.hosts[record.Key]; added || !ok {
			continue
		}
		r.hosts[record.Key] = host.Key
		r.counts[record.Key] = countOf(record.Version, instance)
		host.Managed = r.isManaged(ctx, record.Cluster, host.CapacityProvider)
		r.snapshot.Hosts = append(r.snapshot.Hosts, host)
	}
	return nil
}

// hostOf reads a host from its record, with what ECS says of it; ok is false for one without an EC2 instance id, which
// nothing can be placed on by name.
func hostOf(record state.Record) (host daemon.Host, instance state.ContainerInstance, ok bool, err error) {
	if record.Instance.EC2InstanceID == "" {
		return host, instance, false, nil
	}
	if instance, err = record.AsContainerInstance(); err != nil {
		return host, instance, false, err
	}
	host = daemon.Host{
		Key:                  daemon.HostKey{Cluster: record.Cluster, EC2InstanceID: record.Instance.EC2InstanceID},
		ContainerInstanceARN: record.ARN,
		Status:               record.Instance.Status,
		AgentConnected:       record.Instance.AgentConnected,
		CapacityProvider:     instance.CapacityProviderName,
		External:             strings.HasPrefix(record.Instance.EC2InstanceID, "mi-"),
		Query:                queryOf(instance),
	}
	if instance.RegisteredAt != nil {
		host.RegisteredAt = *instance.RegisteredAt
	}
	return host, instance, true, nil
}

// queryOf is what expressions can ask about a host. The groups of its tasks are left out, so that an expression which
// asks for them finds none: they would take a query of its tasks for every host, and would let a daemon come and go
// with every other task.
func queryOf(instance state.ContainerInstance) clusterquery.Host {
	query := clusterquery.Host{
		AgentConnected: instance.AgentConnected, EC2InstanceID: instance.EC2InstanceID,
		Attributes: make(map[string]string, len(instance.Attributes)),
	}
	for _, attribute := range instance.Attributes {
		query.Attributes[attribute.Name] = attribute.Value
	}
	if instance.VersionInfo != nil {
		query.AgentVersion = instance.VersionInfo.AgentVersion
	}
	if instance.RegisteredAt != nil {
		query.RegisteredAt = *instance.RegisteredAt
	}
	if instance.RunningTasksCount != nil {
		query.RunningTasksCount = int(*instance.RunningTasksCount)
	}
	return query
}
