package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/blox/blox/internal/daemon"
)

// remembered is for how long a driver may act on what it has read: longer than the longest pause and the calls around it.
const remembered = 4 * time.Minute

// fleet is how many machines STATE had as ACTIVE, and since when.
type fleet struct {
	since time.Time
	hosts int
}

// countFleet follows the container instances as they are stored.
func (w *world) countFleet(id string, image map[string]events.DynamoDBAttributeValue) {
	w.truth.active[id] = ""
	if status, ok := image["status"]; ok && status.String() == daemon.StatusActive {
		w.truth.active[id] = image["ec2InstanceId"].String()
	}
	machines := map[string]bool{}
	for _, machine := range w.truth.active { // any order: it is a set
		if machine != "" {
			machines[machine] = true
		}
	}
	w.truth.fleets = append(w.truth.fleets, fleet{w.now, len(machines)})
	fleets := w.truth.fleets
	for len(fleets) > 1 && w.now.Sub(fleets[1].since) > remembered {
		fleets = fleets[1:]
	}
	w.truth.fleets = fleets
}

// mostHosts is the largest fleet that a driver which acts now may have counted.
func (w *world) mostHosts() int {
	most := 0
	for i, f := range w.truth.fleets {
		if i+1 == len(w.truth.fleets) || w.now.Sub(w.truth.fleets[i+1].since) <= remembered {
			most = max(most, f.hosts)
		}
	}
	return most
}

// checkVersions is invariant 1, on every change of the STATE table.
func (w *world) checkVersions(record events.DynamoDBEventRecord) {
	before, after := record.Change.OldImage, record.Change.NewImage
	oldVersion, known := before["version"]
	if !known {
		return
	}
	key := record.Change.Keys["pk"].String() + " " + record.Change.Keys["sk"].String()
	if len(after) == 0 {
		if _, over := before["tombstone"]; !over || record.UserIdentity == nil {
			w.violate(1, "%s was deleted with its version", key)
		}
		return
	}
	from, err := oldVersion.Integer()
	to, err2 := after["version"].Integer()
	if err != nil || err2 != nil {
		w.violate(1, "%s has a version that is no number", key)
		return
	}
	if to < from {
		w.violate(1, "the stored version of %s went from %d back to %d", key, from, to)
	}
	if _, over := before["tombstone"]; over {
		end := before["tombstone"].Map()
		inferred := end["inferred"].Boolean()
		if _, still := after["tombstone"]; !still {
			w.met("record revived")
			describedSince := describedAt(after) > number(end["stoppedAt"])
			if to == from && describedSince {
				w.met("taken for gone, and back by a later Describe")
			}
			if !inferred || to == from && !describedSince {
				w.violate(1, "%s came back from its end: version %d, then %d, the end inferred: %t", key, from, to, inferred)
			}
		}
	}
}

// describedAt is when ECS was asked that a record's description is of, in milliseconds; 0 if it has none.
func describedAt(image map[string]events.DynamoDBAttributeValue) int64 {
	described, ok := image["described"]
	if !ok {
		return 0
	}
	return number(described.Map()["at"])
}

func number(v events.DynamoDBAttributeValue) int64 {
	n, err := v.Integer()
	if err != nil {
		panic(fmt.Sprintf("sim: a time is no number: %v", err))
	}
	return n
}

// calling sees a call of Blox before ECS does. The start or the stop must name its deployment: invariant 4.
func (w *world) calling(action string, in request) {
	switch action {
	case "RunTask":
		w.truth.tokens[in.ClientToken]++
		if w.truth.tokens[in.ClientToken] > 1 {
			w.met("start replayed")
		}
		id, ok := strings.CutPrefix(in.StartedBy, daemon.StartedByPrefix)
		dep := w.truth.deployments[id]
		if !ok || dep == nil || in.Group != daemon.Group(installation, dep.EnvironmentID) || in.ClientToken == "" {
			w.violate(4, "a start names no deployment: startedBy %q, group %q, clientToken %q", in.StartedBy, in.Group, in.ClientToken)
			return
		}
		w.checkFrozen(action, dep.EnvironmentID)
	case "StopTask":
		t := w.truth.tasks[in.Task]
		if t == nil || t.environment == "" || !strings.HasPrefix(t.startedBy, daemon.StartedByPrefix) {
			w.violate(4, "a stop of a task that is not ours: %s", in.Task)
			return
		}
		env := w.truth.environments[t.environment]
		if who, why, ok := strings.Cut(in.Reason, ": "); env == nil || !ok || why == "" || !strings.HasPrefix(who, "Blox environment "+env.name) {
			w.violate(4, "a stop names neither environment nor reason: %q", in.Reason)
		}
		if !t.live() {
			w.met("stop repeated")
		}
		w.checkFrozen(action, t.environment)
	case "PutAttributes":
		for _, a := range in.Attributes {
			if a.Name == handoverAttribute {
				w.handedOver(a.Value, a.TargetID)
			}
		}
	}
}

// called sees a call after ECS did.
func (w *world) called(action string, response *http.Response) {
	inv := w.current
	if action == "DescribeTasks" && inv != nil && response.StatusCode == http.StatusOK {
		inv.asked = w.now
	}
	if response.StatusCode == http.StatusOK && action != "RunTask" {
		return
	}
	body := peek(response)
	var answer struct {
		Type     string `json:"__type"`
		Failures []struct {
			Reason string `json:"reason"`
		} `json:"failures"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		panic(fmt.Sprintf("sim: %s answered %q", action, body))
	}
	kind := answer.Type
	for _, f := range answer.Failures {
		if kind == "" || strings.HasPrefix(kind, "MemberOf") {
			kind = f.Reason
		}
	}
	if kind == "" {
		return
	}
	w.met("ECS answered " + action + " with " + kind)
	w.trace(inv, action, kind)
	if strings.Contains(kind, "Throttling") {
		w.violate(4, "Blox made more calls than ECS allows: %s was throttled", action)
	}
}
