package local

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"
)

// schedule is an EventBridge Scheduler schedule: it invokes a function at once and then in every period, with always the
// same payload. What the function answers is of no interest to it, and a failure is left to the next time.
type schedule struct {
	function *function
	payload  json.RawMessage
	period   time.Duration
	log      *slog.Logger
}

// run invokes until ctx ends; calls is the context of the invocations. A tick that falls into an invocation that still
// runs is left out.
func (s *schedule) run(ctx, calls context.Context) {
	ticker := time.NewTicker(s.period)
	defer ticker.Stop()
	for ctx.Err() == nil {
		var ignored json.RawMessage
		if err := s.function.invoke(calls, s.payload, &ignored); err != nil {
			s.log.Warn("a scheduled invocation failed", "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}
