package ecssim

import (
	"container/heap"
	"encoding/json"
	"time"
)

// Event is one delivery of the default event bus.
type Event struct {
	At   time.Time // when the bus delivers it; the envelope's own time is when ECS emitted it
	JSON []byte    // the whole EventBridge envelope; read-only, duplicates share it
}

// maxHeldEvents bounds the events kept for a caller who never advances; the oldest are lost first, as they are at
// EventBridge when no target takes them for a day.
const maxHeldEvents = 1 << 20

type envelope struct {
	Version    string   `json:"version"`
	ID         string   `json:"id"`
	DetailType string   `json:"detail-type"`
	Source     string   `json:"source"`
	Account    string   `json:"account"`
	Time       string   `json:"time"`
	Region     string   `json:"region"`
	Resources  []string `json:"resources"`
	Detail     any      `json:"detail"`
}

// emitTask tells the bus about a change of a task, after raising its version: ECS's rule is one version an event.
func (s *Simulator) emitTask(t *task) {
	t.version++
	t.updatedAt = s.now
	s.emit("ECS Task State Change", t.arn, t.document(forEvent))
}

// emitHost does the same for a container instance. Attributes and tags change without an event and without a version.
func (s *Simulator) emitHost(h *host) {
	h.version++
	h.updatedAt = s.now
	s.emit("ECS Container Instance State Change", h.arn, h.document(forEvent))
}

func (s *Simulator) emit(detailType, resource string, detail any) {
	body, err := json.Marshal(envelope{
		Version: "0", ID: s.newUUID(), DetailType: detailType, Source: "aws.ecs", Account: s.cfg.Account,
		Time: s.now.Format(time.RFC3339), Region: s.cfg.Region, Resources: []string{resource}, Detail: detail,
	})
	if err != nil {
		panic("ecssim: an event cannot be encoded: " + err.Error()) // own types only: a bug, not an input
	}
	for _, delay := range s.faults.eventDeliveries(s.chance) {
		s.bus.hold(Event{At: milliseconds(s.now.Add(delay)), JSON: body}, s.nextSeq())
	}
}

// bus keeps events until their delivery.
type bus struct{ held heldEvents }

func (b *bus) hold(e Event, seq uint64) {
	if len(b.held) >= maxHeldEvents {
		heap.Pop(&b.held)
	}
	heap.Push(&b.held, heldEvent{Event: e, seq: seq})
}

func (b *bus) deliver(now time.Time) []Event {
	var events []Event
	for len(b.held) > 0 && !b.held[0].At.After(now) {
		events = append(events, heap.Pop(&b.held).(heldEvent).Event)
	}
	return events
}

func (b *bus) next() (time.Time, bool) {
	if len(b.held) == 0 {
		return time.Time{}, false
	}
	return b.held[0].At, true
}

type heldEvent struct {
	Event
	seq uint64
}

type heldEvents []heldEvent

func (h heldEvents) Len() int { return len(h) }
func (h heldEvents) Less(i, j int) bool {
	return h[i].At.Before(h[j].At) || h[i].At.Equal(h[j].At) && h[i].seq < h[j].seq
}
func (h heldEvents) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *heldEvents) Push(x any)   { *h = append(*h, x.(heldEvent)) }
func (h *heldEvents) Pop() any {
	last := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = heldEvent{}
	*h = (*h)[:len(*h)-1]
	return last
}
