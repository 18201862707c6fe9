// Command zonescheduler keeps one task running in each availability zone of a cluster. See README.md.
package main

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"log"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/client"
)

func main() {
	s := &scheduler{every: 3 * time.Second}
	endpoint := flag.String("endpoint", "http://127.0.0.1:8080", "Blox's API")
	flag.StringVar(&s.name, "name", "zones", "startedBy of this scheduler's tasks, and of no other's")
	flag.StringVar(&s.cluster, "cluster", "demo", "cluster's name, or its ARN if Blox may not know it yet")
	flag.StringVar(&s.taskDefinition, "task-definition", "log-agent", "FAMILY:REVISION or FAMILY")
	flag.Parse()
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err == nil {
		s.ecs = ecs.NewFromConfig(cfg)
		s.blox, err = client.New(client.Options{Endpoint: *endpoint, Signer: client.NewSigner(cfg.Credentials, cfg.Region)})
	}
	if err == nil {
		err = s.run(context.Background())
	}
	log.Fatal(err)
}

type scheduler struct {
	name, cluster, taskDefinition string
	every                         time.Duration // between two plans
	blox                          *client.Client
	ecs                           *ecs.Client
}

// mirror is a copy of what a watch tells of; complete says that nothing is missing in it.
type mirror[T any] struct {
	items    map[string]T
	complete bool
}

func (m *mirror[T]) apply(event client.WatchEvent, item *T) {
	switch event.Type {
	case client.WatchSnapshot:
		m.items, m.complete = map[string]T{}, false
	case client.WatchUpdated:
		m.items[event.ID] = *item
	case client.WatchDeleted:
		delete(m.items, event.ID)
	case client.WatchBookmark:
		m.complete = true
	}
}

// run copies the cluster, first as it is and then as it changes, and acts on the copy until ctx or a watch ends.
func (s *scheduler) run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	hosts, tasks, mu := mirror[client.ContainerInstance]{}, mirror[client.Task]{}, sync.Mutex{} // of both
	told := func(apply func(), err error) {
		mu.Lock()
		defer mu.Unlock()
		if apply(); err != nil {
			stop(err) // the event is empty then
		}
	}
	options := client.WatchOptions{ListAgain: true}
	go func() {
		for e, err := range s.blox.WatchInstances(ctx, client.InstanceFilter{Cluster: s.cluster, Status: "ACTIVE"}, options) {
			told(func() { hosts.apply(e.WatchEvent, e.Instance) }, err)
		}
	}()
	go func() {
		for e, err := range s.blox.WatchTasks(ctx, client.TaskFilter{Cluster: s.cluster, StartedBy: s.name}, options) {
			told(func() { tasks.apply(e.WatchEvent, e.Task) }, err)
		}
	}()
	for tick := time.Tick(s.every); ; {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case now := <-tick:
			mu.Lock()
			maps.DeleteFunc(tasks.items, func(_ string, t client.Task) bool { // no change tells of that moment
				return t.Metadata.VisibleUntil != nil && t.Metadata.VisibleUntil.Before(now)
			})
			complete := hosts.complete && tasks.complete // else what seems to be missing may only be unknown
			starts := plan(s.name+":", slices.Collect(maps.Values(hosts.items)), slices.Collect(maps.Values(tasks.items)))
			if mu.Unlock(); complete {
				s.act(ctx, starts)
			}
		}
	}
}

// start is a task to be started; After, the zone's last task before, makes it another start, the same for everybody.
type start struct{ Group, Zone, After string }

func (s *scheduler) act(ctx context.Context, starts []start) {
	for _, want := range starts {
		token := fmt.Sprintf("%x", sha256.Sum256([]byte(want.Group+" "+s.taskDefinition+" "+want.After)))
		out, err := s.ecs.RunTask(ctx, &ecs.RunTaskInput{
			Cluster: &s.cluster, TaskDefinition: &s.taskDefinition, LaunchType: types.LaunchTypeEc2,
			StartedBy: &s.name, Group: &want.Group, ClientToken: &token, PlacementConstraints: []types.PlacementConstraint{
				{Type: "memberOf", Expression: aws.String("attribute:ecs.availability-zone == " + want.Zone)},
			},
		})
		if err == nil && len(out.Failures) > 0 {
			err = fmt.Errorf("ECS says %s", aws.ToString(out.Failures[0].Reason))
		}
		if err != nil {
			log.Printf("no task in %s: %v", want.Zone, err) // the next plan tries again
		} else {
			log.Printf("a task in %s", want.Zone)
		}
	}
}

// plan says which zones with a usable host have no task. The group of a task is prefix and its zone.
func plan(prefix string, hosts []client.ContainerInstance, tasks []client.Task) (starts []start) {
	created := func(t client.Task) time.Time { return aws.ToTime(t.Entity.CreatedAt) }
	slices.SortFunc(tasks, func(a, b client.Task) int { return created(a).Compare(created(b)) })
	served, last := map[string]bool{}, map[string]string{}
	for _, task := range tasks {
		last[task.Entity.Group] = task.Entity.TaskARN
		served[task.Entity.Group] = served[task.Entity.Group] || task.Entity.DesiredStatus == "RUNNING"
	}
	for _, host := range hosts {
		for _, a := range host.Entity.Attributes {
			if group := prefix + a.Value; a.Name == "ecs.availability-zone" && host.Entity.AgentConnected && !served[group] {
				served[group] = true
				starts = append(starts, start{group, a.Value, last[group]})
			}
		}
	}
	return starts
}
