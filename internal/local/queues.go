package local

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/blox/blox/internal/queue/sqssim"
)

// OutputsPath is where the API's listener tells what a stack's outputs would tell of the queues: the same names, with
// addresses in the simulator. The blox command asks it in the place of CloudFormation.
const OutputsPath = "/local/outputs"

// queueOutputs are the outputs with addresses of queues, and the names that the queues have here. EventBridge, the
// stream and the schedules are part of this process and lose nothing: their dead-letter queues are not there.
var queueOutputs = map[string]string{
	"EventsQueueUrl": "events", "EventsDeadLettersUrl": "events" + deadSuffix,
	"ReconcileQueueUrl": "reconcile.fifo", "ReconcileDeadLettersUrl": "reconcile" + deadSuffix + ".fifo",
	"WakeupQueueUrl": "wakeups", "WakeupsDeadLettersUrl": "wakeups" + deadSuffix,
}

const deadSuffix = "-dead-letters"

// simulateSQS makes the queues callable by the protocol of SQS.
func (s *System) simulateSQS(mappings ...*mapping) *sqssim.Service {
	service := sqssim.New(account, region, s.cfg.Now)
	for _, m := range mappings {
		name := m.queueARN[strings.LastIndexByte(m.queueARN, ':')+1:]
		service.Add(name, m.queue, m)
		bare, fifo := strings.CutSuffix(name, ".fifo")
		dead := bare + deadSuffix
		if fifo {
			dead += ".fifo"
		}
		service.Add(dead, m.dead, nil)
	}
	return service
}

// aws serves both simulated services at one address: the protocols tell them apart by a header. What has neither's path
// is what people change by hand.
func (s *System) aws() http.Handler {
	control := s.control()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.Header.Get("X-Amz-Target"), sqssim.TargetPrefix):
			s.sqs.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, controlPaths):
			control.ServeHTTP(w, r)
		default:
			s.sim.ServeHTTP(w, r)
		}
	})
}

// withOutputs answers OutputsPath before the API, to everyone: it says where the simulator is, which takes any
// caller.
func (s *System) withOutputs(api http.Handler) http.Handler {
	// No ServeMux: it would redirect paths that are not clean, which are the API's to judge.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != OutputsPath {
			api.ServeHTTP(w, r)
			return
		}
		outputs := make(map[string]string, len(queueOutputs))
		for output, name := range queueOutputs {
			outputs[output] = s.sqs.URL(s.ECSURL(), name)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(outputs) // a client that has gone needs no answer
	})
}
