// Package stack reads a deployed CloudFormation stack: its template with the intrinsic functions resolved by what was
// created, and the parts of it that a host of Lambda functions needs.
//
// What the emulated account answers goes first. The template is asked for what an emulator does not keep, such as
// schedules or gateway responses.
package stack

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Resource is one resource of the stack.
type Resource struct {
	LogicalID  string
	Type       string // such as AWS::Lambda::Function
	PhysicalID string // empty if the emulator did not create it
	Properties map[string]any
	// Retained says that the resource outlives the stack.
	Retained bool
}

// Template is a template and what became of it.
type Template struct {
	Partition, Account, Region, StackName, StackID string

	Resources map[string]Resource
	// Attributes are those that cannot be worked out from a physical id: "LogicalID.Attribute".
	Attributes map[string]string
	Parameters map[string]string
	Conditions map[string]bool
}

// OfType are the resources of a type, by logical id.
func (t *Template) OfType(kind string) []Resource {
	var found []Resource
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		if t.Resources[id].Type == kind {
			found = append(found, t.Resources[id])
		}
	}
	return found
}

// errNotCreated marks what refers to a resource that the emulator did not create.
var errNotCreated = errors.New("the emulator did not create it")

// Resolve replaces the intrinsic functions in a value of the template. The error names what is not known here.
func (t *Template) Resolve(value any) (any, error) {
	switch v := value.(type) {
	case []any:
		var out []any
		for _, element := range v {
			e, err := t.Resolve(element)
			if err != nil {
				return nil, err
			}
			if e != noValue {
				out = append(out, e)
			}
		}
		return out, nil
	case map[string]any:
		if len(v) == 1 {
			for name, argument := range v {
				if name == "Ref" || strings.HasPrefix(name, "Fn::") {
					return t.intrinsic(name, argument)
				}
			}
		}
		out := make(map[string]any, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			e, err := t.Resolve(v[name])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if e != noValue {
				out[name] = e
			}
		}
		return out, nil
	default:
		return value, nil
	}
}

// noValue is what AWS::NoValue leaves.
var noValue any = new(struct{ byte })

func (t *Template) intrinsic(name string, argument any) (any, error) {
	switch name {
	case "Ref":
		id, _ := argument.(string)
		return t.ref(id)
	case "Fn::GetAtt":
		id, attribute, err := attributeOf(argument)
		if err != nil {
			return nil, err
		}
		return t.attribute(id, attribute)
	case "Fn::Sub":
		return t.sub(argument)
	case "Fn::If":
		arms, _ := argument.([]any)
		if len(arms) != 3 {
			return nil, fmt.Errorf("Fn::If with %d arguments", len(arms))
		}
		condition, _ := arms[0].(string)
		holds, known := t.Conditions[condition]
		if !known {
			return nil, fmt.Errorf("the condition %q is not known here", condition)
		}
		if holds {
			return t.Resolve(arms[1])
		}
		return t.Resolve(arms[2])
	}
	resolved, err := t.Resolve(argument)
	if err != nil {
		return nil, err
	}
	list, _ := resolved.([]any)
	switch {
	case name == "Fn::Join" && len(list) == 2:
		separator, _ := list[0].(string)
		parts, err := texts(list[1])
		return strings.Join(parts, separator), err
	case name == "Fn::Split" && len(list) == 2:
		separator, _ := list[0].(string)
		text, _ := list[1].(string)
		var out []any
		for part := range strings.SplitSeq(text, separator) {
			out = append(out, part)
		}
		return out, nil
	case name == "Fn::Select" && len(list) == 2:
		from, _ := list[1].([]any)
		var i int
		if _, err := fmt.Sscan(fmt.Sprint(list[0]), &i); err != nil || i < 0 || i >= len(from) {
			return nil, fmt.Errorf("Fn::Select of %v from %d", list[0], len(from))
		}
		return from[i], nil
	}
	return nil, fmt.Errorf("%s is not known here", name)
}

func texts(list any) ([]string, error) {
	elements, _ := list.([]any)
	out := make([]string, len(elements))
	for i, e := range elements {
		text, ok := e.(string)
		if !ok {
			return nil, fmt.Errorf("a text is wanted where %v is", e)
		}
		out[i] = text
	}
	return out, nil
}

