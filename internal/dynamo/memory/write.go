package memory

import (
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/blox/blox/internal/dynamo/attr"
	"github.com/blox/blox/internal/dynamo/expr"
)

const maxItemBytes = 400 * 1024

// write is one checked write request that has not been tried yet.
type write struct {
	table     *table
	key       key
	keys      attr.Item            // the key attributes
	condition func(attr.Item) bool // nil for none
	plan      func(old *record) (*record, error)
	requested int               // bytes of the request, for the limit of transactions
	update    *expr.BoundUpdate // of an update that has one
	check     bool              // a condition check: nothing is written
}

// request is what the four kinds of writes have in common.
type request struct {
	table     *string
	condition *string
	names     map[string]string
	values    map[string]attr.Value
}

// expressions parses and binds the condition and the update expression of a
// request; either may be absent.
func (r request) expressions(update *string) (condition func(attr.Item) bool, bound *expr.BoundUpdate, err error) {
	env, err := expr.NewEnv(r.names, r.values)
	if err != nil {
		return nil, nil, err
	}
	if err := r.checkNeeded(update); err != nil {
		return nil, nil, err
	}
	var used []expr.Placeholders
	if update != nil {
		parsed, err := expr.ParseUpdate(*update)
		if err != nil {
			return nil, nil, err
		}
		if bound, err = parsed.Bind(env); err != nil {
			return nil, nil, err
		}
		used = append(used, parsed.Placeholders())
	}
	if r.condition != nil {
		parsed, err := expr.ParseCondition(*r.condition)
		if err != nil {
			return nil, nil, err
		}
		if condition, err = parsed.Bind(env); err != nil {
			return nil, nil, err
		}
		used = append(used, parsed.Placeholders())
	}
	return condition, bound, env.CheckUnused(used...)
}

// checkNeeded refuses placeholders where there is no expression to use them.
func (r request) checkNeeded(update *string) error {
	switch {
	case r.condition != nil || update != nil:
		return nil
	case r.names != nil:
		return attr.Invalid("ExpressionAttributeNames can only be specified when using expressions")
	case r.values != nil:
		return attr.Invalid("ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null")
	}
	return nil
}

func (db *DB) newPut(r request, item attr.Item) (*write, error) {
	checked, err := attr.CheckedItem(item)
	if err != nil {
		return nil, err
	}
	t, err := db.table(r.table)
	if err != nil {
		return nil, err
	}
	condition, _, err := r.expressions(nil)
	if err != nil {
		return nil, err
	}
	if err := t.schema.checkItem(checked); err != nil {
		return nil, err
	}
	next := newRecord(checked)
	if next.size > maxItemBytes {
		return nil, attr.Invalid("Item size has exceeded the maximum allowed size")
	}
	return &write{
		table: t, key: t.schema.keyOf(checked), keys: t.schema.keyItem(checked), condition: condition, requested: next.size,
		plan: func(*record) (*record, error) { return next, t.checkIndexKeys(checked, false) },
	}, nil
}

func (db *DB) newDelete(r request, keys attr.Item) (*write, error) {
	w, err := db.newKeyed(r, keys, nil)
	if err != nil {
		return nil, err
	}
	w.plan = func(*record) (*record, error) { return nil, nil }
	return w, nil
}

func (db *DB) newCheck(r request, keys attr.Item) (*write, error) {
	w, err := db.newKeyed(r, keys, nil)
	if err != nil {
		return nil, err
	}
	w.check = true
	w.plan = func(old *record) (*record, error) { return old, nil }
	return w, nil
}

func (db *DB) newUpdate(r request, keys attr.Item, update *string) (*write, error) {
	w, err := db.newKeyed(r, keys, update)
	if err != nil {
		return nil, err
	}
	w.plan = w.planUpdate
	return w, nil
}

// newKeyed builds a write that names its item by key.
func (db *DB) newKeyed(r request, keys attr.Item, update *string) (*write, error) {
	t, err := db.table(r.table)
	if err != nil {
		return nil, err
	}
	condition, bound, err := r.expressions(update)
	if err != nil {
		return nil, err
	}
	checked, err := t.schema.checkKey(keys)
	if err != nil {
		return nil, err
	}
	requested := attr.ItemSize(checked)
	for _, v := range r.values {
		requested += attr.Size(v)
	}
	return &write{table: t, key: t.schema.keyOf(checked), keys: checked, condition: condition, update: bound, requested: requested}, nil
}

