package observability

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"

	"github.com/blox/blox/internal/table/schema"
)

// tableAlarms: DynamoDB throttles single requests whenever it splits a partition, and the SDK's retries cover that. What
// is throttled in 15 minutes on end has outgrown its partitions.
func tableAlarms(props Props) []alarm {
	var all []alarm
	for _, t := range []struct {
		table  awsdynamodb.ITable
		schema schema.Table
	}{{props.StateTable, schema.State}, {props.DaemonTable, schema.Daemon}} {
		all = append(all, alarm{
			name: t.schema.LogicalName + "-table-throttled", runbook: "table-throttled",
			means:     fmt.Sprintf("DynamoDB refuses requests to table %s: a partition is too hot, or the table has a maximum of throughput.", t.schema.LogicalName),
			first:     "the dashboard's consumed units, for the index or table that peaks.",
			metric:    throttles(t.table, t.schema),
			threshold: 50, periods: 3,
		})
	}
	return all
}

// throttles adds up a table's refused reads and writes, and the refused writes of its global indexes: one that cannot keep
// up makes the table refuse writes, but the count stands under the index. Refused reads of an index are left out, for
// each metric costs as much as an alarm; they show as errors of the API. DynamoDB reports throttles only when there are
// some, so what is missing counts as 0.
func throttles(table awsdynamodb.ITable, def schema.Table) awscloudwatch.IMetric {
	using := map[string]awscloudwatch.IMetric{
		"reads":  ofTable(table, "", "ReadThrottleEvents", 5*minute, ""),
		"writes": ofTable(table, "", "WriteThrottleEvents", 5*minute, ""),
	}
	terms := []string{"FILL(reads, 0)", "FILL(writes, 0)"}
	for _, index := range globalIndexes(def) {
		using[index.Name] = ofTable(table, index.Name, "WriteThrottleEvents", 5*minute, "")
		terms = append(terms, fmt.Sprintf("FILL(%s, 0)", index.Name))
	}
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression:   jsii.String(strings.Join(terms, " + ")),
		UsingMetrics: &using,
		Label:        jsii.String("Refused requests"),
		Period:       minutes(5 * minute),
	})
}
