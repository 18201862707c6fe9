package table

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/state"
)

// Lease is a driver's right to work on an environment. The epoch rises each time a driver takes it, so that what an
// earlier driver decided can be told from what this one does.
type Lease struct {
	EnvironmentID string `json:"environmentId"`
	Owner         string `json:"owner"`
	Epoch         int64  `json:"epoch"`
	// ExpiresAt is in milliseconds since 1970; 0 is a lease that was given back.
	ExpiresAt int64 `json:"expiresAt"`
	// Renewal counts the renewals of this epoch.
	Renewal int64 `json:"renewal"`
	// WakeAt is when a wake-up for the whole environment is due that was sent already, in milliseconds since 1970. While
	// it lies ahead no other is sent, or every look would start one more chain of wake-ups.
	WakeAt int64 `json:"wakeAt"`
}

// Dirt is what others wanted of an environment while its lease was held.
type Dirt struct {
	All bool `json:"dirtyAll"`
	// Instances are container instances to look at.
	Instances []state.Key `json:"-"`
}

// Clean says that there is nothing more to do.
func (d Dirt) Clean() bool { return !d.All && len(d.Instances) == 0 }

// AcquireLease takes the lease of an environment if nobody holds it at now. crashed says that the last holder let it
// expire instead of giving it back, so that what it had been told is lost. ErrConflict: somebody holds the lease. An
// owner may take its own lease again: it does so when the answer to the first try was lost.
func (d *Daemon) AcquireLease(ctx context.Context, environmentID, owner string, now time.Time, hold time.Duration) (lease Lease, crashed bool, err error) {
	lease = Lease{EnvironmentID: environmentID, Owner: owner, ExpiresAt: millis(now.Add(hold))}
	out, err := d.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &d.name, Key: itemKey(environmentPK(environmentID), leaseSK),
		UpdateExpression: aws.String("SET environmentId = :id, #owner = :owner, expiresAt = :expires, " +
			"renewal = :zero, epoch = if_not_exists(epoch, :zero) + :one"),
		ConditionExpression:      aws.String("attribute_not_exists(expiresAt) OR expiresAt <= :now OR #owner = :owner"),
		ExpressionAttributeNames: map[string]string{"#owner": "owner"},
		ExpressionAttributeValues: Item{
			":id": stringValue(environmentID), ":owner": stringValue(owner),
			":expires": numberValue(lease.ExpiresAt), ":now": numberValue(millis(now)),
			":zero": numberValue(0), ":one": numberValue(1),
		},
		ReturnValues: types.ReturnValueAllOld,
	})
	if err != nil {
		return Lease{}, false, fmt.Errorf("taking the lease of environment %s: %w", environmentID, conflict(err))
	}
	var before Lease
	if err := decode(out.Attributes, &before); err != nil {
		return Lease{}, false, err
	}
	lease.Epoch, lease.WakeAt = before.Epoch+1, before.WakeAt
	return lease, before.ExpiresAt != 0, nil
}

// CheckLease says whether the lease is still held. ErrConflict: another driver took it.
func (d *Daemon) CheckLease(ctx context.Context, lease Lease) error {
	var now Lease
	if err := d.get(ctx, environmentPK(lease.EnvironmentID), leaseSK, &now); err != nil {
		return err
	}
	if now.Epoch != lease.Epoch {
		return fmt.Errorf("lease of environment %s: %w", lease.EnvironmentID, ErrConflict)
	}
	return nil
}

// YieldLease ends a lease without giving it back: whoever takes it next learns that work was left undone. A lease that
// was lost is left alone.
func (d *Daemon) YieldLease(ctx context.Context, lease Lease) error {
	_, err := d.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &d.name, Key: itemKey(environmentPK(lease.EnvironmentID), leaseSK),
		UpdateExpression:          aws.String("SET expiresAt = :past"),
		ConditionExpression:       aws.String("epoch = :epoch"),
		ExpressionAttributeValues: Item{":epoch": numberValue(lease.Epoch), ":past": numberValue(1)},
	})
	if err = conflict(err); err != nil && !errors.Is(err, ErrConflict) {
		return fmt.Errorf("yielding the lease of environment %s: %w", lease.EnvironmentID, err)
	}
	return nil
}

// DropLease removes the lease of an environment that is no more. A lease that was lost is left alone.
func (d *Daemon) DropLease(ctx context.Context, lease Lease) error {
	_, err := d.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &d.name, Key: itemKey(environmentPK(lease.EnvironmentID), leaseSK),
		ConditionExpression:       aws.String("epoch = :epoch"),
		ExpressionAttributeValues: Item{":epoch": numberValue(lease.Epoch)},
	})
	if err != nil && !refused(err) {
		return fmt.Errorf("dropping the lease of environment %s: %w", lease.EnvironmentID, err)
	}
	return nil
}

// maxDirtyInstances is the number of container instances from which on everything is looked at: every mark pays for the
// whole item, and an item may have 400 KB.
const maxDirtyInstances = 100

