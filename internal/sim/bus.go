package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/state"
)

// bus is EventBridge with its rule: it brings what ECS tells to the events queue, at least once, in no order, and not
// always. The simulator of ECS tells everything at once and in order, so that truth hears all of it first.
type bus struct {
	downUntil time.Time
	holds     bool // while it is down events wait; else they are lost
	// delivered is the highest version of each key that reached the queue, bad the bodies that no event has.
	delivered map[state.Key]int64
	bad       []string
}

// told is an event as ECS tells it, as far as it is read here.
type told struct {
	DetailType string `json:"detail-type"`
	Detail     struct {
		TaskARN       string `json:"taskArn"`
		InstanceARN   string `json:"containerInstanceArn"`
		EC2InstanceID string `json:"ec2InstanceId"`
		Status        string `json:"status"`
		Connected     bool   `json:"agentConnected"`
		Desired       string `json:"desiredStatus"`
		Last          string `json:"lastStatus"`
		Health        string `json:"healthStatus"`
		Group         string `json:"group"`
		StartedBy     string `json:"startedBy"`
		Definition    string `json:"taskDefinitionArn"`
		Version       int64  `json:"version"`
	} `json:"detail"`
}

func (t told) isTask() bool { return t.Detail.TaskARN != "" }

func (t told) arn() string {
	if t.isTask() {
		return t.Detail.TaskARN
	}
	return t.Detail.InstanceARN
}

func (t told) key() state.Key {
	kind := state.KindContainerInstance
	if t.isTask() {
		kind = state.KindTask
	}
	arn, err := state.ParseARN(t.arn())
	if err != nil {
		panic(fmt.Sprintf("sim: ECS told of %q: %v", t.arn(), err))
	}
	return state.Key{Kind: kind, Cluster: state.ClusterKey{Account: arn.Account, Region: arn.Region, Name: arn.Cluster}, ID: arn.ID}
}

// hear takes what ECS has told since the last time: truth first, then the bus.
func (w *world) hear() {
	for _, p := range w.places {
		for _, e := range p.ecs.Advance(w.now) {
			var t told
			if err := json.Unmarshal(e.JSON, &t); err != nil {
				panic(fmt.Sprintf("sim: ECS told %q", e.JSON))
			}
			w.learn(t)
			w.keep(t, string(e.JSON))
			if w.now.Before(p.awayUntil) {
				w.met("member: event lost while it was away")
			} else {
				w.route(t, string(e.JSON))
			}
		}
	}
}

// route decides what becomes of an event on its way.
func (w *world) route(t told, body string) {
	wait := time.Duration(50+w.pace.IntN(400)) * time.Millisecond
	if w.now.Before(w.bus.downUntil) {
		if !w.bus.holds {
			w.met("event lost while the bus was down")
			return
		}
		w.met("event held while the bus was down")
		wait += w.bus.downUntil.Sub(w.now)
	}
	if w.chance.Float64() < w.p.drop {
		w.met("event dropped")
		return
	}
	if w.chance.Float64() < w.p.reorder {
		wait += time.Duration(w.pace.Int64N(int64(3 * time.Second)))
	}
	if w.chance.Float64() < w.p.late {
		w.met("event late")
		wait += time.Duration(w.pace.Int64N(int64(w.p.maxLate)))
	}
	w.after(wait, func() { w.deliver(t.key(), t.Detail.Version, body) })
	if w.chance.Float64() < w.p.double {
		w.met("event doubled")
		w.after(wait+time.Duration(w.pace.Int64N(int64(30*time.Second))), func() { w.deliver(t.key(), t.Detail.Version, body) })
	}
}

func (w *world) deliver(key state.Key, version int64, body string) {
	if version < w.bus.delivered[key] {
		w.met("event delivered after a newer one")
	}
	if w.bus.delivered == nil {
		w.bus.delivered = map[state.Key]int64{}
	}
	w.bus.delivered[key] = max(w.bus.delivered[key], version)
	w.enqueue(body)
}

func (w *world) enqueue(body string) {
	if err := w.events.Send(context.Background(), []queue.Message{{Body: body}}); err != nil {
		panic(err)
	}
}

// spoil sends something to the events queue that is no event of ECS.
func (w *world) spoil() {
	bodies := []string{
		`{"source":"aws.ecs","detail-type":"ECS Task State Change","detail":{"taskArn":"arn:aws:ecs:nowhere","version":%d}}`,
		`not JSON, %d`,
		`{"source":"aws.ecs","detail-type":"ECS Task State Change","detail":%d}`,
	}
	body := fmt.Sprintf(bodies[w.plan.IntN(len(bodies))], w.plan.IntN(1000))
	w.bus.bad = append(w.bus.bad, body)
	w.met("malformed event")
	w.note("a malformed event reaches the queue: %s", body)
	w.enqueue(body)
}
