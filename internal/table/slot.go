package table

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/daemon"
)

// Slots reads all slots of an environment, consistently: budgets are counted from them.
func (d *Daemon) Slots(ctx context.Context, environmentID string) ([]daemon.Slot, error) {
	items, err := queryAll(ctx, d.db, &dynamodb.QueryInput{
		TableName: &d.name, ConsistentRead: aws.Bool(true),
		KeyConditionExpression: aws.String("pk = :pk AND begins_with(sk, :prefix)"),
		ExpressionAttributeValues: Item{
			":pk": stringValue(environmentPK(environmentID)), ":prefix": stringValue("slot/"),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("reading the slots of environment %s: %w", environmentID, err)
	}
	return decodeAll[daemon.Slot](items)
}

// SlotsOf reads the slots of some hosts, consistently; hosts without one are left out.
func (d *Daemon) SlotsOf(ctx context.Context, environmentID string, hosts []daemon.HostKey) ([]daemon.Slot, error) {
	keys := make([]Item, len(hosts))
	for i, host := range hosts {
		keys[i] = itemKey(environmentPK(environmentID), slotSK(host))
	}
	items, err := getMany(ctx, d.db, d.name, keys, true)
	if err != nil {
		return nil, fmt.Errorf("reading %d slots of environment %s: %w", len(hosts), environmentID, err)
	}
	return decodeAll[daemon.Slot](items)
}

// PutSlot stores a slot if the one that it was made from is still there, and returns it as stored. ErrConflict: another
// driver was faster.
func (d *Daemon) PutSlot(ctx context.Context, slot daemon.Slot) (daemon.Slot, error) {
	put, next, err := d.slotPut(slot)
	if err != nil {
		return slot, err
	}
	_, err = d.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: put.TableName, Item: put.Item,
		ConditionExpression: put.ConditionExpression, ExpressionAttributeValues: put.ExpressionAttributeValues,
	})
	if err != nil {
		return slot, fmt.Errorf("storing the slot of %s: %w", slot.Host, conflict(err))
	}
	return next, nil
}

// ClaimSlot stores the claim of a start, as PutSlot does. A host's first slot is stored only while the environment is
// ACTIVE: a driver that lost its lease long ago would otherwise start a task for an environment that is no more, and
// nobody would ever stop it. A slot that was there before is gone with its environment, so that its version tells.
func (d *Daemon) ClaimSlot(ctx context.Context, slot daemon.Slot) (daemon.Slot, error) {
	if slot.RecordVersion > 0 {
		return d.PutSlot(ctx, slot)
	}
	put, next, err := d.slotPut(slot)
	if err != nil {
		return slot, err
	}
	_, err = d.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{ConditionCheck: &types.ConditionCheck{
			TableName: &d.name, Key: itemKey(environmentPK(slot.EnvironmentID), environmentSK),
			ConditionExpression:       aws.String("#status = :active"),
			ExpressionAttributeNames:  map[string]string{"#status": "status"},
			ExpressionAttributeValues: Item{":active": stringValue(string(daemon.EnvironmentActive))},
		}},
		{Put: put},
	}})
	if err != nil {
		return slot, fmt.Errorf("claiming the start on %s: %w", slot.Host, conflict(err))
	}
	return next, nil
}

// PutSlotUnderLease stores a slot as PutSlot does, and only while the lease is held. A stop is claimed this way: a
// driver whose lease was taken over may have counted the budget before others spent it.
func (d *Daemon) PutSlotUnderLease(ctx context.Context, slot daemon.Slot, lease Lease) (daemon.Slot, error) {
	put, next, err := d.slotPut(slot)
	if err != nil {
		return slot, err
	}
	_, err = d.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{ConditionCheck: &types.ConditionCheck{
			TableName: &d.name, Key: itemKey(environmentPK(slot.EnvironmentID), leaseSK),
			ConditionExpression:       aws.String("epoch = :epoch"),
			ExpressionAttributeValues: Item{":epoch": numberValue(lease.Epoch)},
		}},
		{Put: put},
	}})
	if err != nil {
		return slot, fmt.Errorf("claiming the stop on %s: %w", slot.Host, conflict(err))
	}
	return next, nil
}

func (d *Daemon) slotPut(slot daemon.Slot) (*types.Put, daemon.Slot, error) {
	seen := slot.RecordVersion
	slot.RecordVersion++
	item, err := encode(environmentPK(slot.EnvironmentID), slotSK(slot.Host), slot)
	if err != nil {
		return nil, slot, err
	}
	put := &types.Put{TableName: &d.name, Item: item, ConditionExpression: aws.String("attribute_not_exists(pk)")}
	if seen > 0 {
		put.ConditionExpression = aws.String("recordVersion = :seen")
		put.ExpressionAttributeValues = Item{":seen": numberValue(seen)}
	}
	return put, slot, nil
}

// DeleteSlot forgets a host. ErrConflict: the slot changed meanwhile.
func (d *Daemon) DeleteSlot(ctx context.Context, slot daemon.Slot) error {
	_, err := d.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &d.name, Key: itemKey(environmentPK(slot.EnvironmentID), slotSK(slot.Host)),
		ConditionExpression:       aws.String("recordVersion = :seen"),
		ExpressionAttributeValues: Item{":seen": numberValue(slot.RecordVersion)},
	})
	if err != nil {
		return fmt.Errorf("deleting the slot of %s: %w", slot.Host, conflict(err))
	}
	return nil
}
