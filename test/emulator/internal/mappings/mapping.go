// Package mappings does what Lambda's event source mappings do: it polls the queues and streams that the deployed
// mappings name and invokes their functions, with the mappings' own batch sizes, filters, retries and destinations.
package mappings

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/blox/blox/test/emulator/internal/pattern"
)

// Mapping is a deployed event source mapping.
type Mapping struct {
	UUID        string
	Source      string // ARN of the queue or stream
	FunctionARN string
	Batch       int
	// Partial says that the answer names what failed of a batch.
	Partial     bool
	Concurrency int
	Filters     []string

	// Of streams.
	Bisect    bool
	Retries   int           // -1: until the record is too old
	MaxAge    time.Duration // 0: none but the stream's own
	OnFailure string        // ARN of the queue that hears of batches given up
}

// IsQueue tells a queue's mapping from a stream's.
func (m Mapping) IsQueue() bool { return strings.Contains(m.Source, ":sqs:") }

// maxPages bounds the list of mappings.
const maxPages = 20

// Read lists the mappings of the given functions.
func Read(ctx context.Context, api *lambda.Client, functionARNs []string) ([]Mapping, error) {
	wanted := map[string]bool{}
	for _, arn := range functionARNs {
		wanted[arn] = true
	}
	var found []Mapping
	pages := lambda.NewListEventSourceMappingsPaginator(api, &lambda.ListEventSourceMappingsInput{})
	for range maxPages {
		if !pages.HasMorePages() {
			return found, nil
		}
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing event source mappings: %w", err)
		}
		for _, m := range page.EventSourceMappings {
			if wanted[aws.ToString(m.FunctionArn)] {
				found = append(found, mapping(m))
			}
		}
	}
	return nil, fmt.Errorf("listing event source mappings: more than %d pages", maxPages)
}

func mapping(m types.EventSourceMappingConfiguration) Mapping {
	out := Mapping{
		UUID: aws.ToString(m.UUID), Source: aws.ToString(m.EventSourceArn), FunctionARN: aws.ToString(m.FunctionArn),
		Batch: int(aws.ToInt32(m.BatchSize)), Bisect: aws.ToBool(m.BisectBatchOnFunctionError), Retries: -1,
		MaxAge: time.Duration(max(0, aws.ToInt32(m.MaximumRecordAgeInSeconds))) * time.Second,
	}
	for _, t := range m.FunctionResponseTypes {
		out.Partial = out.Partial || t == types.FunctionResponseTypeReportBatchItemFailures
	}
	if m.ScalingConfig != nil {
		out.Concurrency = int(aws.ToInt32(m.ScalingConfig.MaximumConcurrency))
	}
	if m.MaximumRetryAttempts != nil {
		out.Retries = int(*m.MaximumRetryAttempts)
	}
	if m.FilterCriteria != nil {
		for _, f := range m.FilterCriteria.Filters {
			out.Filters = append(out.Filters, aws.ToString(f.Pattern))
		}
	}
	if m.DestinationConfig != nil && m.DestinationConfig.OnFailure != nil {
		out.OnFailure = aws.ToString(m.DestinationConfig.OnFailure.Destination)
	}
	return out
}

// TakeOver switches a mapping off in the emulator, which may try to run the function itself and would take messages
// that we are to see.
func TakeOver(ctx context.Context, api *lambda.Client, m Mapping) error {
	_, err := api.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{UUID: &m.UUID, Enabled: aws.Bool(false)})
	if err != nil {
		return fmt.Errorf("switching off the emulator's own polling of %s: %w", m.Source, err)
	}
	return nil
}

// Invoker is a function.
type Invoker interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// passes says whether a record is to be delivered: no filter, or one that matches.
func (m Mapping) passes(record any) (bool, error) {
	if len(m.Filters) == 0 {
		return true, nil
	}
	document, err := json.Marshal(record)
	if err != nil {
		return false, err
	}
	for _, filter := range m.Filters {
		ok, err := pattern.Match([]byte(filter), document)
		if err != nil {
			return false, fmt.Errorf("the filter %s of the mapping of %s: %w", filter, m.Source, err)
		}
		if ok {
			return true, nil
		}
	}
	return false, nil
}

// failures reads the identifiers of what failed. An answer that cannot be read fails the whole batch, as does an empty
// identifier: ok is false then.
func failures(answer []byte) (ids []string, ok bool) {
	var response struct {
		BatchItemFailures []struct {
			ItemIdentifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if json.Unmarshal(answer, &response) != nil {
		return nil, false
	}
	for _, failure := range response.BatchItemFailures {
		if failure.ItemIdentifier == "" {
			return nil, false
		}
		ids = append(ids, failure.ItemIdentifier)
	}
	return ids, true
}

// common is what pollers of both kinds have.
type common struct {
	Mapping  Mapping
	Function Invoker
	Region   string
	Log      *slog.Logger
}

// pause waits, or returns early when the context ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
