package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/dynamo/attr"
	"github.com/blox/blox/internal/dynamo/dynamotest"
	"github.com/blox/blox/internal/dynamo/memory"
)

// TestSameAnswers sends the same random requests to both engines. Answers must
// be equal, and of errors the kind; what a request writes shows in the answers
// of later ones.
func TestSameAnswers(t *testing.T) {
	d := &differential{twin: memory.New(), local: dynamotest.ForTest(t), table: dynamotest.TableName(t, "differential"), seen: map[string]int{}}
	for _, db := range []dynamo.API{d.twin, d.local} {
		_, err := db.CreateTable(t.Context(), differentialTable(d.table))
		require.NoError(t, err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		// Each run has partitions of its own, so that it starts with nothing.
		d.run++
		for range rapid.IntRange(5, 20).Draw(rt, "steps") {
			d.step(t.Context(), rt)
		}
		for _, p := range []string{"p1", "p2"} {
			d.compare(rt, "whole partition "+p, func(db dynamo.API) (any, error) { return d.readAll(t.Context(), db, nil, "pk", p, 100) })
		}
	})
	// Comparing is worth little if all requests were refused for one reason.
	for _, kind := range []string{"answer", "condition failed", "canceled", "ValidationException"} {
		require.Greater(t, d.seen[kind], 20, "%s is rare in %v", kind, d.seen)
	}
}

func differentialTable(name string) *dynamodb.CreateTableInput {
	key := func(hash, sort string) []types.KeySchemaElement {
		return []types.KeySchemaElement{{AttributeName: &hash, KeyType: types.KeyTypeHash}, {AttributeName: &sort, KeyType: types.KeyTypeRange}}
	}
	define := func(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: kind}
	}
	return &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest, KeySchema: key("pk", "sk"),
		AttributeDefinitions: []types.AttributeDefinition{define("pk", "S"), define("sk", "N"), define("g", "S"), define("h", "N"), define("run", "S")},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			{IndexName: aws.String("whole"), KeySchema: key("run", "h"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}},
			{IndexName: aws.String("some"), KeySchema: key("run", "g"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"a", "n"}}},
		},
		LocalSecondaryIndexes: []types.LocalSecondaryIndex{
			{IndexName: aws.String("localKeys"), KeySchema: key("pk", "g"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}},
			{IndexName: aws.String("localSome"), KeySchema: key("pk", "h"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"a", "n"}}},
		},
	}
}

type differential struct {
	twin  *memory.DB
	local *dynamodb.Client
	table string
	run   int
	seen  map[string]int // kinds of outcomes
}

func (d *differential) hash(p string) types.AttributeValue {
	return str(fmt.Sprintf("%d-%s", d.run, p))
}

func (d *differential) key(t *rapid.T) item {
	return item{"pk": d.hash(pick(t, "pk", "p1", "p1", "p2")), "sk": num(rapid.IntRange(-2, 12).Draw(t, "sk"))}
}

func (d *differential) item(t *rapid.T) item {
	out := d.key(t)
	out["run"] = d.hash("run")
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(attributes), 0, 6, rapid.ID[string]).Draw(t, "attributes") {
		out[name] = attributeValue(t, name)
	}
	if pick(t, "in the first index", true, false) {
		out["h"] = num(rapid.IntRange(0, 2).Draw(t, "h"))
	}
	if pick(t, "in the second index", true, false) {
		out["g"] = str(pick(t, "g", "g1", "g2"))
	}
	return out
}

// compare does the same to both engines.
func (d *differential) compare(t *rapid.T, what string, do func(db dynamo.API) (any, error)) {
	twin, twinErr := do(d.twin)
	local, localErr := do(d.local)
	outcome := outcomeOf(twin, twinErr)
	require.Equal(t, outcomeOf(local, localErr), outcome, "%s\nDynamoDB Local: %v\ntwin: %v", what, localErr, twinErr)
	switch {
	case twinErr == nil:
		d.seen["answer"]++
	case outcome == "ValidationException":
		d.seen["ValidationException"]++
	default:
		parts, _ := outcome.([]any)
		d.seen[fmt.Sprint(parts[0])]++
	}
}

