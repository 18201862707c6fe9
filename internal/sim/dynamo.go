package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/dynamo/memory"
)

// database is the engine in memory as functions reach it: over a network, and watched.
type database struct {
	*memory.DB
	world *world
}

var _ dynamo.API = (*database)(nil)

type item = map[string]types.AttributeValue

func text(i item, name string) string {
	switch v := i[name].(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	}
	return ""
}

func keyOf(i item) string { return text(i, "pk") + " " + text(i, "sk") }

var (
	errThrottled = &smithy.GenericAPIError{Code: "ThrottlingException", Message: "Rate of requests exceeds the allowed throughput.", Fault: smithy.FaultServer}
	errLost      = fmt.Errorf("the answer was lost: %w", io.ErrUnexpectedEOF)
)

func query[Out any](d *database, name, target string, do func() (Out, error)) (Out, error) {
	return perform(d.world, effect{service: "dynamodb", name: name, target: target}, do, errThrottled, errLost)
}

func (d *database) write(name, target string, tender bool) effect {
	return effect{service: "dynamodb", name: name, target: target, writes: true, tender: tender}
}

// conflicted counts conditions that did not hold: another was faster.
func (d *database) conflicted(key string, err error) {
	var failed *types.ConditionalCheckFailedException
	var canceled *types.TransactionCanceledException
	if d.world.current != nil && (errors.As(err, &failed) || errors.As(err, &canceled)) {
		d.world.met("conflict on " + kindOfKey(key))
	}
}

func (d *database) GetItem(ctx context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return query(d, "GetItem", keyOf(in.Key), func() (*dynamodb.GetItemOutput, error) { return d.DB.GetItem(ctx, in) })
}

func (d *database) Query(ctx context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return query(d, "Query", aws.ToString(in.TableName)+" "+aws.ToString(in.IndexName), func() (*dynamodb.QueryOutput, error) { return d.DB.Query(ctx, in) })
}

func (d *database) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	return query(d, "BatchGetItem", "", func() (*dynamodb.BatchGetItemOutput, error) { return d.DB.BatchGetItem(ctx, in) })
}

func (d *database) PutItem(ctx context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	key := keyOf(in.Item)
	e := d.write("PutItem", key, kindOfKey(key) == "slot")
	e.feed = kindOfKey(key) == "feed" && text(in.Item, "sk") != "head"
	return perform(d.world, e, func() (*dynamodb.PutItemOutput, error) {
		out, err := d.DB.PutItem(ctx, in)
		d.conflicted(key, err)
		if err == nil {
			d.world.stored(in.Item) //nolint:contextcheck // the simulation looks, not the function
		}
		return out, err
	}, errThrottled, errLost)
}

func (d *database) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	key := keyOf(in.Key)
	return perform(d.world, d.write("UpdateItem", key, false), func() (*dynamodb.UpdateItemOutput, error) {
		out, err := d.DB.UpdateItem(ctx, in)
		d.conflicted(key, err)
		if err == nil && kindOfKey(key) == "lease" && strings.Contains(aws.ToString(in.UpdateExpression), "epoch =") {
			d.world.leaseTaken(text(in.Key, "pk"))
		}
		return out, err
	}, errThrottled, errLost)
}

func (d *database) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	key := keyOf(in.Key)
	return perform(d.world, d.write("DeleteItem", key, false), func() (*dynamodb.DeleteItemOutput, error) {
		out, err := d.DB.DeleteItem(ctx, in)
		d.conflicted(key, err)
		if err == nil {
			d.world.deleted(in.Key)
		}
		return out, err
	}, errThrottled, errLost)
}

// TransactWriteItems has, as the SDK's client has, a token of its own for each call, so that a client's second try of a
// transaction that was done is answered as the first would have been.
func (d *database) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, _ ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	d.world.transactions++
	call := *in
	call.ClientRequestToken = aws.String(fmt.Sprintf("transaction-%d", d.world.transactions))
	var puts, deletes []item
	target, tender, stop := "", false, ""
	for _, action := range in.TransactItems {
		key := ""
		switch {
		case action.Put != nil:
			key = keyOf(action.Put.Item)
			puts = append(puts, action.Put.Item)
		case action.Update != nil:
			key = keyOf(action.Update.Key)
		case action.Delete != nil:
			key = keyOf(action.Delete.Key)
			deletes = append(deletes, action.Delete.Key)
		case action.ConditionCheck != nil:
			if kindOfKey(keyOf(action.ConditionCheck.Key)) == "lease" {
				stop = text(action.ConditionCheck.Key, "pk")
			}
			continue
		}
		if target != "" {
			target += ", "
		}
		target += key
		tender = tender || kindOfKey(key) == "slot"
	}
	e := d.write("TransactWriteItems", target, tender)
	e.stop = stop
	first := true
	return perform(d.world, e, func() (*dynamodb.TransactWriteItemsOutput, error) {
		out, err := d.DB.TransactWriteItems(ctx, &call)
		d.conflicted(target, err)
		if err == nil && first {
			first = false
			for _, put := range puts {
				d.world.stored(put) //nolint:contextcheck // the simulation looks, not the function
			}
			for _, gone := range deletes {
				d.world.deleted(gone)
			}
		}
		return out, err
	}, errThrottled, errLost)
}

// BatchWriteItem writes notes: what is lost of them is missed by people and by nothing else.
func (d *database) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	return perform(d.world, d.write("BatchWriteItem", "", false), func() (*dynamodb.BatchWriteItemOutput, error) {
		out, err := d.DB.BatchWriteItem(ctx, in)
		if err == nil {
			for _, request := range in.RequestItems[daemonTable] {
				if request.PutRequest != nil {
					d.world.stored(request.PutRequest.Item) //nolint:contextcheck // the simulation looks, not the function
				}
			}
		}
		return out, err
	}, errThrottled, errLost)
}
