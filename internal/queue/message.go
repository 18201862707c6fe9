package queue

import (
	"errors"
	"fmt"
)

// Limits of SQS.
const (
	MaxBatch       = 10      // messages in one call, of sending as of receiving
	MaxBytes       = 1 << 20 // of a message with its attributes, and of a batch
	MaxAttributes  = 10
	maxGroupLength = 128 // of a group and of a deduplication id
)

// attributeType is the data type of every attribute we send; SQS counts it as part of the message.
const attributeType = "String"

// Size is what SQS counts against MaxBytes: the body, and names, types and values of the attributes.
func (m Message) Size() int {
	size := len(m.Body)
	for name, value := range m.Attributes {
		size += len(name) + len(attributeType) + len(value)
	}
	return size
}

// Validate refuses what SQS would refuse. fifo says which kind of queue the message is for.
func (m Message) Validate(fifo bool) error {
	switch {
	case m.Body == "":
		return errors.New("the body is empty: SQS takes 1 byte to 1 MiB")
	case m.Size() > MaxBytes:
		return fmt.Errorf("the message has %d bytes with its attributes: SQS takes at most %d", m.Size(), MaxBytes)
	case len(m.Attributes) > MaxAttributes:
		return fmt.Errorf("%d attributes: SQS takes at most %d", len(m.Attributes), MaxAttributes)
	case m.Delay < 0 || m.Delay > MaxDelay:
		return fmt.Errorf("delay %s: SQS takes 0 to %s", m.Delay, MaxDelay)
	case fifo && m.Delay != 0:
		return fmt.Errorf("delay %s: a FIFO queue takes no delay per message", m.Delay)
	case fifo && m.Group == "":
		return errors.New("no group: a FIFO queue needs one")
	case fifo && m.DeduplicationID == "":
		return errors.New("no deduplication id: a FIFO queue needs one")
	case !fifo && m.DeduplicationID != "":
		return fmt.Errorf("deduplication id %q: only FIFO queues have one", m.DeduplicationID)
	case len(m.Group) > maxGroupLength || len(m.DeduplicationID) > maxGroupLength:
		return fmt.Errorf("group of %d and deduplication id of %d characters: SQS takes at most %d", len(m.Group), len(m.DeduplicationID), maxGroupLength)
	}
	for name, value := range m.Attributes {
		if name == "" || value == "" {
			return fmt.Errorf("attribute %q has the value %q: SQS takes neither an empty name nor an empty value", name, value)
		}
	}
	return nil
}

// validateAll names the first message that is refused by its place.
func validateAll(messages []Message, fifo bool) error {
	for i, m := range messages {
		if err := m.Validate(fifo); err != nil {
			return fmt.Errorf("message %d of %d: %w", i+1, len(messages), err)
		}
	}
	return nil
}
