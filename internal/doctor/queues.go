package doctor

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// deadLetterOutput is what the stack calls the addresses of queues that should be empty: EventsDeadLettersUrl,
// StreamFailuresUrl.
var deadLetterOutput = regexp.MustCompile(`(DeadLetters|Failures)Url$`)

// waiting are the attributes that count messages: ready, being looked at, and delayed.
var waiting = []types.QueueAttributeName{
	types.QueueAttributeNameApproximateNumberOfMessages,
	types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
}

func (d *examination) deadLetters(ctx context.Context) {
	outputs, api := d.whereQueuesAre()
	if api == nil {
		d.add(skipped(checkDeadLetters, "without a stack it is not known where they are"))
		return
	}
	var results []Result
	queues := 0
	for _, output := range slices.Sorted(maps.Keys(outputs)) {
		if !deadLetterOutput.MatchString(output) {
			continue
		}
		queues++
		url := outputs[output]
		count, err := messages(ctx, api, url)
		switch {
		case err != nil:
			results = append(results, fail(checkDeadLetters, output+" cannot be read: "+d.Explain(err),
				"allow this identity sqs:GetQueueAttributes on it, or look whether the queue is still there"))
		case count > 0:
			results = append(results, fail(checkDeadLetters, fmt.Sprintf("%s has %d messages", output, count),
				"see them with blox dlq show, or read one (aws sqs receive-message --visibility-timeout 0 --message-attribute-names All --queue-url "+url+"): its attributes say why it is there; "+
					"when the cause is gone, send them back or delete them, as docs/deploy.md says under Dead-letter queues"))
		}
	}
	switch {
	case queues == 0:
		d.add(warn(checkDeadLetters, "the stack has no output with the address of a dead-letter queue", "is it the stack of Blox, and of this version?"))
	case len(results) == 0:
		d.add(ok(checkDeadLetters, "%d queues, all empty", queues))
	default:
		d.add(bounded(results)...)
	}
}

// whereQueuesAre are the addresses of queues, by the outputs that tell them, and who knows of the queues; nil if neither a
// stack nor a blox local is there.
func (d *examination) whereQueuesAre() (map[string]string, Queues) {
	switch {
	case d.found != nil:
		return d.found.Outputs, d.AWS.Queues
	case d.Local != nil:
		return d.Local.Outputs, d.Local.Queues
	default:
		return nil, nil
	}
}

// messages is how many messages a queue has, about.
func messages(ctx context.Context, api Queues, url string) (count int, err error) {
	out, err := api.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: waiting})
	if err != nil {
		return 0, err
	}
	for _, name := range waiting {
		n, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return 0, fmt.Errorf("SQS answered no number for %s: %q", name, out.Attributes[string(name)])
		}
		count += n
	}
	return count, nil
}
