// Package reconcile is the Lambda function that compares stored state with ECS.
// It has two triggers: a schedule, which only puts a sweep of each account and
// region on the function's own FIFO queue, and that queue, with
// ReportBatchItemFailures on. A sweep asks, through the same queue, for a pass over
// each cluster, in a group of its own: clusters are worked on side by side, as many
// as the queue's mapping lets (ten), and share the budget of ECS calls: where as many
// are slow, the others wait for them. One cluster is worked on by one at a time,
// however often the schedule fires. A pass that runs out of time is delivered again
// and goes on where it stopped. What failed otherwise is left to the next sweep,
// which comes sooner than the message would.
package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/blox/blox/internal/metrics"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/reconcile"
	"github.com/blox/blox/internal/reconcile/request"
)

// ScheduleSource is the source of a schedule's payload.
const ScheduleSource = "blox.schedule"

// Schedule is what the schedule sends. EventBridge Scheduler fills in
// "scheduledTime":"<aws.scheduler.scheduled-time>"; without a time it is now.
type Schedule struct {
	Source        string     `json:"source"`
	ScheduledTime *time.Time `json:"scheduledTime,omitempty"`
}

// Config is what a Handler needs.
type Config struct {
	// Places are what to reconcile: one for each account and region, each with its own ECS and budget.
	Places []reconcile.Config
	// Queue is the function's own queue.
	Queue   queue.Sender
	Now     func() time.Time
	Metrics metrics.Sink
	Logger  *slog.Logger
}

// Handler translates between Lambda and the reconciler.
type Handler struct {
	cfg         Config
	reconcilers map[place]*reconcile.Reconciler
}

type place struct{ account, region string }

// New makes a Handler.
func New(cfg Config) *Handler {
	h := &Handler{cfg: cfg, reconcilers: map[place]*reconcile.Reconciler{}}
	for _, p := range cfg.Places {
		h.reconcilers[place{p.Account, p.Region}] = reconcile.New(p)
	}
	return h
}

// Handle takes a schedule's payload or a batch of the queue. The response names
// the messages that SQS is to deliver again.
func (h *Handler) Handle(ctx context.Context, payload json.RawMessage) (events.SQSEventResponse, error) {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	var shape struct {
		Schedule
		Records []events.SQSMessage `json:"Records"`
	}
	if err := json.Unmarshal(payload, &shape); err != nil {
		return response, fmt.Errorf("reading the payload: %w", err)
	}
	if shape.Source == ScheduleSource {
		at := h.cfg.Now()
		if shape.ScheduledTime != nil {
			at = *shape.ScheduledTime
		}
		return response, h.askForSweeps(ctx, at)
	}
	if shape.Records == nil {
		return response, fmt.Errorf("unknown payload: allowed are an SQS event and {\"source\": %q}", ScheduleSource)
	}
	ctx, cancel := withMargin(ctx)
	defer cancel()
	// Order means nothing here, though the queue keeps it: after a failure the
	// rest of the batch is still good work.
	for _, message := range shape.Records {
		if err := h.request(ctx, message); err != nil {
			h.cfg.Logger.ErrorContext(ctx, "no time is left for a request to reconcile", "messageId", message.MessageId, "error", err)
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: message.MessageId})
		}
	}
	if n := len(response.BatchItemFailures); n > 0 {
		h.cfg.Metrics.Put([]metrics.Value{{Name: metrics.ReconcileMessagesFailed, Value: int64(n)}})
	}
	return response, nil
}

// askForSweeps asks for a sweep of each place. One that cannot be asked for does not keep the others from theirs; all are
// asked for again when the schedule is delivered again, and those that were taken count once.
func (h *Handler) askForSweeps(ctx context.Context, at time.Time) error {
	var failures []error
	for _, p := range h.cfg.Places {
		failures = append(failures, request.SendSweep(ctx, h.cfg.Queue, p.Account, p.Region, at))
	}
	return errors.Join(failures...)
}

// request does what one message asks. The error says that the time is up before
// it is done. A message that can never be done, or that failed, is logged and
// dropped: the next sweep sees whatever it was about, and a FIFO queue would hold
// back the cluster's other messages for it.
func (h *Handler) request(ctx context.Context, message events.SQSMessage) error {
	asked, err := request.Parse(message.Body)
	var reconciler *reconcile.Reconciler
	if err == nil {
		reconciler, err = h.reconcilerOf(asked)
	}
	if err != nil {
		h.cfg.Logger.ErrorContext(ctx, "dropped a request to reconcile", "messageId", message.MessageId, "error", err)
		return nil
	}
	switch asked.Kind {
	case request.KindSweep:
		_, err = reconciler.Sweep(ctx, h.cfg.Queue, asked.At)
	case request.KindCluster:
		_, err = reconciler.Cluster(ctx, asked)
	default:
		_, err = reconciler.Describe(ctx, asked)
	}
	if err != nil && ctx.Err() == nil {
		h.cfg.Logger.ErrorContext(ctx, "a request to reconcile failed", "messageId", message.MessageId, "kind", asked.Kind, "error", err)
		return nil
	}
	return err
}

// reconcilerOf is the one for the place that a request is about.
func (h *Handler) reconcilerOf(asked request.Request) (*reconcile.Reconciler, error) {
	p := place{asked.Account, asked.Region}
	if reconciler := h.reconcilers[p]; reconciler != nil {
		return reconciler, nil
	}
	return nil, fmt.Errorf("the request is for account %s in region %s, which is no member of this installation", p.account, p.region)
}

// margin is left of the function's time to answer. A function that is killed
// gives back its whole batch, the messages it has done included.
const margin = 10 * time.Second

func withMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, deadline.Add(-margin))
}
