package httpapi_test

import (
	"context"
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
)

// fakeScheduler knows the stored environments, and the hosts, slots and tasks that a test says.
type fakeScheduler struct {
	api   *api
	hosts []daemon.Host
	slots []daemon.Slot
	tasks []daemon.Task
	// inactive is what ECS has as INACTIVE.
	inactive map[string]bool
	err      error
}

func (f *fakeScheduler) Conditions(_ context.Context, s daemon.Snapshot) (alarms map[string]string, inactive map[string]bool) {
	alarms = map[string]string{}
	for _, name := range s.Revision.DeploymentConfiguration.Alarms {
		alarms[name] = "OK"
	}
	return alarms, f.inactive
}

func (f *fakeScheduler) Snapshot(ctx context.Context, environmentID string) (daemon.Snapshot, error) {
	env, err := f.api.daemon.Environment(ctx, environmentID)
	if err != nil {
		return daemon.Snapshot{}, err
	}
	s, err := f.SnapshotOf(ctx, env, daemon.Revision{})
	if err != nil || env.DeploymentID == "" {
		return s, err
	}
	dep, err := f.api.daemon.Deployment(ctx, env.ID, env.DeploymentID)
	if err != nil {
		return s, err
	}
	s.Deployment = &dep
	if s.Revision, err = f.api.daemon.Revision(ctx, env.ID, dep.Target()); err != nil {
		return s, err
	}
	if dep.BasedOn != 0 && dep.BasedOn != dep.Target() {
		base, err := f.api.daemon.Revision(ctx, env.ID, dep.BasedOn)
		s.Base = &base
		return s, err
	}
	return s, nil
}

func (f *fakeScheduler) SnapshotOf(_ context.Context, env daemon.Environment, rev daemon.Revision) (daemon.Snapshot, error) {
	s := daemon.Snapshot{
		Environment: env, Revision: rev, Installation: "test", Full: true, Settings: daemon.DefaultSettings(),
		Clusters: map[state.ClusterKey]daemon.Freshness{}, Slots: f.slots, Tasks: f.tasks,
	}
	for _, cluster := range env.Clusters {
		s.Clusters[cluster] = daemon.Freshness{SyncedAt: f.api.now.Add(-time.Minute)}
		for _, host := range f.hosts {
			if host.Key.Cluster == cluster {
				s.Hosts = append(s.Hosts, host)
			}
		}
	}
	return s, f.err
}

func hostOf(cluster state.ClusterKey, n int) daemon.HostKey {
	return daemon.HostKey{Cluster: cluster, EC2InstanceID: fmt.Sprintf("i-%03d", n)}
}

// host adds a host without a daemon.
func (a *api) host(cluster state.ClusterKey, n int) daemon.Host {
	host := daemon.Host{
		Key: hostOf(cluster, n), Status: daemon.StatusActive, AgentConnected: true, RegisteredAt: a.now.Add(-time.Hour),
		ContainerInstanceARN: "arn:aws:ecs:" + region + ":" + account + ":container-instance/" + cluster.Name + "/" + id(n),
	}
	a.scheduler.hosts = append(a.scheduler.hosts, host)
	return host
}

// daemonOn adds a host with a healthy daemon of the environment's revision in force.
func (a *api) daemonOn(env client.Environment, n int) daemon.Slot {
	host := a.host(home, n)
	since := a.now.Add(-time.Hour)
	rev, err := a.daemon.Revision(a.t.Context(), env.ID, env.Revision)
	require.NoError(a.t, err)
	stored, err := a.daemon.Environment(a.t.Context(), env.ID)
	require.NoError(a.t, err)
	slot := daemon.Slot{
		EnvironmentID: env.ID, Host: host.Key, State: daemon.SlotPlaced, Revision: rev.Number, TaskHash: rev.TaskHash(),
		DeploymentID: stored.DeploymentID, Attempt: 1, RecordVersion: 3, ContainerInstanceARN: host.ContainerInstanceARN,
		TaskARN:  "arn:aws:ecs:" + region + ":" + account + ":task/" + home.Name + "/" + id(n),
		PlacedAt: &since, HealthySince: &since,
	}
	a.scheduler.slots = append(a.scheduler.slots, slot)
	a.scheduler.tasks = append(a.scheduler.tasks, daemon.Task{
		ARN: slot.TaskARN, Host: host.Key, ContainerInstanceARN: host.ContainerInstanceARN, TaskDefinition: rev.TaskDefinition,
		DesiredStatus: daemon.StatusRunning, LastStatus: daemon.StatusRunning, StartedBy: daemon.StartedBy(slot.DeploymentID),
	})
	return slot
}
