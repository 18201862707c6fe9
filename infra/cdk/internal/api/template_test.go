package api_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
)

type object = map[string]any

// template is a CloudFormation template.
type template object

func templateOf(stack awscdk.Stack) template {
	return template(*assertions.Template_FromStack(stack, nil).ToJSON())
}

type resource struct {
	id         string
	properties object
	dependsOn  []any
	whole      object
}

// all are the resources of a type, sorted by id.
func (t template) all(kind string) []resource {
	var found []resource
	resources := t["Resources"].(object)
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		r := resources[id].(object)
		if r["Type"] == kind {
			properties, _ := r["Properties"].(object)
			dependsOn, _ := r["DependsOn"].([]any)
			found = append(found, resource{id, properties, dependsOn, r})
		}
	}
	return found
}

// one is the only resource of a type.
func (t template) one(kind string) resource {
	found := t.all(kind)
	if len(found) != 1 {
		panic(fmt.Sprintf("%d resources of type %s, want one", len(found), kind))
	}
	return found[0]
}

// function is the logical id of a function, which begins with the id that it was made under.
func (t template) function(id string) string {
	for _, f := range t.all("AWS::Lambda::Function") {
		if strings.HasPrefix(f.id, id) {
			return f.id
		}
	}
	panic("no function " + id)
}

// routes are the API's methods by "GET /v1/path".
func (t template) routes() map[string]object {
	parts := map[string]object{}
	for _, r := range t.all("AWS::ApiGateway::Resource") {
		parts["${"+r.id+"}"] = r.properties
	}
	var path func(id string) string
	path = func(id string) string {
		part, ok := parts[id]
		if !ok {
			return "" // the root
		}
		return path(text(part["ParentId"])) + "/" + part["PathPart"].(string)
	}
	routes := map[string]object{}
	for _, m := range t.all("AWS::ApiGateway::Method") {
		routes[m.properties["HttpMethod"].(string)+" "+path(text(m.properties["ResourceId"]))] = m.properties
	}
	return routes
}

// text is a value with ${Name} for every reference in it.
func text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case object:
		if ref, ok := v["Ref"].(string); ok {
			return "${" + ref + "}"
		}
		if attribute, ok := v["Fn::GetAtt"].([]any); ok {
			return fmt.Sprintf("${%s.%s}", attribute[0], attribute[1])
		}
		if join, ok := v["Fn::Join"].([]any); ok && join[0] == "" {
			var out strings.Builder
			for _, part := range join[1].([]any) {
				out.WriteString(text(part))
			}
			return out.String()
		}
	}
	panic(fmt.Sprintf("%v is no text", value))
}
