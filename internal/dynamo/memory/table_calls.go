package memory

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

func (db *DB) createTable(in *dynamodb.CreateTableInput) (*dynamodb.CreateTableOutput, error) {
	if in.TableName == nil {
		return nil, missing("CreateTableInput", "TableName")
	}
	if err := checkTableName(in.TableName); err != nil {
		return nil, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if _, exists := db.tables[*in.TableName]; exists {
		return nil, &types.ResourceInUseException{Message: aws.String("Table already exists: " + *in.TableName)}
	}
	t, err := newTable(in)
	if err != nil {
		return nil, err
	}
	t.created = db.now()
	if db.readLag != nil {
		t.lagging()
	}
	db.tables[t.name] = t
	return &dynamodb.CreateTableOutput{TableDescription: t.describe(types.TableStatusActive)}, nil
}

func (db *DB) describeTable(in *dynamodb.DescribeTableInput) (*dynamodb.DescribeTableOutput, error) {
	if in.TableName == nil {
		return nil, missing("DescribeTableInput", "TableName")
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	t, err := db.namedTable(in.TableName)
	if err != nil {
		return nil, err
	}
	return &dynamodb.DescribeTableOutput{Table: t.describe(types.TableStatusActive)}, nil
}

func (db *DB) deleteTable(in *dynamodb.DeleteTableInput) (*dynamodb.DeleteTableOutput, error) {
	if in.TableName == nil {
		return nil, missing("DeleteTableInput", "TableName")
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	t, err := db.namedTable(in.TableName)
	if err != nil {
		return nil, err
	}
	if t.protected {
		return nil, attr.Invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	t.addUsed(db.retired)
	delete(db.tables, t.name)
	return &dynamodb.DeleteTableOutput{TableDescription: t.describe(types.TableStatusDeleting)}, nil
}

// namedTable is table with the error of the calls about tables, which names
// what is missing.
func (db *DB) namedTable(name *string) (*table, error) {
	if err := checkTableName(name); err != nil {
		return nil, err
	}
	t, ok := db.tables[*name]
	if !ok {
		return nil, &types.ResourceNotFoundException{Message: aws.String("Requested resource not found: Table: " + *name + " not found")}
	}
	return t, nil
}

func (db *DB) updateTimeToLive(in *dynamodb.UpdateTimeToLiveInput) (*dynamodb.UpdateTimeToLiveOutput, error) {
	switch {
	case in.TableName == nil:
		return nil, missing("UpdateTimeToLiveInput", "TableName")
	case in.TimeToLiveSpecification == nil:
		return nil, missing("UpdateTimeToLiveInput", "TimeToLiveSpecification")
	}
	wanted := in.TimeToLiveSpecification
	if name := aws.ToString(wanted.AttributeName); name == "" || len(name) > maxAttributeName {
		return nil, attr.Invalid("1 validation error detected: TimeToLive attribute name must be between 1 and 255 characters")
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	t, err := db.namedTable(in.TableName)
	if err != nil {
		return nil, err
	}
	enable := aws.ToBool(wanted.Enabled)
	switch {
	case t.ttl != "" && t.ttl != *wanted.AttributeName:
		return nil, attr.Invalid("TimeToLive is active on a different AttributeName: current AttributeName is " + t.ttl)
	case enable && t.ttl != "":
		return nil, attr.Invalid("TimeToLive is already enabled")
	case !enable && t.ttl == "":
		return nil, attr.Invalid("TimeToLive is already disabled")
	case enable:
		t.ttl = *wanted.AttributeName
	default:
		t.ttl = ""
	}
	return &dynamodb.UpdateTimeToLiveOutput{TimeToLiveSpecification: &types.TimeToLiveSpecification{
		AttributeName: aws.String(*wanted.AttributeName), Enabled: aws.Bool(enable),
	}}, nil
}

// maxAttributeName bounds names of keys and projected attributes, in characters.
const maxAttributeName = 255

// newTable checks a CreateTable request and builds the table.
func newTable(in *dynamodb.CreateTableInput) (*table, error) {
	if err := checkEnum("billingMode", in.BillingMode, types.BillingModePayPerRequest, types.BillingModeProvisioned); err != nil {
		return nil, err
	}
	if in.BillingMode != types.BillingModePayPerRequest && in.ProvisionedThroughput == nil {
		return nil, attr.Invalid("One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED: No provisioned throughput specified for the table")
	}
	kinds, err := attributeKinds(in.AttributeDefinitions)
	if err != nil {
		return nil, err
	}
	t := &table{
		name: *in.TableName, items: partitions{}, protected: aws.ToBool(in.DeletionProtectionEnabled),
		input: tableInput{
			attributes: copyDefinitions(in.AttributeDefinitions), keySchema: copyKeySchema(in.KeySchema),
			billing: in.BillingMode,
		},
	}
	if in.ProvisionedThroughput != nil {
		t.input.throughput = *in.ProvisionedThroughput
	}
	if t.schema, err = newSchema(in.KeySchema, kinds); err != nil {
		return nil, err
	}
	if t.indexes, err = newIndexes(in, kinds, t.schema); err != nil {
		return nil, err
	}
	if err := t.checkAllUsed(kinds); err != nil {
		return nil, err
	}
	if s := in.StreamSpecification; s != nil && aws.ToBool(s.StreamEnabled) {
		if s.StreamViewType == "" || checkEnum("streamViewType", s.StreamViewType, s.StreamViewType.Values()...) != nil {
			return nil, attr.Invalid("One or more parameter values were invalid: Invalid StreamViewType: " + string(s.StreamViewType))
		}
		t.view = s.StreamViewType
	}
	return t, nil
}

func attributeKinds(definitions []types.AttributeDefinition) (map[string]attr.Type, error) {
	out := map[string]attr.Type{}
	for _, d := range definitions {
		if err := checkEnum("attributeDefinitions.attributeType", d.AttributeType, d.AttributeType.Values()...); err != nil {
			return nil, err
		}
		out[aws.ToString(d.AttributeName)] = attr.Type(d.AttributeType)
	}
	return out, nil
}

func newSchema(elements []types.KeySchemaElement, kinds map[string]attr.Type) (schema, error) {
	var s schema
	if len(elements) < 1 || len(elements) > 2 || elements[0].KeyType != types.KeyTypeHash {
		return s, attr.Invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type; a key schema has a hash key and at most one range key")
	}
	for i, e := range elements {
		a := keyAttribute{name: aws.ToString(e.AttributeName), kind: kinds[aws.ToString(e.AttributeName)]}
		switch {
		case a.kind == "":
			return s, attr.Invalid(fmt.Sprintf("One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [%s]", a.name))
		case i == 0:
			s.hash = a
		case e.KeyType != types.KeyTypeRange:
			return s, attr.Invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
		case a.name == s.hash.name:
			return s, attr.Invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
		default:
			s.sort = a
		}
	}
	return s, nil
}

// checkAllUsed refuses definitions of attributes that are no keys.
func (t *table) checkAllUsed(kinds map[string]attr.Type) error {
	for name := range kinds {
		used := t.schema.has(name) || slices.ContainsFunc(t.indexes, func(ix *index) bool { return ix.schema.has(name) })
		if !used {
			return attr.Invalid("One or more parameter values were invalid: Some AttributeDefinitions are not used: The number of attributes in key schema must match the number of attributes defined in attribute definitions")
		}
	}
	return nil
}
