package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/goccy/go-yaml"
)

// Clients are the APIs of the emulated account that a stack is read by.
type Clients struct {
	CloudFormation *cloudformation.Client
	DynamoDB       *dynamodb.Client
}

// Read reads the template of a deployed stack and what was created by it.
func Read(ctx context.Context, clients Clients, name string) (*Template, error) {
	described, err := clients.CloudFormation.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		return nil, fmt.Errorf("describing stack %s: %w", name, err)
	}
	if len(described.Stacks) != 1 {
		return nil, fmt.Errorf("describing stack %s: %d stacks", name, len(described.Stacks))
	}
	stack := described.Stacks[0]
	const idParts = 6 // arn:PARTITION:cloudformation:REGION:ACCOUNT:stack/…
	id := strings.SplitN(aws.ToString(stack.StackId), ":", idParts)
	if len(id) != idParts {
		return nil, fmt.Errorf("stack %s has the id %q, which is no ARN", name, aws.ToString(stack.StackId))
	}
	t := &Template{
		Partition: id[1], Region: id[3], Account: id[4], StackName: name, StackID: aws.ToString(stack.StackId),
		Resources: map[string]Resource{}, Attributes: map[string]string{}, Parameters: map[string]string{}, Conditions: map[string]bool{},
	}
	for _, p := range stack.Parameters {
		t.Parameters[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
	}
	body, err := clients.CloudFormation.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &name, TemplateStage: types.TemplateStageOriginal})
	if err != nil {
		return nil, fmt.Errorf("reading the template of stack %s: %w", name, err)
	}
	if err := t.parse(aws.ToString(body.TemplateBody)); err != nil {
		return nil, fmt.Errorf("reading the template of stack %s: %w", name, err)
	}
	created, err := clients.CloudFormation.DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{StackName: &name})
	if err != nil {
		return nil, fmt.Errorf("listing the resources of stack %s: %w", name, err)
	}
	for _, r := range created.StackResources {
		id := aws.ToString(r.LogicalResourceId)
		if resource, ok := t.Resources[id]; ok {
			resource.PhysicalID = physical(aws.ToString(r.PhysicalResourceId), resource)
			t.Resources[id] = resource
		}
	}
	if err := t.streams(ctx, clients.DynamoDB); err != nil {
		return nil, err
	}
	return t, nil
}

// IsObject says whether a text is how Python prints an object: moto answers so where it forgot to give a resource a name.
func IsObject(text string) bool { return strings.HasPrefix(text, "<moto.") }

// physical is a resource's physical id, or the name that the template gives it where the emulator has none.
func physical(id string, r Resource) string {
	name, _ := r.Properties["Name"].(string)
	if r.Type == "AWS::Events::EventBus" && (id == "" || IsObject(id)) {
		return name
	}
	return id
}

// parse takes the template as JSON, or as the YAML in which the CDK's command uploads it.
func (t *Template) parse(body string) error {
	data := []byte(body)
	if !strings.HasPrefix(strings.TrimSpace(body), "{") {
		var err error
		if data, err = yaml.YAMLToJSON(data); err != nil {
			return err
		}
	}
	var document struct {
		Resources map[string]struct {
			Type           string
			Properties     map[string]any
			DeletionPolicy string
		}
		Conditions map[string]any
	}
	if err := json.Unmarshal(data, &document); err != nil {
		return err
	}
	for id, r := range document.Resources {
		t.Resources[id] = Resource{LogicalID: id, Type: r.Type, Properties: r.Properties, Retained: r.DeletionPolicy == "Retain"}
	}
	return nil
}

// streams asks for the tables' streams, whose ARNs hold the time of their making.
func (t *Template) streams(ctx context.Context, db *dynamodb.Client) error {
	for _, table := range t.OfType("AWS::DynamoDB::Table") {
		out, err := db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(table.PhysicalID)})
		if err != nil {
			return fmt.Errorf("describing table %s: %w", table.PhysicalID, err)
		}
		if arn := aws.ToString(out.Table.LatestStreamArn); arn != "" {
			t.Attributes[table.LogicalID+".StreamArn"] = arn
		}
	}
	return nil
}

// Resolved is the resource with its intrinsic functions resolved; into takes its properties as JSON would.
func (t *Template) Resolved(r Resource, into any) error {
	value, err := t.Resolve(r.Properties)
	if err != nil {
		return fmt.Errorf("%s %s: %w", r.Type, r.LogicalID, err)
	}
	data, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", r.Type, r.LogicalID, err)
	}
	return nil
}

// untracked are created without a physical id by some emulators: what the API answers tells that they are there.
var untracked = map[string]bool{
	"AWS::CDK::Metadata": true, "AWS::ApiGateway::Method": true, "AWS::ApiGateway::Deployment": true, "AWS::Lambda::Permission": true,
}

// Missing are the resources of which the emulator's CloudFormation has no physical id, by type, with their number: it did
// not create them.
func (t *Template) Missing() map[string]int {
	missing := map[string]int{}
	for _, r := range t.Resources {
		if r.PhysicalID == "" && !untracked[r.Type] {
			missing[r.Type]++
		}
	}
	return missing
}

// IsNotCreated says whether something cannot be resolved for want of a resource that the emulator did not create.
func IsNotCreated(err error) bool { return errors.Is(err, errNotCreated) }

// QueueName is the last part of a queue's URL or ARN.
func QueueName(urlOrARN string) string {
	if u, err := url.Parse(urlOrARN); err == nil && u.Path != "" {
		urlOrARN = u.Path
	}
	return urlOrARN[strings.LastIndexAny(urlOrARN, "/:")+1:]
}
