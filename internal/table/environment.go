package table

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/daemon"
)

// ErrExists says that the name is taken.
var ErrExists = errors.New("exists already")

// DirectoryEntry is an environment's row among all: what lists and ticks need, in one cheap query.
type DirectoryEntry struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// DueAt is when the scheduler wants to look at the whole environment again, in milliseconds since 1970.
	DueAt int64 `json:"dueAt"`
	// RecordVersion is the environment's when DueAt was last set by a change of it. A scheduler that has not seen the
	// change must not put it off.
	RecordVersion int64 `json:"recordVersion"`
}

// CreateEnvironment stores a new environment with its first revision. ErrExists: the name is taken.
func (d *Daemon) CreateEnvironment(ctx context.Context, env daemon.Environment, rev daemon.Revision) error {
	env.RecordVersion = 1
	puts := []itemPut{
		{directoryPK, env.Name, DirectoryEntry{ID: env.ID, Name: env.Name, DueAt: millis(env.CreatedAt), RecordVersion: env.RecordVersion}},
		{environmentPK(env.ID), environmentSK, env},
		{environmentPK(env.ID), revisionSK(rev.Number), rev},
	}
	for _, cluster := range env.Clusters {
		puts = append(puts, itemPut{membershipPK(cluster), env.ID, membershipItem{Name: env.Name, WatchesTasks: watchesTasks(rev) || len(env.FormerIDs) > 0}})
	}
	err := checkClusters(env)
	if err == nil {
		err = d.transact(ctx, puts...)
	}
	if errors.Is(err, ErrConflict) {
		return fmt.Errorf("environment %s: %w", env.Name, ErrExists)
	}
	if err != nil {
		return fmt.Errorf("creating environment %s: %w", env.Name, err)
	}
	return nil
}

// itemPut is an item that must not exist yet.
type itemPut struct {
	pk, sk string
	value  any
}

func (d *Daemon) transact(ctx context.Context, puts ...itemPut) error {
	in := &dynamodb.TransactWriteItemsInput{}
	for _, p := range puts {
		put, err := d.putNew(p)
		if err != nil {
			return err
		}
		in.TransactItems = append(in.TransactItems, put)
	}
	_, err := d.db.TransactWriteItems(ctx, in)
	return conflict(err)
}

func (d *Daemon) putNew(p itemPut) (types.TransactWriteItem, error) {
	item, err := encode(p.pk, p.sk, p.value)
	if err != nil {
		return types.TransactWriteItem{}, err
	}
	return types.TransactWriteItem{Put: &types.Put{
		TableName: &d.name, Item: item,
		ConditionExpression: aws.String("attribute_not_exists(pk)"),
	}}, nil
}

// putVersioned replaces an item whose recordVersion is still the one that was read.
func (d *Daemon) putVersioned(pk, sk string, value any, seen int64) (types.TransactWriteItem, error) {
	item, err := encode(pk, sk, value)
	if err != nil {
		return types.TransactWriteItem{}, err
	}
	return types.TransactWriteItem{Put: &types.Put{
		TableName: &d.name, Item: item,
		ConditionExpression:       aws.String("recordVersion = :seen"),
		ExpressionAttributeValues: Item{":seen": numberValue(seen)},
	}}, nil
}

// UpdateEnvironment stores a changed definition, and its new revision if there is one, and which clusters the environment
// has hosts in. ErrConflict: the environment changed since it was read.
func (d *Daemon) UpdateEnvironment(ctx context.Context, env daemon.Environment, rev *daemon.Revision) error {
	if err := d.update(ctx, env, rev); err != nil {
		return fmt.Errorf("updating environment %s: %w", env.Name, err)
	}
	return nil
}