func attributeOf(argument any) (id, attribute string, err error) {
	switch a := argument.(type) {
	case string:
		id, attribute, _ = strings.Cut(a, ".")
	case []any:
		parts, err := texts(a)
		if err != nil || len(parts) != 2 {
			return "", "", fmt.Errorf("Fn::GetAtt with %v", a)
		}
		id, attribute = parts[0], parts[1]
	}
	return id, attribute, nil
}

var placeholder = regexp.MustCompile(`\$\{([^!}]+)\}`)

func (t *Template) sub(argument any) (any, error) {
	text, isText := argument.(string)
	own := map[string]any{}
	if !isText {
		list, _ := argument.([]any)
		if len(list) != 2 {
			return nil, fmt.Errorf("Fn::Sub with %v", argument)
		}
		text, _ = list[0].(string)
		own, _ = list[1].(map[string]any)
	}
	var failed error
	out := placeholder.ReplaceAllStringFunc(text, func(found string) string {
		name := found[2 : len(found)-1]
		var value any
		var err error
		if v, ok := own[name]; ok {
			value, err = t.Resolve(v)
		} else if id, attribute, has := strings.Cut(name, "."); has && !strings.Contains(name, "::") {
			value, err = t.attribute(id, attribute)
		} else {
			value, err = t.ref(name)
		}
		failed = errors.Join(failed, err)
		return fmt.Sprint(value)
	})
	return strings.ReplaceAll(out, "${!", "${"), failed
}

func (t *Template) ref(id string) (any, error) {
	switch id {
	case "AWS::Partition":
		return t.Partition, nil
	case "AWS::AccountId":
		return t.Account, nil
	case "AWS::Region":
		return t.Region, nil
	case "AWS::StackName":
		return t.StackName, nil
	case "AWS::StackId":
		return t.StackID, nil
	case "AWS::URLSuffix":
		return "amazonaws.com", nil
	case "AWS::NoValue":
		return noValue, nil
	}
	if value, ok := t.Parameters[id]; ok {
		return value, nil
	}
	r, ok := t.Resources[id]
	if !ok {
		return nil, fmt.Errorf("a Ref to %s, which is neither a resource nor a parameter", id)
	}
	if r.PhysicalID == "" {
		// A stage and its like are named in the template itself.
		if name, ok := r.Properties[map[string]string{"AWS::ApiGateway::Stage": "StageName"}[r.Type]].(string); ok {
			return name, nil
		}
		return nil, fmt.Errorf("%s %s: %w", r.Type, id, errNotCreated)
	}
	return r.PhysicalID, nil
}

func (t *Template) attribute(id, attribute string) (any, error) {
	if value, ok := t.Attributes[id+"."+attribute]; ok {
		return value, nil
	}
	r, ok := t.Resources[id]
	if !ok {
		return nil, fmt.Errorf("Fn::GetAtt of %s, which is no resource", id)
	}
	if r.PhysicalID == "" {
		return nil, fmt.Errorf("%s %s: %w", r.Type, id, errNotCreated)
	}
	last := r.PhysicalID[strings.LastIndexAny(r.PhysicalID, "/:")+1:]
	arn := func(service, resource string) string {
		if strings.HasPrefix(r.PhysicalID, "arn:") {
			return r.PhysicalID
		}
		region := t.Region
		if service == "iam" {
			region = ""
		}
		return fmt.Sprintf("arn:%s:%s:%s:%s:%s", t.Partition, service, region, t.Account, resource)
	}
	switch r.Type + "." + attribute {
	case "AWS::SQS::Queue.Arn":
		return arn("sqs", last), nil
	case "AWS::SQS::Queue.QueueName":
		return last, nil
	case "AWS::DynamoDB::Table.Arn":
		return arn("dynamodb", "table/"+r.PhysicalID), nil
	case "AWS::Lambda::Function.Arn":
		return arn("lambda", "function:"+r.PhysicalID), nil
	case "AWS::Events::EventBus.Arn":
		return arn("events", "event-bus/"+r.PhysicalID), nil
	case "AWS::IAM::Role.Arn":
		return arn("iam", "role/"+r.PhysicalID), nil
	case "AWS::Logs::LogGroup.Arn":
		return arn("logs", "log-group:"+r.PhysicalID+":*"), nil
	case "AWS::KMS::Key.Arn":
		return arn("kms", "key/"+r.PhysicalID), nil
	case "AWS::SNS::Topic.TopicArn", "AWS::SNS::Topic.Arn":
		return arn("sns", last), nil
	}
	return nil, fmt.Errorf("the attribute %s of %s %s is not known here", attribute, r.Type, id)
}
