package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/blox/blox/internal/dynamo"
	dynamolocal "github.com/blox/blox/internal/dynamo/local"
	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/table/schema"
)

// expiryPeriod is how often the engine in memory deletes what has expired; DynamoDB takes hours.
const expiryPeriod = time.Minute

// tableTimeout bounds how long the tables may take until they are there.
const tableTimeout = 30 * time.Second

// store is the two tables and the stream of the first.
type store struct {
	db            dynamo.API
	state, daemon string // names of the tables
	description   string // for people
	// run does what the engine does by itself, until the context ends.
	run func(ctx context.Context)
	// close takes down what openStore has set up.
	close func(ctx context.Context) error
}

// openStore makes both tables, empty. emit gets the change records of the STATE table, in order for each item.
func openStore(ctx context.Context, cfg Config, runID string, client *http.Client, emit func(events.DynamoDBEventRecord)) (*store, error) {
	if cfg.Store == StoreMemory {
		return openMemory(ctx, cfg, emit)
	}
	return openDynamoDB(ctx, cfg, runID, client, emit)
}

func openMemory(ctx context.Context, cfg Config, emit func(events.DynamoDBEventRecord)) (*store, error) {
	s := &store{state: schema.State.LogicalName, daemon: schema.Daemon.LogicalName, description: "in memory", close: func(context.Context) error { return nil }}
	db := memory.New(memory.WithClock(cfg.Now), memory.WithStream(func(_ string, r events.DynamoDBEventRecord) { emit(r) }))
	s.db = db
	s.run = func(ctx context.Context) {
		for ctx.Err() == nil {
			pause(ctx, expiryPeriod)
			db.ExpireItems(cfg.Now())
		}
	}
	err := s.create(ctx)
	return s, err
}

// openDynamoDB makes tables of its own in the DynamoDB that runs already, else in a DynamoDB Local that it starts. Their
// names are this run's: what an earlier run left behind is another simulator's truth.
func openDynamoDB(ctx context.Context, cfg Config, runID string, client *http.Client, emit func(events.DynamoDBEventRecord)) (*store, error) {
	prefix := "blox-local-" + runID + "-"
	s := &store{state: prefix + schema.State.LogicalName, daemon: prefix + schema.Daemon.LogicalName}
	endpoint := cfg.Endpoint
	if endpoint == "" {
		server, err := startDynamoDBLocal(ctx)
		if err != nil {
			return nil, err
		}
		endpoint = server.Endpoint
		// The tables end with it.
		s.close = func(context.Context) error { server.Stop(); return nil }
	} else {
		s.close = s.drop
	}
	identity := credentials.NewStaticCredentialsProvider("testing", "testing", "")
	db := dynamodb.New(dynamodb.Options{Region: region, BaseEndpoint: &endpoint, Credentials: identity, HTTPClient: client})
	s.db, s.description = db, fmt.Sprintf("DynamoDB at %s, tables %s and %s", endpoint, s.state, s.daemon)
	if err := s.create(ctx); err != nil {
		return nil, errors.Join(err, s.close(context.WithoutCancel(ctx)))
	}
	arn, err := s.streamARN(ctx)
	if err != nil {
		return nil, errors.Join(err, s.close(context.WithoutCancel(ctx)))
	}
	streams := dynamodbstreams.New(dynamodbstreams.Options{Region: region, BaseEndpoint: &endpoint, Credentials: identity, HTTPClient: client})
	shards := &reader{api: streams, arn: arn, emit: emit, log: cfg.Log}
	s.run = func(ctx context.Context) { shards.run(ctx, cfg.Now) }
	return s, nil
}

// startDynamoDBLocal starts an engine that runs until it is stopped; ctx bounds the start alone.
func startDynamoDBLocal(ctx context.Context) (*dynamolocal.Server, error) {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	keep := context.AfterFunc(ctx, cancel)
	server, err := dynamolocal.Start(running, dynamolocal.Options{})
	if !keep() || err != nil { // the start's context ended in the meantime
		cancel()
		return nil, errors.Join(err, ctx.Err())
	}
	return server, nil
}

// create makes the tables and waits until they can be used.
func (s *store) create(ctx context.Context) error {
	for name, definition := range map[string]schema.Table{s.state: schema.State, s.daemon: schema.Daemon} {
		if err := table.Create(ctx, s.db, name, definition); err != nil {
			return fmt.Errorf("making the tables: %w", oneSentence(err))
		}
	}
	return nil
}

// drop deletes the tables of this run.
func (s *store) drop(ctx context.Context) error {
	var errs []error
	for _, name := range []string{s.state, s.daemon} {
		if _, err := s.db.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			errs = append(errs, fmt.Errorf("deleting table %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// streamARN waits until both tables are ACTIVE and returns the stream of the first.
func (s *store) streamARN(ctx context.Context) (string, error) {
	var db dynamodb.DescribeTableAPIClient = describer{s.db}
	waiter := dynamodb.NewTableExistsWaiter(db, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second
	})
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &s.daemon}, tableTimeout); err != nil {
		return "", fmt.Errorf("waiting for table %s: %w", s.daemon, err)
	}
	out, err := waiter.WaitForOutput(ctx, &dynamodb.DescribeTableInput{TableName: &s.state}, tableTimeout)
	if err != nil {
		return "", fmt.Errorf("waiting for table %s: %w", s.state, err)
	}
	arn := aws.ToString(out.Table.LatestStreamArn)
	if arn == "" {
		return "", fmt.Errorf("table %s has no stream", s.state)
	}
	return arn, nil
}

// describer makes the SDK's waiter take any engine.
type describer struct{ dynamo.API }

// oneSentence keeps the last part of an SDK error's many lines of what went wrong on the way.
func oneSentence(err error) error {
	if text := err.Error(); strings.Contains(text, "\n") {
		return errors.New(strings.Join(strings.Fields(text), " "))
	}
	return err
}