func (d *Daemon) update(ctx context.Context, env daemon.Environment, rev *daemon.Revision) error {
	items, err := d.memberships(ctx, env, rev)
	if err != nil {
		return err
	}
	seen := env.RecordVersion
	env.RecordVersion++
	update, err := d.putVersioned(environmentPK(env.ID), environmentSK, env, seen)
	if err != nil {
		return err
	}
	items = append(items, update, d.dueNow(env))
	if rev != nil {
		put, err := d.putNew(itemPut{environmentPK(env.ID), revisionSK(rev.Number), *rev})
		if err != nil {
			return err
		}
		items = append(items, put)
	}
	_, err = d.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
	return conflict(err)
}

// dueNow makes a changed environment due at once, should its wake-up be lost.
func (d *Daemon) dueNow(env daemon.Environment) types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{
		TableName: &d.name, Key: itemKey(directoryPK, env.Name),
		UpdateExpression:    aws.String("SET dueAt = :at, recordVersion = :version"),
		ConditionExpression: aws.String("id = :id"),
		ExpressionAttributeValues: Item{
			":at": numberValue(millis(env.UpdatedAt)), ":version": numberValue(env.RecordVersion), ":id": stringValue(env.ID),
		},
	}}
}

// SetDue says when the whole environment is to be looked at again. It does nothing if the environment is gone, or has
// changed since it was read.
func (d *Daemon) SetDue(ctx context.Context, env daemon.Environment, at time.Time) error {
	_, err := d.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &d.name, Key: itemKey(directoryPK, env.Name),
		UpdateExpression:    aws.String("SET dueAt = :at"),
		ConditionExpression: aws.String("id = :id AND recordVersion = :version"),
		ExpressionAttributeValues: Item{
			":at": numberValue(millis(at)), ":version": numberValue(env.RecordVersion), ":id": stringValue(env.ID),
		},
	})
	if err != nil && !refused(err) {
		return fmt.Errorf("setting when environment %s is due: %w", env.Name, err)
	}
	return nil
}

// Directory lists all environments by name.
func (d *Daemon) Directory(ctx context.Context) ([]DirectoryEntry, error) {
	items, err := queryAll(ctx, d.db, &dynamodb.QueryInput{
		TableName: &d.name, KeyConditionExpression: aws.String("pk = :pk"),
		ExpressionAttributeValues: Item{":pk": stringValue(directoryPK)},
	})
	if err != nil {
		return nil, fmt.Errorf("listing environments: %w", err)
	}
	return decodeAll[DirectoryEntry](items)
}

func decodeAll[T any](items []Item) ([]T, error) {
	out := make([]T, len(items))
	for i, item := range items {
		if err := decode(item, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// get reads one item, consistently. ErrNotFound: there is none.
func (d *Daemon) get(ctx context.Context, pk, sk string, v any) error {
	out, err := d.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &d.name, Key: itemKey(pk, sk), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return fmt.Errorf("reading %s %s: %w", pk, sk, err)
	}
	if out.Item == nil {
		return fmt.Errorf("%s %s: %w", pk, sk, ErrNotFound)
	}
	return decode(out.Item, v)
}

// EnvironmentByName reads the environment that has the name now. ErrNotFound: none has.
func (d *Daemon) EnvironmentByName(ctx context.Context, name string) (daemon.Environment, error) {
	var entry DirectoryEntry
	if err := d.get(ctx, directoryPK, name, &entry); err != nil {
		return daemon.Environment{}, err
	}
	return d.Environment(ctx, entry.ID)
}

// Environment reads an environment by its id. ErrNotFound: there is none, or no more.
func (d *Daemon) Environment(ctx context.Context, id string) (daemon.Environment, error) {
	var env daemon.Environment
	err := d.get(ctx, environmentPK(id), environmentSK, &env)
	return env, err
}

// Environments reads those of the given ids, in no order; those that are gone are left out.
func (d *Daemon) Environments(ctx context.Context, ids []string) ([]daemon.Environment, error) {
	keys := make([]Item, len(ids))
	for i, id := range ids {
		keys[i] = itemKey(environmentPK(id), environmentSK)
	}
	items, err := getMany(ctx, d.db, d.name, keys, false)
	if err != nil {
		return nil, fmt.Errorf("reading environments: %w", err)
	}
	return decodeAll[daemon.Environment](items)
}