func (d *differential) step(ctx context.Context, t *rapid.T) {
	switch pick(t, "call", "put", "put", "update", "update", "update", "delete", "get", "query", "query", "index", "local index", "local index", "batch", "transact", "transact") {
	case "put":
		d.put(ctx, t)
	case "update":
		d.update(ctx, t)
	case "delete":
		d.remove(ctx, t)
	case "get":
		d.get(ctx, t)
	case "query":
		d.query(ctx, t)
	case "index":
		index, limit := pick(t, "index", "whole", "some"), rapid.Int32Range(1, 5).Draw(t, "limit")
		d.compare(t, "index "+index, func(db dynamo.API) (any, error) { return d.readAll(ctx, db, &index, "run", "run", limit) })
	case "local index":
		d.queryLocal(ctx, t)
	case "batch":
		d.batch(ctx, t)
	default:
		d.transact(ctx, t)
	}
}

// maybeCondition draws a condition half of the time.
func maybeCondition(t *rapid.T, e *expression) *string {
	if pick(t, "conditional", true, false) {
		text := e.condition(t, 2)
		return &text
	}
	return nil
}

const allOld = types.ReturnValuesOnConditionCheckFailureAllOld

func (d *differential) put(ctx context.Context, t *rapid.T) {
	e := newExpression()
	in := &dynamodb.PutItemInput{
		TableName: &d.table, Item: d.item(t), ConditionExpression: maybeCondition(t, e), ReturnValuesOnConditionCheckFailure: allOld,
		ReturnValues: types.ReturnValueAllOld, ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes,
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.given()
	d.compare(t, "PutItem if "+aws.ToString(in.ConditionExpression), func(db dynamo.API) (any, error) {
		out, err := db.PutItem(ctx, in)
		if err != nil {
			return nil, err
		}
		return []any{normal(out.Attributes), bill(out.ConsumedCapacity)}, nil
	})
}

func (d *differential) update(ctx context.Context, t *rapid.T) {
	e := newExpression()
	in := &dynamodb.UpdateItemInput{
		TableName: &d.table, Key: d.key(t), ReturnValuesOnConditionCheckFailure: allOld, ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes,
		UpdateExpression: aws.String(e.update(t, d.hash("run"))), ConditionExpression: maybeCondition(t, e),
		ReturnValues: pick(t, "returned", types.ReturnValueAllNew, types.ReturnValueAllOld, types.ReturnValueUpdatedNew, types.ReturnValueUpdatedOld),
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.given()
	d.compare(t, *in.UpdateExpression+" if "+aws.ToString(in.ConditionExpression), func(db dynamo.API) (any, error) {
		out, err := db.UpdateItem(ctx, in)
		if err != nil {
			return nil, err
		}
		return []any{normal(out.Attributes), bill(out.ConsumedCapacity)}, nil
	})
}

func (d *differential) remove(ctx context.Context, t *rapid.T) {
	e := newExpression()
	in := &dynamodb.DeleteItemInput{
		TableName: &d.table, Key: d.key(t), ConditionExpression: maybeCondition(t, e), ReturnValuesOnConditionCheckFailure: allOld,
		ReturnValues: types.ReturnValueAllOld, ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes,
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.given()
	d.compare(t, "DeleteItem if "+aws.ToString(in.ConditionExpression), func(db dynamo.API) (any, error) {
		out, err := db.DeleteItem(ctx, in)
		if err != nil {
			return nil, err
		}
		return []any{normal(out.Attributes), bill(out.ConsumedCapacity)}, nil
	})
}

// maybeProjection draws a projection half of the time; paths may overlap.
func maybeProjection(t *rapid.T, e *expression) *string {
	if pick(t, "projected", true, false) {
		text := path(t, e) + ", " + path(t, e) + ", sk"
		return &text
	}
	return nil
}

func (d *differential) get(ctx context.Context, t *rapid.T) {
	e := newExpression()
	in := &dynamodb.GetItemInput{TableName: &d.table, Key: d.key(t), ConsistentRead: aws.Bool(true), ProjectionExpression: maybeProjection(t, e), ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes}
	in.ExpressionAttributeNames, _ = e.given()
	d.compare(t, "GetItem "+aws.ToString(in.ProjectionExpression), func(db dynamo.API) (any, error) {
		out, err := db.GetItem(ctx, in)
		if err != nil {
			return nil, err
		}
		return []any{normal(out.Item), bill(out.ConsumedCapacity)}, nil
	})
}

func (d *differential) query(ctx context.Context, t *rapid.T) {
	e := newExpression()
	condition := "pk = " + e.ref(d.hash(pick(t, "pk", "p1", "p2")))
	bound := func() string { return e.ref(num(rapid.IntRange(-3, 13).Draw(t, "bound"))) }
	switch on := pick(t, "on the range key", "", "", "=", "<", "<=", ">", ">=", "BETWEEN"); on {
	case "":
	case "BETWEEN":
		condition += " AND sk BETWEEN " + bound() + " AND " + bound()
	default:
		condition += " AND sk " + on + " " + bound()
	}
	in := &dynamodb.QueryInput{
		TableName: &d.table, KeyConditionExpression: &condition, ScanIndexForward: aws.Bool(pick(t, "forward", true, false)),
		ProjectionExpression: maybeProjection(t, e),
	}
	if pick(t, "filtered", true, false) {
		in.FilterExpression = aws.String(e.condition(t, 1))
	}
	if pick(t, "limited", true, false) {
		in.Limit = aws.Int32(rapid.Int32Range(1, 4).Draw(t, "limit"))
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.given()
	d.compare(t, "Query "+condition+" filter "+aws.ToString(in.FilterExpression)+" projection "+aws.ToString(in.ProjectionExpression), func(db dynamo.API) (any, error) {
		out, err := db.Query(ctx, in)
		if err != nil {
			return nil, err
		}
		return []any{normalItems(out.Items), out.Count, out.ScannedCount, normal(out.LastEvaluatedKey)}, nil
	})
}

// queryLocal queries a local index. Entries with equal range keys have no order,
// so their items are compared in the order of the table; what is on which page
// depends on it too, and so all pages are read, not one.
func (d *differential) queryLocal(ctx context.Context, t *rapid.T) {
	e := newExpression()
	condition := "pk = " + e.ref(d.hash(pick(t, "pk", "p1", "p2")))
	index := pick(t, "local index", "localKeys", "localSome")
	sort, bound := "g", func() string { return e.ref(str(pick(t, "bound", "g", "g1", "g11", "g2"))) }
	if index == "localSome" {
		sort, bound = "h", func() string { return e.ref(num(rapid.IntRange(-1, 3).Draw(t, "bound"))) }
	}
	switch on := pick(t, "on the range key", "", "", "=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"); on {
	case "":
	case "BETWEEN":
		condition += " AND " + sort + " BETWEEN " + bound() + " AND " + bound()
	case "begins_with":
		condition += " AND begins_with(" + sort + ", " + bound() + ")"
	default:
		condition += " AND " + sort + " " + on + " " + bound()
	}
	in := &dynamodb.QueryInput{
		TableName: &d.table, IndexName: &index, KeyConditionExpression: &condition,
		ScanIndexForward: aws.Bool(pick(t, "forward", true, false)), ConsistentRead: aws.Bool(pick(t, "consistent", true, false)),
	}
	switch pick(t, "what", "entries", "entries", "items", "projection", "filter") {
	case "items":
		in.Select = types.SelectAllAttributes
	case "projection":
		in.ProjectionExpression = aws.String(path(t, e) + ", pk, sk, " + sort)
	case "filter":
		in.FilterExpression = aws.String(e.condition(t, 1))
	}
	in.Limit = aws.Int32(rapid.Int32Range(1, 20).Draw(t, "limit"))
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.given()
	what := "Query " + index + " " + condition + " filter " + aws.ToString(in.FilterExpression) + " projection " + aws.ToString(in.ProjectionExpression)
	d.compare(t, what, func(db dynamo.API) (any, error) { return pagesOfLocal(ctx, db, *in, sort) })
}

// pagesOfLocal reads all pages and puts entries with equal range keys into the
// order of their items; the direction shows in the rest.
func pagesOfLocal(ctx context.Context, db dynamo.API, in dynamodb.QueryInput, sort string) (any, error) {
	var all []item
	for range 50 {
		out, err := db.Query(ctx, &in)
		if err != nil {
			return nil, err
		}
		if int(out.Count) != len(out.Items) || out.ScannedCount > *in.Limit {
			return nil, fmt.Errorf("%d items, counted %d, looked at %d of at most %d", len(out.Items), out.Count, out.ScannedCount, *in.Limit)
		}
		all = append(all, out.Items...)
		if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey != nil {
			continue
		}
		for from := 0; from < len(all); {
			to := from + 1
			for to < len(all) && attr.Equal(all[from][sort], all[to][sort]) {
				to++
			}
			slices.SortFunc(all[from:to], byKey)
			from = to
		}
		return normalItems(all), nil
	}
	return nil, errors.New("the pages do not end")
}

// readAll reads all pages of a partition. Of an index the order is not
// compared: entries with equal keys have none.
func (d *differential) readAll(ctx context.Context, db dynamo.API, index *string, key, p string, limit int32) (any, error) {
	var all []item
	var start item
	for page := 0; page < 50; page++ {
		out, err := db.Query(ctx, &dynamodb.QueryInput{
			TableName: &d.table, IndexName: index, KeyConditionExpression: aws.String(key + " = :p"),
			ExpressionAttributeValues: item{":p": d.hash(p)}, Limit: &limit, ExclusiveStartKey: start,
		})
		if err != nil {
			return nil, err
		}
		all = append(all, out.Items...)
		if start = out.LastEvaluatedKey; start == nil {
			if index != nil {
				slices.SortFunc(all, byKey)
			}
			return normalItems(all), nil
		}
	}
	return nil, errors.New("the pages do not end")
}

func byKey(a, b item) int {
	text := func(i item) string { return attr.SortKey(i["pk"]) + "/" + attr.SortKey(i["sk"]) }
	if text(a) < text(b) {
		return -1
	}
	return 1
}

func (d *differential) batch(ctx context.Context, t *rapid.T) {
	var requests []types.WriteRequest
	for range rapid.IntRange(1, 4).Draw(t, "writes") {
		if pick(t, "write", "put", "delete") == "put" {
			requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: d.item(t)}})
		} else {
			requests = append(requests, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: d.key(t)}})
		}
	}
	d.compare(t, "BatchWriteItem", func(db dynamo.API) (any, error) {
		out, err := db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{d.table: requests}})
		if err != nil {
			return nil, err
		}
		return len(out.UnprocessedItems), nil
	})
}