// MarkDirty leaves word for the holder of the lease: container instances to look at, or everything if there are none or
// too many. ErrConflict: nobody holds the lease at now.
func (d *Daemon) MarkDirty(ctx context.Context, environmentID string, instances []state.Key, now time.Time) error {
	var err error
	if len(instances) > 0 && len(instances) <= maxDirtyInstances {
		err = d.markInstances(ctx, environmentID, instances, now)
		if err == nil {
			return nil
		}
	}
	if err == nil || refused(err) {
		_, err = d.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &d.name, Key: itemKey(environmentPK(environmentID), leaseSK),
			UpdateExpression:          aws.String("SET dirtyAll = :all"),
			ConditionExpression:       aws.String("expiresAt > :now"),
			ExpressionAttributeValues: Item{":all": boolValue(true), ":now": numberValue(millis(now))},
		})
	}
	if err != nil {
		return fmt.Errorf("marking environment %s dirty: %w", environmentID, conflict(err))
	}
	return nil
}

// markInstances is refused if nobody holds the lease, and if there are many marks already.
func (d *Daemon) markInstances(ctx context.Context, environmentID string, instances []state.Key, now time.Time) error {
	names := make([]string, len(instances))
	for i, instance := range instances {
		names[i] = instance.String()
	}
	slices.Sort(names) // a set with a name twice is refused
	_, err := d.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &d.name, Key: itemKey(environmentPK(environmentID), leaseSK),
		UpdateExpression: aws.String("ADD dirtyInstances :instances"),
		ConditionExpression: aws.String("expiresAt > :now AND " +
			"(attribute_not_exists(dirtyInstances) OR size(dirtyInstances) < :max)"),
		ExpressionAttributeValues: Item{
			":instances": &types.AttributeValueMemberSS{Value: slices.Compact(names)},
			":now":       numberValue(millis(now)), ":max": numberValue(maxDirtyInstances),
		},
	})
	return err
}

// RenewLease prolongs the lease and takes what others left. ErrConflict: the lease is lost, the caller must stop. If the
// answer to a first try was lost, so is what it took: the second try says that everything is dirty.
func (d *Daemon) RenewLease(ctx context.Context, lease Lease, now time.Time, hold time.Duration) (Lease, Dirt, error) {
	lease.ExpiresAt = millis(now.Add(hold))
	lease.Renewal++
	out, err := d.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &d.name, Key: itemKey(environmentPK(lease.EnvironmentID), leaseSK),
		UpdateExpression:    aws.String("SET expiresAt = :expires, renewal = :renewal REMOVE dirtyAll, dirtyInstances"),
		ConditionExpression: aws.String("epoch = :epoch"),
		ExpressionAttributeValues: Item{
			":epoch": numberValue(lease.Epoch), ":expires": numberValue(lease.ExpiresAt), ":renewal": numberValue(lease.Renewal),
		},
		ReturnValues: types.ReturnValueAllOld,
	})
	if err != nil {
		return lease, Dirt{}, fmt.Errorf("renewing the lease of environment %s: %w", lease.EnvironmentID, conflict(err))
	}
	var before Lease
	if err := decode(out.Attributes, &before); err != nil {
		return lease, Dirt{}, err
	}
	dirt, err := dirtOf(out.Attributes)
	dirt.All = dirt.All || before.Renewal == lease.Renewal
	return lease, dirt, err
}

// SetWake remembers that a wake-up for the whole environment will be due. ErrConflict: the lease is lost.
func (d *Daemon) SetWake(ctx context.Context, lease Lease, at time.Time) (Lease, error) {
	lease.WakeAt = millis(at)
	_, err := d.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &d.name, Key: itemKey(environmentPK(lease.EnvironmentID), leaseSK),
		UpdateExpression:          aws.String("SET wakeAt = :at"),
		ConditionExpression:       aws.String("epoch = :epoch"),
		ExpressionAttributeValues: Item{":epoch": numberValue(lease.Epoch), ":at": numberValue(lease.WakeAt)},
	})
	if err != nil {
		return lease, fmt.Errorf("setting the next wake-up of environment %s: %w", lease.EnvironmentID, conflict(err))
	}
	return lease, nil
}

func dirtOf(item Item) (Dirt, error) {
	var dirt Dirt
	if err := decode(item, &dirt); err != nil {
		return dirt, err
	}
	if set, ok := item["dirtyInstances"].(*types.AttributeValueMemberSS); ok {
		for _, name := range set.Value {
			instance, err := state.ParseKey(name)
			if err != nil {
				return dirt, fmt.Errorf("reading dirty container instances: %w", err)
			}
			dirt.Instances = append(dirt.Instances, instance)
		}
	}
	return dirt, nil
}

// ReleaseLease gives the lease back. It is kept, and clean is false, if others left word meanwhile: the caller must
// renew it and go on. A lease that was lost counts as given back.
func (d *Daemon) ReleaseLease(ctx context.Context, lease Lease) (clean bool, err error) {
	_, err = d.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &d.name, Key: itemKey(environmentPK(lease.EnvironmentID), leaseSK),
		UpdateExpression:                    aws.String("SET expiresAt = :zero"),
		ConditionExpression:                 aws.String("epoch = :epoch AND attribute_not_exists(dirtyAll) AND attribute_not_exists(dirtyInstances)"),
		ExpressionAttributeValues:           Item{":epoch": numberValue(lease.Epoch), ":zero": numberValue(0)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var failed *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &failed):
		var now Lease
		if err := decode(failed.Item, &now); err != nil {
			return false, err
		}
		return now.Epoch != lease.Epoch, nil
	default:
		return false, fmt.Errorf("releasing the lease of environment %s: %w", lease.EnvironmentID, err)
	}
}