// planUpdate computes the item after an update.
func (w *write) planUpdate(old *record) (*record, error) {
	var item attr.Item
	switch {
	case w.update != nil:
		var before attr.Item
		if old != nil {
			before = old.item
		}
		var err error
		if item, err = w.update.Apply(before); err != nil {
			return nil, err
		}
	case old != nil:
		return old, nil
	default:
		item = attr.Item{}
	}
	for name, v := range w.keys {
		item[name] = v
	}
	if err := w.table.checkIndexKeys(item, true); err != nil {
		return nil, err
	}
	if err := attr.TooDeep(item); err != nil {
		return nil, err
	}
	next := newRecord(item)
	if next.size > maxItemBytes {
		return nil, attr.Invalid("Item size to update has exceeded the maximum allowed size")
	}
	return next, nil
}

// checkKeyUntouched refuses an update of the table's own key.
func (w *write) checkKeyUntouched() error {
	if w.update == nil {
		return nil
	}
	for _, name := range w.update.Attributes() {
		if w.table.schema.has(name) {
			return attr.Invalid(fmt.Sprintf("One or more parameter values were invalid: Cannot update attribute %s. This attribute is part of the key", name))
		}
	}
	return nil
}

// outcome is a write that may be done: the item before and after.
type outcome struct {
	*write
	old, next *record
	changed   bool
}

// try evaluates a write against the stored item and changes nothing. A
// condition that does not hold is a conditionFailed.
func (w *write) try() (outcome, error) {
	if err := w.checkKeyUntouched(); err != nil {
		return outcome{}, err
	}
	old := w.table.get(w.key)
	if w.condition != nil {
		var item attr.Item
		if old != nil {
			item = old.item
		}
		if !w.condition(item) {
			return outcome{}, conditionFailed{old: old}
		}
	}
	next, err := w.plan(old)
	if err != nil {
		return outcome{}, err
	}
	changed := (old == nil) != (next == nil) || old != nil && !attr.EqualItem(old.item, next.item)
	return outcome{write: w, old: old, next: next, changed: changed}, nil
}

// do makes the change and adds its cost to the bill. db.mu is held.
func (db *DB) do(o outcome, b *bill, factor float64, by *events.DynamoDBUserIdentity) {
	b.own.Write += factor * writeUnits(max(o.old.bytes(), o.next.bytes()))
	if !o.changed {
		return
	}
	t := o.table
	t.store(o.key, o.old, o.next)
	late, lag := db.lateMove(o)
	for _, ix := range t.indexes {
		m, units, changed := ix.update(o.key, o.old, o.next)
		if !changed {
			continue
		}
		b.addIndex(ix, Capacity{Write: factor * units})
		if !ix.local {
			ix.lag.enqueue(change{base: o.key, moves: []move{m}}, db.now, db.lagOf(t, ix))
			continue
		}
		m.apply()
		if t.replica != nil {
			m.in = ix.stale
			late = append(late, m)
		}
	}
	if t.replica != nil {
		t.replica.lag.enqueue(change{base: o.key, moves: late}, db.now, lag)
	}
	db.publish(t, o.keys, o.old, o.next, by)
}

// lateMove is what a write does to the table's replica, and how much later than
// to the table; nothing if it has none.
func (db *DB) lateMove(o outcome) ([]move, time.Duration) {
	t := o.table
	if t.replica == nil {
		return nil, 0
	}
	at := position{sort: o.key.sort}
	m := move{in: t.replica.items, from: place{o.key.hash, at, o.old}, to: place{o.key.hash, at, o.next}}
	return []move{m}, db.readLag(t.name)
}

func (r *record) bytes() int {
	if r == nil {
		return 0
	}
	return r.size
}

// write does one write by itself. A condition that does not hold costs what
// writing the existing item would.
func (db *DB) write(w *write, returnOld bool) (outcome, *bill, error) {
	b := &bill{table: w.table}
	defer b.charge()
	o, err := w.try()
	if failed := (conditionFailed{}); errors.As(err, &failed) {
		b.own.Write += writeUnits(failed.old.bytes())
		return outcome{}, nil, failed.exception(returnOld)
	}
	if err != nil {
		return outcome{}, nil, err
	}
	db.do(o, b, 1, nil)
	return o, b, nil
}
