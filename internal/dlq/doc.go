// Package dlq looks into the dead-letter queues of an installation and sends what lies there back.
//
// Looking changes nothing but the receive counts: a message is received, and given back at once when all have been
// looked at. Sending back comes in two ways. A whole queue is moved by SQS itself (StartMessageMoveTask), always to
// a queue that is named: what ingest set aside was sent to the dead-letter queue, and SQS does not know where such a
// message came from. Single messages, and those that no queue of SQS set aside, are received, sent and then deleted,
// in this order: whatever fails in between leaves a message twice and never not at all. Twice is harmless, for
// events are stored by version.
package dlq
