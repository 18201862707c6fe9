package functions

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/internal/table/schema"
)

// A transaction is allowed by the actions of its parts: dynamodb:PutItem, UpdateItem, DeleteItem, ConditionCheckItem.

func onTable(sid string, table awsdynamodb.Table, actions ...string) awsiam.PolicyStatement {
	return onTables(sid, []*string{table.TableArn()}, nil, actions)
}

// onKeys is onTable for partition keys that begin as one of prefixes says. Every item of a call must have such a key.
func onKeys(sid string, table awsdynamodb.Table, prefixes []string, actions ...string) awsiam.PolicyStatement {
	return onTables(sid, []*string{table.TableArn()}, &map[string]any{
		"ForAllValues:StringLike": map[string]any{"dynamodb:LeadingKeys": prefixes},
		// ForAllValues is true of a request without the key.
		"Null": map[string]any{"dynamodb:LeadingKeys": "false"},
	}, actions)
}

// onIndexes allows to query indexes of the state table, the only one that has any.
func onIndexes(table awsdynamodb.Table, indexes ...string) awsiam.PolicyStatement {
	var arns []*string
	for _, index := range indexes {
		arns = append(arns, jsii.String(*table.TableArn()+"/index/"+index))
	}
	return onTables("StateIndexes", arns, nil, []string{query})
}

func onTables(sid string, arns []*string, conditions *map[string]any, actions []string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String(sid), Actions: jsii.Strings(actions...), Resources: &arns, Conditions: conditions,
	})
}

// on allows actions on one resource.
func on(sid string, arn *string, actions ...string) awsiam.PolicyStatement {
	return onTables(sid, []*string{arn}, nil, actions)
}

// DynamoDB's actions, by what package table does.
const (
	getItem        = "dynamodb:GetItem"
	batchGetItem   = "dynamodb:BatchGetItem"
	batchWriteItem = "dynamodb:BatchWriteItem"
	query          = "dynamodb:Query"
	putItem        = "dynamodb:PutItem"
	updateItem     = "dynamodb:UpdateItem"
	deleteItem     = "dynamodb:DeleteItem"
	conditionCheck = "dynamodb:ConditionCheckItem"
)

// Partition keys of the two tables that a function may be bound to: see packages table and table/schema.
const (
	feedKeys       = "feed/*"
	budgetKeys     = "budget/*"
	membershipKeys = "cluster/*"
	clustersKey    = "clusters"
)

var allIndexes = indexNames(schema.State)

func indexNames(def schema.Table) []string {
	var names []string
	for _, index := range def.Indexes {
		names = append(names, index.Name)
	}
	return names
}
