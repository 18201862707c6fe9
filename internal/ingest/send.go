package ingest

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/reconcile/request"
	"github.com/blox/blox/internal/state"
)

// sendHints asks reconcile to look at what an event could not say itself.
func (i *Ingester) sendHints(ctx context.Context, b *batch) {
	entries := b.each(hint)
	var hints []request.Hint
	for _, e := range entries {
		cause := e.event.ID
		if cause == "" {
			cause = e.record.ID
		}
		for _, id := range e.event.Hint.IDs {
			key := state.Key{Kind: e.event.Hint.Kind, Cluster: e.event.Hint.Cluster, ID: id}
			hints = append(hints, request.Hint{Key: key, Cause: cause})
		}
	}
	if err := request.SendDescribes(ctx, i.cfg.Hints, hints); err != nil {
		for _, e := range entries {
			e.fail(err)
		}
	}
}

// The attributes of a dead letter. Its body is the event as it came, so that it
// can be sent to the events queue again as it is.
const (
	attributeReason = "reason"
	attributeError  = "error"
)

// Attributes count against the size of a message, and the body may fill almost
// all of it.
const (
	maxReasonBytes = 128
	maxErrorBytes  = 512
)

// sendDead sets aside what can never be stored. If the dead-letter queue does
// not take it, it stays in the events queue.
func (i *Ingester) sendDead(ctx context.Context, b *batch) {
	var entries []*entry
	var messages []queue.Message
	for _, e := range b.each(dead) {
		message := deadLetter(e)
		// A message that SQS can never take would keep the others from being sent.
		if err := message.Validate(false); err != nil {
			e.fail(fmt.Errorf("making a dead letter: %w", err))
			continue
		}
		entries, messages = append(entries, e), append(messages, message)
	}
	if len(messages) == 0 {
		return
	}
	if err := i.cfg.DeadLetters.Send(ctx, messages); err != nil {
		for _, e := range entries {
			e.fail(fmt.Errorf("sending dead letters: %w", err))
		}
	}
}

// deadLetter says why in attributes, as far as SQS's limit leaves room for them
// beside the event itself.
func deadLetter(e *entry) queue.Message {
	message := queue.Message{Body: e.record.Body, Attributes: map[string]string{
		attributeReason: attributeValue(e.reason, maxReasonBytes),
		attributeError:  attributeValue(e.err.Error(), maxErrorBytes),
	}}
	for _, attribute := range []string{attributeError, attributeReason} {
		if message.Size() > queue.MaxBytes {
			delete(message.Attributes, attribute)
		}
	}
	return message
}

// attributeValue makes a text that SQS takes as the value of an attribute: not
// empty, not long, and of the characters that XML allows.
func attributeValue(text string, maxBytes int) string {
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, text)
	if len(text) > maxBytes {
		text = strings.ToValidUTF8(text[:maxBytes], "")
	}
	if text == "" {
		return "unknown"
	}
	return text
}
