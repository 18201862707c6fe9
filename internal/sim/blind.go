package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/blox/blox/internal/ecssim"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// blindness is an ECS that answers nothing about a cluster: its lists are empty, and what is described is MISSING. It
// goes on for longer than a pass of reconcile, or not.
//
// Of many, nothing may be buried at the first pass. What is buried after all, at the second of two passes that agree,
// has to be back two passes after ECS answers again, by invariant 5: by a Describe, for most of it stands still and has
// no new version.
type blindness struct {
	until time.Time
	// heldAt is when a pass last stored that it held absences back; zero if the last pass held none.
	heldAt time.Time
	// Of the invocation that buries: its id, how many lived when it began to, and how many it has buried that live.
	invocation, living, buried int
}

// crowded is the cluster that ECS is blind for.
const crowded = "crowd"

func crowdKey() state.ClusterKey {
	return state.ClusterKey{Account: account, Region: region, Name: crowded}
}

// The bounds of the design beyond which absences are not believed at once.
const (
	massAbsent  = 50
	massPercent = 20
)

// quietFor is how old what is stored has to be to count as absent.
const quietFor = 10 * time.Minute

// prepareCrowd fills the cluster with tasks that stand still, and plans when ECS is blind for it.
func (w *world) prepareCrowd() {
	w.must("CreateCluster", map[string]any{"clusterName": crowded})
	w.must("RegisterTaskDefinition", map[string]any{
		"family": "still", "networkMode": "bridge", "containerDefinitions": []any{
			map[string]any{"name": "still", "image": "still", "cpu": 10, "memory": 64, "essential": true},
		},
	})
	for i := range 3 {
		w.ecs.AddHost(w.now, crowded, ecssim.HostSpec{
			EC2InstanceID: fmt.Sprintf("i-crowd%010d", i), CPU: 16384, Memory: 65536,
		})
	}
	for started := 0; started < w.f.crowd; started += 10 {
		w.must("RunTask", map[string]any{
			"cluster": crowded, "taskDefinition": "still", "startedBy": "crowd", "count": min(10, w.f.crowd-started),
		})
	}
	w.hear()
	begins := quietFor + 2*time.Minute + time.Duration(w.crowd.IntN(180))*time.Second
	lasts := time.Duration(1+w.crowd.IntN(5)) * time.Minute // no pass, or one
	if w.crowd.IntN(2) == 0 {
		lasts = 11*time.Minute + time.Duration(w.crowd.IntN(180))*time.Second
	}
	w.p.chaos = max(w.p.chaos, begins+lasts+time.Minute)
	w.after(begins, func() {
		w.met("ECS answers nothing about a cluster")
		w.note("ECS answers nothing about cluster %s for %s", crowded, lasts)
		w.blind.until = w.now.Add(lasts)
	})
}

// see is ECS answering again. People stop some of the tasks, and agents go away and come back: those have new versions.
func (w *world) see() {
	w.blind.until = time.Time{}
	for i, arn := range w.arnsOf(crowdKey(), state.KindTask) {
		if i%3 == 0 && w.truth.tasks[arn].live() {
			w.operator("StopTask", map[string]any{"cluster": crowded, "task": arn, "reason": "no longer needed"})
		}
	}
	for _, arn := range w.arnsOf(crowdKey(), state.KindContainerInstance)[:1] {
		if err := w.ecs.DisconnectAgent(w.now, crowded, arn); err != nil {
			panic(err)
		}
		w.hear()
		w.after(time.Duration(1+w.crowd.IntN(60))*time.Second, func() {
			if err := w.ecs.ReconnectAgent(w.now, crowded, arn); err != nil {
				panic(err)
			}
			w.hear()
		})
	}
}

// blindTo answers a call of a function in ECS's place, if ECS is blind for its cluster.
func (w *world) blindTo(action string, in request) (string, bool) {
	concerned := in.Cluster == crowded || strings.HasSuffix(in.Cluster, "/"+crowded)
	if !concerned || !w.now.Before(w.blind.until) {
		return "", false
	}
	switch action {
	case "ListTasks":
		return `{"taskArns":[]}`, true
	case "ListContainerInstances":
		return `{"containerInstanceArns":[]}`, true
	case "DescribeTasks":
		return missing("tasks", in.Tasks), true
	case "DescribeContainerInstances":
		return missing("containerInstances", in.Instances), true
	}
	return "", false
}

// missing is the answer that ECS has none of what was asked for.
func missing(what string, arns []string) string {
	failures := make([]map[string]string, len(arns))
	for i, arn := range arns {
		failures[i] = map[string]string{"arn": arn, "reason": "MISSING"}
	}
	answer, err := json.Marshal(map[string]any{what: []any{}, "failures": failures})
	if err != nil {
		panic(err) // strings only
	}
	return string(answer)
}

func answerOf(req *http.Request, status int, text string) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body:   io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)),
	}
}

// heldBack follows what passes over the crowd say in the cluster's row.
func (w *world) heldBack(row item) {
	if text(row, "sk") != crowdKey().String() {
		return
	}
	if n := text(row, "heldBack"); n == "" || n == "0" {
		w.blind.heldAt = time.Time{}
		return
	}
	w.met("absences held back")
	if w.blind.heldAt.IsZero() {
		w.blind.heldAt = w.now
	}
}

// checkBurial is the part of invariant 5 that one pass alone does not bury many that live: by then a pass must have
// said that it held absences back.
func (w *world) checkBurial(change table.RecordChange) {
	r := change.New
	if r.Cluster != crowdKey() || r.Kind != state.KindTask || r.Tombstone == nil || !r.Tombstone.Inferred ||
		change.Old == nil || change.Old.Tombstone != nil || !w.lives(r.ARN) {
		return
	}
	w.met("taken for gone while it lives")
	b := &w.blind
	if w.current == nil || w.current.id != b.invocation {
		b.living, b.buried = 1, 0 // this one lived until now
		for _, other := range w.mirror.records {
			if other.Cluster == r.Cluster && other.Kind == r.Kind && other.Tombstone == nil {
				b.living++
			}
		}
		if w.current != nil {
			b.invocation = w.current.id
		}
		w.after(time.Duration(w.crowd.IntN(100))*time.Millisecond, w.disturbBurial)
	}
	b.buried++
	if b.buried <= massAbsent || b.buried*100 <= b.living*massPercent {
		return
	}
	if b.heldAt.IsZero() || w.current == nil || !b.heldAt.Before(w.current.begun) {
		w.violate(5, "one pass took %d of the %d tasks of cluster %s for gone, which live", b.buried, b.living, crowded)
		return
	}
	w.met("a second pass agreed that many are gone")
}

// disturbBurial stops some of what is being buried: the moment at which what reconcile has read is most wrong.
func (w *world) disturbBurial() {
	w.met("tasks stop while they are taken for gone")
	for _, arn := range w.arnsOf(crowdKey(), state.KindTask) {
		if w.truth.tasks[arn].live() && w.crowd.IntN(8) == 0 {
			w.operator("StopTask", map[string]any{"cluster": crowded, "task": arn, "reason": "no longer needed"})
		}
	}
}
