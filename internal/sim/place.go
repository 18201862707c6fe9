package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/blox/blox/internal/ecssim"
	"github.com/blox/blox/internal/state"
)

// place is an account and region, with an ECS of its own.
type place struct {
	account, region string
	ecs             *ecssim.Simulator
	client          *ecs.Client
	// awayUntil: its ECS refuses every call until then, and its events are lost.
	awayUntil time.Time
}

func (p *place) String() string { return p.account + "/" + p.region }

func (p *place) cluster(name string) state.ClusterKey {
	return state.ClusterKey{Account: p.account, Region: p.region, Name: name}
}

// The second place. Its account and region both differ in one character's worth of what a careless key would keep.
const (
	memberAccount = "123456789013"
	memberRegion  = "eu-west-1"
)

// addPlace makes an account and region. All have the same seed, so that their ECS gives out the same ids: what keeps
// their tasks apart is nothing but account and region.
func (w *world) addPlace(account, region string) *place {
	p := &place{account: account, region: region}
	p.ecs = ecssim.New(ecssim.Config{
		Account: account, Region: region, Seed: w.seed, Delays: delays(), ConsistencyLag: w.p.consistencyLag, Throttle: true,
	}, w.now)
	p.client = w.newECS(p)
	w.places = append(w.places, p)
	return p
}

// clientOf is ECS of an account and region, as members are found by functions.
func (w *world) clientOf(account, region string) (*ecs.Client, error) {
	for _, p := range w.places {
		if p.account == account && p.region == region {
			return p.client, nil
		}
	}
	return nil, fmt.Errorf("%s/%s is no member", account, region)
}

// clusters are all that there are, those of places that are away left out.
func (w *world) clusters() []state.ClusterKey {
	clusters := []state.ClusterKey{clusterKey()}
	if w.f.crowd > 0 {
		clusters = append(clusters, crowdKey())
	}
	if w.member != nil && !w.now.Before(w.member.awayUntil) {
		clusters = append(clusters, w.member.cluster(cluster))
	}
	return clusters
}

// operateMember begins what people do in the second place: less than in the first, and nothing that Blox schedules.
func (w *world) operateMember() {
	p := w.member
	w.mustAt(p, "CreateCluster", map[string]any{"clusterName": cluster})
	w.mustAt(p, "RegisterTaskDefinition", map[string]any{
		"family": "job", "networkMode": "bridge", "containerDefinitions": []any{
			map[string]any{"name": "job", "image": "job", "cpu": 50, "memory": 300, "essential": true},
		},
	})
	machines := 0
	join := func() {
		machines++
		p.ecs.AddHost(w.now, cluster, hostSpec(fmt.Sprintf("i-member%09d", machines)))
		w.hear()
	}
	for range 2 + w.membering.IntN(3) {
		join()
	}
	var jobs []string
	var next func()
	next = func() {
		if w.rest.calm {
			return
		}
		if w.membering.Float64() < w.f.memberAway {
			w.leave(time.Duration(1+w.membering.IntN(6)) * time.Minute)
		}
		switch x := w.membering.IntN(10); {
		case x < 5:
			job := map[string]any{"cluster": cluster, "taskDefinition": "job", "startedBy": "cron"}
			out, _ := w.operatorAt(p, "RunTask", job) // there may be no room
			tasks, _ := out["tasks"].([]any)
			for _, t := range tasks {
				w.met("member: task")
				jobs = append(jobs, t.(map[string]any)["taskArn"].(string))
			}
		case x < 8 && len(jobs) > 0:
			over := map[string]any{"cluster": cluster, "task": jobs[0], "reason": "no longer needed"}
			w.operatorAt(p, "StopTask", over) // it may be over already
			jobs = jobs[1:]
		case machines < 6:
			w.met("member: host joins")
			join()
		}
		w.after(time.Duration(5+w.membering.IntN(60))*time.Second, next)
	}
	w.after(20*time.Second, next)
}

// leave takes the second place's ECS away.
func (w *world) leave(d time.Duration) {
	w.met("member: away")
	w.member.awayUntil = w.now.Add(d)
	w.note("the place %s is away until %s", w.member, w.member.awayUntil.Format(time.TimeOnly))
}

// present says whether a cluster is among those that are not away.
func (w *world) present(cluster state.ClusterKey) bool { return slices.Contains(w.clusters(), cluster) }
