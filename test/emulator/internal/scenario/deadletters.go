package scenario

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/reconcile/request"
	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/wakeup"
	"github.com/blox/blox/test/emulator/internal/host"
)

// blox runs the command as an operator would, against the emulated account, and gives what it printed.
func (s *Scenario) blox(ctx context.Context, arguments ...string) (string, error) {
	key := s.host.Principals[host.Operator]
	cmd := exec.CommandContext(ctx, s.command, append(arguments, "--stack", s.host.StackName)...) //nolint:gosec // the command under test
	cmd.Env = []string{
		"AWS_ENDPOINT_URL=" + s.host.ProxyURL, "AWS_REGION=" + s.host.Template.Region, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=" + key.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + key.SecretAccessKey,
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "HOME=/nonexistent",
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("blox %s: %w: %s", strings.Join(arguments, " "), err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

// letter is what is put into a dead-letter queue, and how it is known when it was sent back and worked on.
type letter struct {
	queue, output string
	put           func(ctx context.Context, url string) error
	// back is nil for what cannot be sent back.
	back func(ctx context.Context) (bool, string, error)
}

// deadLetters puts a message into each dead-letter queue, looks at it, begins a move and ends it, and sends all back.
func (s *Scenario) deadLetters(ctx context.Context) error {
	letters, err := s.letters(ctx)
	if err != nil {
		return err
	}
	for _, l := range letters {
		if err := s.deadLetter(ctx, l); err != nil {
			return fmt.Errorf("queue %s: %w", l.queue, err)
		}
	}
	listed, err := s.blox(ctx, "dlq", "list", "-o", "json")
	if err != nil && !strings.Contains(err.Error(), "exit status 1") { // two queues still hold what cannot go back
		return err
	}
	for _, l := range letters {
		if !strings.Contains(listed, `"`+l.queue+`"`) {
			return fmt.Errorf("blox dlq list does not name the queue %s: %s", l.queue, listed)
		}
	}
	return s.purge(ctx, "StreamFailuresUrl", "ScheduleDeadLettersUrl")
}

func (s *Scenario) deadLetter(ctx context.Context, l letter) error {
	url, err := s.host.Queue(ctx, l.output)
	if err != nil {
		return err
	}
	if err := l.put(ctx, url); err != nil {
		return err
	}
	shown, err := s.blox(ctx, "dlq", "show", l.queue, "-o", "json")
	if err != nil {
		return err
	}
	if strings.TrimSpace(shown) == "" || strings.TrimSpace(shown) == "[]" {
		return fmt.Errorf("it shows no message")
	}
	if l.back == nil {
		if _, err := s.blox(ctx, "dlq", "redrive", l.queue, "--yes"); err == nil || !strings.Contains(err.Error(), "cannot be sent back") {
			return fmt.Errorf("a redrive should have been refused: %w", err)
		}
		return nil
	}
	if l.queue != "rule" { // SQS moves no messages of a queue that is no dead-letter queue of its own
		if _, err := s.blox(ctx, "dlq", "redrive", l.queue, "--yes", "--timeout", "1ns"); err == nil || !strings.Contains(err.Error(), "it was ended") {
			return fmt.Errorf("a move without time should have been ended: %w", err)
		}
	}
	if _, err := s.blox(ctx, "dlq", "redrive", l.queue, "--yes"); err != nil {
		return err
	}
	return s.wait(ctx, "what was sent back to be worked on", l.back)
}

// letters are one of each queue. What goes back is good by now, as if its cause had been removed.
func (s *Scenario) letters(ctx context.Context) ([]letter, error) {
	e, err := s.reader.GetEnvironment(ctx, environment)
	if err != nil {
		return nil, err
	}
	at := time.Now()
	key := state.ClusterKey{Account: s.host.Template.Account, Region: s.host.Template.Region, Name: cluster}
	text := func(body string) func(context.Context, string) error {
		return func(ctx context.Context, url string) error { return s.host.Account.Send(ctx, url, body) }
	}
	reads := s.calls("drive", "GetItem")
	return []letter{
		s.eventLetter("events", "EventsDeadLettersUrl"),
		s.eventLetter("rule", "RuleDeadLettersUrl"),
		{"reconcile", "ReconcileDeadLettersUrl", func(ctx context.Context, url string) error {
			return request.SendCluster(ctx, queue.NewSQS(s.host.Account.SQS, url), key, at)
		}, func(ctx context.Context) (bool, string, error) {
			c, err := s.reader.GetCluster(ctx, cluster)
			return err == nil && c.LastReconciledAt != nil && !c.LastReconciledAt.Before(at), fmt.Sprint(c.LastReconciledAt), err
		}},
		{"wakeups", "WakeupsDeadLettersUrl", func(ctx context.Context, url string) error {
			return wakeup.Send(ctx, queue.NewSQS(s.host.Account.SQS, url), 0, wakeup.Wakeup{EnvironmentID: e.ID})
		}, func(context.Context) (bool, string, error) {
			n := s.calls("drive", "GetItem")
			return n > reads, fmt.Sprintf("%d reads of drive, %d before", n, reads), nil
		}},
		{"stream", "StreamFailuresUrl", text(`{"requestContext":{"condition":"RetryAttemptsExhausted"}}`), nil},
		{"schedules", "ScheduleDeadLettersUrl", text(`{"source":"blox.tick"}`), nil},
	}, nil
}

// eventLetter is the event of a task that ended just now.
func (s *Scenario) eventLetter(name, output string) letter {
	id := strings.ToLower(rand.Text()) + "000000"
	return letter{name, output, func(ctx context.Context, url string) error {
		arn, detail, at, err := s.oldTask(cluster, id, time.Minute)
		if err != nil {
			return err
		}
		body, err := json.Marshal(map[string]any{
			"version": "0", "id": id, "detail-type": "ECS Task State Change", "source": "aws.ecs", "account": s.host.Template.Account,
			"region": s.host.Template.Region, "time": at, "resources": []string{arn}, "detail": json.RawMessage(detail),
		})
		if err != nil {
			return err
		}
		return s.host.Account.Send(ctx, url, string(body))
	}, func(ctx context.Context) (bool, string, error) {
		_, err := s.reader.GetTask(ctx, cluster, id)
		return err == nil, "", err
	}}
}

func (s *Scenario) purge(ctx context.Context, outputs ...string) error {
	for _, output := range outputs {
		url, err := s.host.Queue(ctx, output)
		if err != nil {
			return err
		}
		if _, err := s.host.Account.SQS.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: &url}); err != nil {
			return fmt.Errorf("emptying the queue of %s: %w", output, err)
		}
	}
	return nil
}
