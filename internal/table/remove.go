package table

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/table/schema"
)

// DeletedEnvironment is an environment that was removed, as it was last.
type DeletedEnvironment struct {
	Environment daemon.Environment `json:"environment"`
	DeletedAt   time.Time          `json:"deletedAt"`
}

const (
	deletedPK = "deleted"
	// deletedKeptFor is how long a removed environment can still be looked up.
	deletedKeptFor = 24 * time.Hour
)

func deletedSK(name, id string) string { return name + "/" + id }

// RemoveEnvironment deletes all that is kept of an environment, but for its lease, which the caller holds and drops
// (DropLease), and for a DeletedEnvironment that says when. It may be repeated after a crash: what makes the environment
// found goes last, and at once. The timeline is left to its TTL: nothing leads to it any more, and of a large environment it has
// more entries than an invocation can delete.
func (d *Daemon) RemoveEnvironment(ctx context.Context, env daemon.Environment, at time.Time) error {
	for _, cluster := range env.Clusters {
		if err := d.delete(ctx, itemKey(membershipPK(cluster), env.ID)); err != nil {
			return fmt.Errorf("removing environment %s from cluster %s: %w", env.Name, cluster, err)
		}
	}
	items, err := queryAll(ctx, d.db, &dynamodb.QueryInput{
		TableName: &d.name, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :pk"),
		ProjectionExpression:      aws.String("pk, sk"),
		ExpressionAttributeValues: Item{":pk": stringValue(environmentPK(env.ID))},
	})
	if err != nil {
		return fmt.Errorf("listing what is left of environment %s: %w", env.Name, err)
	}
	for _, key := range items {
		switch sk := stringOf(key, schema.SortKey); {
		case sk == environmentSK, sk == leaseSK, strings.HasPrefix(sk, timelinePrefix):
			continue
		}
		if err := d.delete(ctx, key); err != nil {
			return fmt.Errorf("removing what is left of environment %s: %w", env.Name, err)
		}
	}
	return d.removeNamed(ctx, env, at)
}

// removeNamed deletes the environment, frees its name and notes that it was there, in one transaction: with only one of
// the first two left, nobody could find the environment again or use its name. What is gone already stays as it is noted.
func (d *Daemon) removeNamed(ctx context.Context, env daemon.Environment, at time.Time) error {
	deleted, err := encode(deletedPK, deletedSK(env.Name, env.ID), DeletedEnvironment{Environment: env, DeletedAt: at.UTC()})
	if err != nil {
		return err
	}
	deleted[schema.TTL] = numberValue(at.Add(deletedKeptFor).Unix())
	_, err = d.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Delete: &types.Delete{
			TableName: &d.name, Key: itemKey(environmentPK(env.ID), environmentSK),
			ConditionExpression: aws.String("attribute_exists(pk)"),
		}},
		{Delete: &types.Delete{TableName: &d.name, Key: itemKey(directoryPK, env.Name)}},
		{Put: &types.Put{TableName: &d.name, Item: deleted}},
	}})
	if err == nil || removedBefore(err) {
		return nil
	}
	return fmt.Errorf("removing environment %s: %w", env.Name, conflict(err))
}

// removedBefore says that the first condition of a transaction did not hold: the environment is gone, and a new one may
// have its name.
func removedBefore(err error) bool {
	var canceled *types.TransactionCanceledException
	return errors.As(err, &canceled) && len(canceled.CancellationReasons) > 0 &&
		aws.ToString(canceled.CancellationReasons[0].Code) == "ConditionalCheckFailed"
}

func (d *Daemon) delete(ctx context.Context, key Item) error {
	_, err := d.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &d.name, Key: key})
	return err
}

// DeletedEnvironments lists the environments that were removed in the 24 hours before now, by name; of those that had the
// same name, in no order.
func (d *Daemon) DeletedEnvironments(ctx context.Context, now time.Time) ([]DeletedEnvironment, error) {
	return d.deleted(ctx, "", now)
}

// DeletedEnvironment is the last one that had the name and was removed in the 24 hours before now. ErrNotFound: there is
// none.
func (d *Daemon) DeletedEnvironment(ctx context.Context, name string, now time.Time) (DeletedEnvironment, error) {
	all, err := d.deleted(ctx, deletedSK(name, ""), now)
	if err != nil {
		return DeletedEnvironment{}, err
	}
	var last DeletedEnvironment
	for _, e := range all {
		if e.DeletedAt.After(last.DeletedAt) {
			last = e
		}
	}
	if last.Environment.ID == "" {
		return last, fmt.Errorf("deleted environment %s: %w", name, ErrNotFound)
	}
	return last, nil
}

// deleted leaves out what DynamoDB's TTL would have deleted by now: it does so days late.
func (d *Daemon) deleted(ctx context.Context, prefix string, now time.Time) ([]DeletedEnvironment, error) {
	in := &dynamodb.QueryInput{
		TableName: &d.name, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :pk"),
		FilterExpression: aws.String("#ttl > :now"), ExpressionAttributeNames: map[string]string{"#ttl": schema.TTL},
		ExpressionAttributeValues: Item{":pk": stringValue(deletedPK), ":now": numberValue(now.Unix())},
	}
	if prefix != "" {
		in.KeyConditionExpression = aws.String("pk = :pk AND begins_with(sk, :prefix)")
		in.ExpressionAttributeValues[":prefix"] = stringValue(prefix)
	}
	items, err := queryAll(ctx, d.db, in)
	if err != nil {
		return nil, fmt.Errorf("listing deleted environments: %w", err)
	}
	return decodeAll[DeletedEnvironment](items)
}
