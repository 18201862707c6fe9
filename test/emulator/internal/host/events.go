package host

import (
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/blox/blox/internal/ecssim"
)

// maxEntries is PutEvents' limit.
const maxEntries = 10

// onEvents puts the simulator's events on the account's default bus, in their order.
func (h *Host) onEvents(delivered []ecssim.Event) {
	for len(delivered) > 0 {
		n := min(len(delivered), maxEntries)
		in := &eventbridge.PutEventsInput{}
		for _, e := range delivered[:n] {
			in.Entries = append(in.Entries, entry(h.ECSFront.event(e.JSON)))
		}
		out, err := h.Account.EventBridge.PutEvents(h.calls, in)
		switch {
		case err != nil && h.running.Err() == nil:
			h.Log.Error("ECS events could not be put on the bus", "events", n, "error", err)
		case err == nil && out.FailedEntryCount > 0:
			h.Log.Error("ECS events were refused by the bus", "events", out.FailedEntryCount)
		}
		delivered = delivered[n:]
	}
}

// entry is an event's envelope as PutEvents takes it: account, id and region are the bus's own.
func entry(envelope []byte) types.PutEventsRequestEntry {
	var e struct {
		DetailType string          `json:"detail-type"`
		Source     string          `json:"source"`
		Time       time.Time       `json:"time"`
		Resources  []string        `json:"resources"`
		Detail     json.RawMessage `json:"detail"`
	}
	if err := json.Unmarshal(envelope, &e); err != nil {
		panic("an event of the simulator is no JSON: " + err.Error()) // its own encoder made it
	}
	return types.PutEventsRequestEntry{Source: &e.Source, DetailType: &e.DetailType, Detail: aws.String(string(e.Detail)), Resources: e.Resources, Time: &e.Time}
}
