package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/blox/blox/test/emulator/internal/inventory"
	"github.com/blox/blox/test/emulator/internal/stack"
)

const (
	beforeFile = "before.txt"
	tablesFile = "tables.json"
	// retainedFile lists what the template keeps when the stack is gone.
	retainedFile = "retained.txt"
)

func before(ctx context.Context, o options) error {
	names, err := inventory.List(ctx, o.account)
	if err != nil {
		return err
	}
	return writeLines(o.file(beforeFile), names)
}

// tableState is a table and how many items it has.
type tableState struct {
	PhysicalID string
	Items      int
}

// maxPages bounds a count.
const maxPages = 100

func (o options) tables(ctx context.Context) (map[string]tableState, *stack.Template, error) {
	t, err := stack.Read(ctx, stack.Clients{CloudFormation: o.account.CloudFormation, DynamoDB: o.account.DynamoDB}, o.stack)
	if err != nil {
		return nil, nil, err
	}
	states := map[string]tableState{}
	for _, r := range t.OfType("AWS::DynamoDB::Table") {
		n, err := o.count(ctx, r.PhysicalID)
		if err != nil {
			return nil, nil, err
		}
		states[r.LogicalID] = tableState{r.PhysicalID, n}
	}
	return states, t, nil
}

func (o options) count(ctx context.Context, table string) (int, error) {
	n := 0
	in := &dynamodb.ScanInput{TableName: &table, Select: dbtypes.SelectCount}
	for range maxPages {
		out, err := o.account.DynamoDB.Scan(ctx, in)
		if err != nil {
			return 0, fmt.Errorf("counting the items of table %s: %w", table, err)
		}
		n += int(out.Count)
		if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("counting the items of table %s: more than %d pages", table, maxPages)
}

// note remembers the tables for the command updated.
func (o options) note(ctx context.Context) error {
	states, t, err := o.tables(ctx)
	if err != nil {
		return err
	}
	var retained []string
	for _, r := range t.Resources {
		if r.Retained && r.PhysicalID != "" {
			retained = append(retained, r.PhysicalID)
		}
	}
	if err := writeLines(o.file(retainedFile), retained); err != nil {
		return err
	}
	data, err := json.Marshal(states)
	if err != nil {
		return err
	}
	return os.WriteFile(o.file(tablesFile), data, 0o600)
}

func updated(ctx context.Context, o options) error {
	data, err := os.ReadFile(o.file(tablesFile))
	if err != nil {
		return err
	}
	var then map[string]tableState
	if err := json.Unmarshal(data, &then); err != nil {
		return err
	}
	now, t, err := o.tables(ctx)
	if err != nil {
		return err
	}
	if !maps.Equal(then, now) {
		return fmt.Errorf("an update must keep the tables and their items: before it they were %v, after it %v", then, now)
	}
	for _, r := range t.OfType("AWS::Lambda::Function") {
		out, err := o.account.Lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &r.PhysicalID})
		if err != nil {
			return fmt.Errorf("reading the configuration of function %s: %w", r.LogicalID, err)
		}
		if out.Environment == nil {
			return fmt.Errorf("after the update function %s has no environment", r.LogicalID)
		}
		if got := out.Environment.Variables["BLOX_RETENTION_DAYS"]; got != o.retention {
			return fmt.Errorf("after the update %s has BLOX_RETENTION_DAYS %q, expected %q", r.LogicalID, got, o.retention)
		}
		if got := out.Environment.Variables["BLOX_FORWARD_CHANGES"]; got == "true" {
			return fmt.Errorf("after the update %s still has BLOX_FORWARD_CHANGES %q", r.LogicalID, got)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(now)) {
		fmt.Fprintf(o.out, "  ok     the update kept %s: %s with %d items\n", id, now[id].PhysicalID, now[id].Items)
	}
	return nil
}

func gone(ctx context.Context, o options) error {
	was, err := readLines(o.file(beforeFile))
	if err != nil {
		return err
	}
	now, err := inventory.List(ctx, o.account)
	if err != nil {
		return err
	}
	retained, err := readLines(o.file(retainedFile))
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(inventory.Left(was, now), func(thing string) bool {
		meant := slices.ContainsFunc(retained, func(id string) bool { return strings.HasSuffix(thing, " "+id) })
		if meant {
			fmt.Fprintln(o.out, "  ok     kept, as the template says:", thing)
		}
		return meant
	})
	if len(left) > 0 {
		return fmt.Errorf("the stack was destroyed and left %d things behind: %q", len(left), left)
	}
	fmt.Fprintln(o.out, "  ok     the destroyed stack left nothing else behind")
	return nil
}
