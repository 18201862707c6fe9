package main

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// whole is a whole number. The decoder by itself would cut the fraction off 1.5 without a word.
type whole int

// UnmarshalYAML takes a whole number and nothing else.
func (w *whole) UnmarshalYAML(node ast.Node) error {
	if _, ok := node.(*ast.IntegerNode); !ok {
		return mistyped[int](node)
	}
	var n int
	if err := yaml.NodeToValue(node, &n); err != nil {
		return mistyped[int](node)
	}
	*w = whole(n)
	return nil
}

// amount is a number of hosts, or a percentage of them; the API knows which are good.
type amount string

// UnmarshalYAML takes a whole number or a text.
func (a *amount) UnmarshalYAML(node ast.Node) error {
	switch node := node.(type) {
	case *ast.IntegerNode:
		*a = amount(fmt.Sprint(node.Value))
	case *ast.StringNode:
		*a = amount(node.Value)
	default:
		return mistyped[string](node)
	}
	return nil
}

// mistyped is a value of another type than Wanted; inWords names the field.
func mistyped[Wanted any](node ast.Node) error {
	return &yaml.TypeError{DstType: reflect.TypeFor[Wanted](), SrcType: reflect.TypeFor[any](), Token: node.GetToken()}
}

const (
	wantText    = "text"
	wantTexts   = "a list of texts, such as [edge, core]"
	wantWhole   = "a whole number"
	wantAmount  = "a number of hosts, such as 3, or a percentage of them, such as 25%"
	wantBoolean = "true or false"
)

// fieldTypes are what the fields of a manifest have to be, in words.
var fieldTypes = map[string]string{
	"name":                    wantText,
	"cluster":                 wantText,
	"clusters":                wantTexts,
	"clusterPattern":          wantText,
	"instanceGroup":           "fields of its own: cluster, expression, exclude",
	"expression":              wantText,
	"exclude":                 "a list of EC2 instance ids, such as [i-0a1b2c3d4e5f60718]",
	"taskDefinition":          wantText,
	"copyTaskDefinition":      wantBoolean,
	"launchType":              wantText,
	"networkConfiguration":    "fields of its own: subnets, securityGroups",
	"subnets":                 "a list of texts, such as [subnet-1, subnet-2]",
	"securityGroups":          "a list of texts, such as [sg-1, sg-2]",
	"overrides":               "fields of its own, those of ECS's task overrides",
	"enableExecuteCommand":    wantBoolean,
	"enableECSManagedTags":    wantBoolean,
	"propagateTags":           wantText,
	"tags":                    "names with texts, such as {team: platform}",
	"readinessAttribute":      wantText,
	"drainPriority":           wantWhole,
	"releaseIdleHosts":        wantBoolean,
	"migrateFrom":             wantText,
	"deploymentConfiguration": "fields of its own, such as minimumHealthyPercent and minHealthySeconds",
	"method":                  wantText,
	"minimumHealthyPercent":   wantWhole,
	"maxUnavailable":          wantAmount,
	"maxSurge":                wantAmount,
	"minHealthySeconds":       wantWhole,
	"hostDeadlineSeconds":     wantWhole,
	"progressDeadlineSeconds": wantWhole,
	"bakeSeconds":             wantWhole,
	"canary":                  "fields of its own: hosts or expression, and promoteAfterSeconds",
	"hosts":                   wantAmount,
	"promoteAfterSeconds":     wantWhole,
	"alarms":                  "a list of texts, such as [log-agent-errors]",
	"circuitBreaker":          "fields of its own: enable, rollback, threshold",
	"enable":                  wantBoolean,
	"rollback":                wantBoolean,
	"threshold":               wantAmount,
}

// inWords says what is wrong in a file, and where. The decoder would name Go's types, and the field only sometimes.
func inWords(err error) error {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil || at.GetToken().Position == nil {
		return errors.New(strings.TrimSpace(yaml.FormatError(err, false, false)))
	}
	text := at.GetMessage()
	var mistyped *yaml.TypeError
	var misplaced *yaml.UnexpectedNodeTypeError
	var overflowed *yaml.OverflowError
	if errors.As(err, &mistyped) || errors.As(err, &misplaced) || errors.As(err, &overflowed) {
		text = "an environment is fields, such as name: log-agent"
		if field := fieldOf(at.GetToken()); fieldTypes[field] != "" {
			text = field + " must be " + fieldTypes[field]
		}
	}
	position := at.GetToken().Position
	return fmt.Errorf("line %d, column %d: %s", position.Line, position.Column, text)
}

// fieldOf is the innermost field of a manifest that a value stands in: the nearest known name before it in its document.
func fieldOf(value *token.Token) string {
	for t := value.Prev; t != nil && t.Type != token.DocumentHeaderType; t = t.Prev {
		if t.Type == token.MappingValueType && t.Prev != nil && fieldTypes[t.Prev.Value] != "" {
			return t.Prev.Value
		}
	}
	return ""
}
