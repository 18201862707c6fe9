// Package state makes the two DynamoDB tables, from the product's own definition of them.
//
// The logical ids of the tables are written down here instead of being left to the CDK, which derives them from the
// construct tree: moving code would else replace a table, and with it all that Blox knows.
package state

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/infra/cdk/internal/settings"
	"github.com/blox/blox/internal/table/schema"
)

// Logical ids that must never change.
const (
	stateTableID  = "StateTable"
	daemonTableID = "DaemonTable"
	keyID         = "TableKey"
)

// State is what is stored.
type State struct {
	scope constructs.Construct

	State  awsdynamodb.Table
	Daemon awsdynamodb.Table
	// Key encrypts both tables; nil where a key of AWS does.
	Key awskms.Key
}

// Props is what State needs.
type Props struct {
	Settings *settings.Settings
}

// New makes the tables.
func New(scope constructs.Construct, id string, props Props) *State {
	s := &State{scope: constructs.NewConstruct(scope, jsii.String(id))}
	if props.Settings.CustomerKey {
		s.Key = awskms.NewKey(s.scope, jsii.String("Key"), &awskms.KeyProps{
			Description:       jsii.String("Encrypts the tables of the Blox installation " + props.Settings.Installation),
			EnableKeyRotation: jsii.Bool(true),
			RemovalPolicy:     removal(props.Settings),
		})
		override(s.Key, keyID)
	}
	s.State = s.table(schema.State, props.Settings)
	override(s.State, stateTableID)
	s.Daemon = s.table(schema.Daemon, props.Settings)
	override(s.Daemon, daemonTableID)
	return s
}

func (s *State) table(def schema.Table, with *settings.Settings) awsdynamodb.Table {
	props := &awsdynamodb.TableProps{
		PartitionKey:        text(schema.PartitionKey),
		SortKey:             text(schema.SortKey),
		TimeToLiveAttribute: jsii.String(schema.TTL),
		BillingMode:         awsdynamodb.BillingMode_PAY_PER_REQUEST,
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		},
		DeletionProtection: jsii.Bool(with.RemovalPolicy == settings.Retain),
		RemovalPolicy:      removal(with),
		// DEFAULT is a key that AWS owns: no charge, and nothing to grant.
		Encryption: awsdynamodb.TableEncryption_DEFAULT,
	}
	if s.Key != nil {
		props.Encryption = awsdynamodb.TableEncryption_CUSTOMER_MANAGED
		props.EncryptionKey = s.Key
	}
	if def.Stream {
		props.Stream = awsdynamodb.StreamViewType_NEW_AND_OLD_IMAGES
	}
	table := awsdynamodb.NewTable(s.scope, jsii.String(def.LogicalName), props)
	for _, index := range def.Indexes {
		addIndex(table, index)
	}
	return table
}

// addIndex adds an index. A local one belongs to the table for as long as that lives: DynamoDB makes it with the table,
// and to change it CloudFormation would make another table, empty.
func addIndex(table awsdynamodb.Table, index schema.Index) {
	if index.Local() {
		table.AddLocalSecondaryIndex(&awsdynamodb.LocalSecondaryIndexProps{
			IndexName:      jsii.String(index.Name),
			SortKey:        text(index.SortKey),
			ProjectionType: awsdynamodb.ProjectionType_KEYS_ONLY,
		})
		return
	}
	table.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName:      jsii.String(index.Name),
		PartitionKey:   text(index.PartitionKey),
		SortKey:        text(index.SortKey),
		ProjectionType: awsdynamodb.ProjectionType_KEYS_ONLY,
	})
}

func text(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
}

func removal(with *settings.Settings) awscdk.RemovalPolicy {
	if with.RemovalPolicy == settings.Destroy {
		return awscdk.RemovalPolicy_DESTROY
	}
	return awscdk.RemovalPolicy_RETAIN
}

func override(construct constructs.IConstruct, id string) {
	construct.Node().DefaultChild().(awscdk.CfnResource).OverrideLogicalId(jsii.String(id))
}