func (d *differential) transact(ctx context.Context, t *rapid.T) {
	var actions []types.TransactWriteItem
	what := "TransactWriteItems"
	// Two actions on one item are refused by both, but DynamoDB Local looks at
	// conditions first. The fixed cases have them.
	seen := map[string]bool{}
	for range rapid.IntRange(1, 4).Draw(t, "actions") {
		key := d.key(t)
		id := attr.SortKey(key["pk"]) + "/" + attr.SortKey(key["sk"])
		if seen[id] {
			continue
		}
		seen[id] = true
		a, text := d.action(t, key)
		actions = append(actions, a)
		what += "\n" + text
	}
	d.compare(t, what, func(db dynamo.API) (any, error) {
		_, err := db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: actions})
		return nil, err
	})
}

func (d *differential) action(t *rapid.T, key item) (types.TransactWriteItem, string) {
	e := newExpression()
	switch pick(t, "action", "put", "update", "delete", "check") {
	case "put":
		whole := d.item(t)
		whole["pk"], whole["sk"] = key["pk"], key["sk"]
		put := &types.Put{TableName: &d.table, Item: whole, ConditionExpression: maybeCondition(t, e), ReturnValuesOnConditionCheckFailure: allOld}
		put.ExpressionAttributeNames, put.ExpressionAttributeValues = e.given()
		return types.TransactWriteItem{Put: put}, "put if " + aws.ToString(put.ConditionExpression)
	case "update":
		text := e.update(t, d.hash("run"))
		update := &types.Update{TableName: &d.table, Key: key, UpdateExpression: &text, ConditionExpression: maybeCondition(t, e), ReturnValuesOnConditionCheckFailure: allOld}
		update.ExpressionAttributeNames, update.ExpressionAttributeValues = e.given()
		return types.TransactWriteItem{Update: update}, text + " if " + aws.ToString(update.ConditionExpression)
	case "delete":
		del := &types.Delete{TableName: &d.table, Key: key, ConditionExpression: maybeCondition(t, e), ReturnValuesOnConditionCheckFailure: allOld}
		del.ExpressionAttributeNames, del.ExpressionAttributeValues = e.given()
		return types.TransactWriteItem{Delete: del}, "delete if " + aws.ToString(del.ConditionExpression)
	default:
		text := e.condition(t, 1)
		check := &types.ConditionCheck{TableName: &d.table, Key: key, ConditionExpression: &text, ReturnValuesOnConditionCheckFailure: allOld}
		check.ExpressionAttributeNames, check.ExpressionAttributeValues = e.given()
		return types.TransactWriteItem{ConditionCheck: check}, "check " + text
	}
}
