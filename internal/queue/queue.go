// Package queue is how functions hand work to each other: Amazon SQS, or a queue in memory that behaves like it.
package queue

import (
	"context"
	"time"
)

// Message is a message to send.
type Message struct {
	Body string
	// Attributes are string message attributes.
	Attributes map[string]string
	// Delay hides the message at first: 0 to MaxDelay. FIFO queues have no delay per message.
	Delay time.Duration
	// Group orders the messages of a FIFO queue: one of a group is worked on at a time. Empty on standard queues.
	Group string
	// DeduplicationID makes a FIFO queue drop a second message with the same id within five minutes.
	DeduplicationID string
}

// MaxDelay is the longest DelaySeconds that SQS takes.
const MaxDelay = 15 * time.Minute

// Sender sends messages to one queue. An error says that some may not have been sent; sending again may double some,
// as any SQS queue may.
type Sender interface {
	Send(ctx context.Context, messages []Message) error
}
