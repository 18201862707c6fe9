package memory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
	"github.com/blox/blox/internal/dynamo/expr"
)

// query is a checked Query request.
type query struct {
	table    *table
	index    *index // nil for the table itself
	schema   schema // of what is queried
	hash     string
	bounds   bounds
	start    *position
	end      *string // the range key after which nothing can follow, nil for not known
	backward bool
	filter   func(attr.Item) bool
	project  copier
	fetches  bool // reads the items, because the local index does not hold all that is asked for
}

// newQuery checks a request against the table. The order of the checks is
// DynamoDB's where one request has several faults.
func newQuery(t *table, in *dynamodb.QueryInput) (query, error) {
	q := query{table: t, schema: t.schema, backward: in.ScanIndexForward != nil && !*in.ScanIndexForward, project: attr.CopyItem}
	if in.IndexName != nil {
		if q.index = t.index(*in.IndexName); q.index == nil {
			return query{}, attr.Invalid("The table does not have the specified index: " + *in.IndexName)
		}
		q.schema = q.index.schema
		if err := q.checkIndex(in); err != nil {
			return query{}, err
		}
	}
	env, err := expr.NewEnv(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if err != nil {
		return query{}, err
	}
	condition, err := expr.ParseKeyCondition(*in.KeyConditionExpression)
	if err != nil {
		return query{}, err
	}
	tests, err := condition.Bind(env)
	if err != nil {
		return query{}, err
	}
	used := []expr.Placeholders{condition.Placeholders()}
	for _, prepare := range []func(*dynamodb.QueryInput, expr.Env) (expr.Placeholders, error){q.prepareFilter, q.prepareProjection} {
		u, err := prepare(in, env)
		if err != nil {
			return query{}, err
		}
		used = append(used, u)
	}
	if err := env.CheckUnused(used...); err != nil {
		return query{}, err
	}
	if err := q.prepareBounds(tests); err != nil {
		return query{}, err
	}
	if err := q.prepareStart(in.ExclusiveStartKey); err != nil {
		return query{}, err
	}
	return q, nil
}

// checkIndex refuses what a global index cannot do: it may be anywhere, and at
// any time, so that it can neither be read consistently nor fetch from the table.
func (q *query) checkIndex(in *dynamodb.QueryInput) error {
	all := in.Select == types.SelectAllAttributes && q.index.projects != nil
	switch {
	case q.index.local:
		q.fetches = all
	case aws.ToBool(in.ConsistentRead):
		return attr.Invalid("Consistent reads are not supported on global secondary indexes")
	case all:
		return attr.Invalid(fmt.Sprintf("One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL", q.index.name))
	}
	return nil
}

func (q *query) prepareFilter(in *dynamodb.QueryInput, env expr.Env) (expr.Placeholders, error) {
	if in.FilterExpression == nil {
		return expr.Placeholders{}, nil
	}
	parsed, err := expr.ParseFilter(*in.FilterExpression)
	if err != nil {
		return expr.Placeholders{}, err
	}
	if q.filter, err = parsed.Bind(env); err != nil {
		return expr.Placeholders{}, err
	}
	attributes, err := parsed.Attributes(env)
	if err != nil {
		return expr.Placeholders{}, err
	}
	for _, name := range attributes {
		if q.schema.has(name) {
			return expr.Placeholders{}, attr.Invalid("Filter Expression can only contain non-primary key attributes: Primary key attribute: " + name)
		}
	}
	if absent := q.notProjected(attributes); absent != "" {
		return expr.Placeholders{}, attr.Invalid(fmt.Sprintf("One or more parameter values were invalid: Secondary index %s does not project one or more filter attributes: [%s]", q.index.name, absent))
	}
	return parsed.Placeholders(), nil
}

func (q *query) prepareProjection(in *dynamodb.QueryInput, env expr.Env) (expr.Placeholders, error) {
	if in.ProjectionExpression == nil {
		return expr.Placeholders{}, nil
	}
	parsed, err := expr.ParseProjection(*in.ProjectionExpression)
	if err != nil {
		return expr.Placeholders{}, err
	}
	if q.project, err = parsed.Bind(env); err != nil {
		return expr.Placeholders{}, err
	}
	attributes, err := parsed.Attributes(env)
	if err != nil {
		return expr.Placeholders{}, err
	}
	switch absent := q.notProjected(attributes); {
	case absent == "":
	case q.index.local:
		q.fetches = true
	default:
		return expr.Placeholders{}, attr.Invalid(fmt.Sprintf("One or more parameter values were invalid: Global secondary index %s does not project [%s]", q.index.name, absent))
	}
	return parsed.Placeholders(), nil
}

// notProjected lists the attributes that the queried index does not hold.
func (q *query) notProjected(attributes []string) string {
	if q.index == nil {
		return ""
	}
	return strings.Join(slices.DeleteFunc(attributes, q.index.hasAttribute), ", ")
}

func (q *query) prepareBounds(tests []expr.KeyTest) error {
	hashed := false
	for _, test := range tests {
		switch {
		case test.Attribute == q.schema.hash.name:
			if test.Operator != "=" {
				return attr.Invalid("Query key condition not supported")
			}
			if err := checkTestValues(q.schema.hash, test); err != nil {
				return err
			}
			hashed = true
			q.hash = attr.SortKey(test.Value)
		case q.schema.sort.name != "" && test.Attribute == q.schema.sort.name:
			if err := checkTestValues(q.schema.sort, test); err != nil {
				return err
			}
			q.bounds = boundsOf(test)
			q.end = q.endOf(test)
		default:
			return attr.Invalid("Query condition missed key schema element: " + q.missed(tests))
		}
	}
	if !hashed {
		return attr.Invalid("Query condition missed key schema element: " + q.schema.hash.name)
	}
	return nil
}

// endOf returns the range key at which the entries end for sure: a page that
// ends there has no next one. Like DynamoDB Local this looks at inclusive bounds
// of tables alone, and not at "=".
func (q *query) endOf(test expr.KeyTest) *string {
	var end attr.Value
	switch {
	case q.index != nil:
	case test.Operator == "BETWEEN" && !q.backward:
		end = test.High
	case test.Operator == "<=" && !q.backward, (test.Operator == ">=" || test.Operator == "BETWEEN") && q.backward:
		end = test.Value
	}
	if end == nil {
		return nil
	}
	key := attr.SortKey(end)
	return &key
}

// missed returns the key attribute that a condition on something else should
// have been on.
func (q *query) missed(tests []expr.KeyTest) string {
	for _, a := range q.schema.attributes() {
		if !slices.ContainsFunc(tests, func(t expr.KeyTest) bool { return t.Attribute == a.name }) {
			return a.name
		}
	}
	return q.schema.hash.name
}

func checkTestValues(key keyAttribute, test expr.KeyTest) error {
	for _, v := range []attr.Value{test.Value, test.High} {
		if v == nil {
			continue
		}
		if attr.TypeOf(v) != key.kind {
			return attr.Invalid("One or more parameter values were invalid: Condition parameter type does not match schema type")
		}
		if what := emptyValue(v); what != "" {
			return attr.Invalid(fmt.Sprintf("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", what, key.name))
		}
	}
	if test.Operator == "begins_with" && key.kind == attr.Numeric {
		return attr.Invalid("One or more parameter values were invalid: begins_with is not supported for keys of type N")
	}
	return nil
}

func boundsOf(test expr.KeyTest) bounds {
	value := attr.SortKey(test.Value)
	switch test.Operator {
	case "=":
		return bounds{low: value, high: &value}
	case "<":
		return bounds{high: &value, highOpen: true}
	case "<=":
		return bounds{high: &value}
	case ">":
		return bounds{low: value, lowOpen: true}
	case ">=":
		return bounds{low: value}
	case "BETWEEN":
		high := attr.SortKey(test.High)
		return bounds{low: value, high: &high}
	default:
		return bounds{low: value, prefix: true}
	}
}

// startAttributes are what an ExclusiveStartKey holds: the key of the index, if
// one is queried, and the key of the table.
func (q *query) startAttributes() []keyAttribute {
	out := q.schema.attributes()
	if q.index == nil {
		return out
	}
	for _, a := range q.table.schema.attributes() {
		if !q.schema.has(a.name) {
			out = append(out, a)
		}
	}
	return out
}

func (q *query) startKeyOf(item attr.Item) attr.Item {
	out := attr.Item{}
	for _, a := range q.startAttributes() {
		out[a.name] = attr.Copy(item[a.name])
	}
	return out
}

func (q *query) prepareStart(given attr.Item) error {
	if given == nil {
		return nil
	}
	start, err := attr.CheckedItem(given)
	if err != nil {
		return err
	}
	attributes := q.startAttributes()
	if len(start) != len(attributes) {
		return attr.Invalid("The provided starting key is invalid: Exclusive Start Key must have same size as table's key schema")
	}
	for _, a := range attributes {
		if attr.TypeOf(start[a.name]) != a.kind {
			return attr.Invalid("The provided starting key is invalid: The provided key element does not match the schema")
		}
	}
	k := q.schema.keyOf(start)
	if k.hash != q.hash || q.bounds.below(k.sort) || q.bounds.above(k.sort) {
		return attr.Invalid("The provided starting key is outside query boundaries based on provided conditions")
	}
	q.start = &position{sort: k.sort}
	if q.index != nil {
		q.start.base = q.table.schema.keyOf(start)
	}
	return nil
}
