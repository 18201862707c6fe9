package stack

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/blox/blox/test/emulator/internal/policy"
)

type policyProperties struct {
	PolicyDocument json.RawMessage
	Roles          []string
}

type roleProperties struct {
	Policies          []struct{ PolicyDocument json.RawMessage }
	ManagedPolicyArns []string
}

// Policies are the identity policies of a role, named by its logical id: those in it, and those attached to it. A policy
// of AWS is an error, for what it grants is nowhere to be read.
func (t *Template) Policies(role string) ([]policy.Document, error) {
	r, ok := t.Resources[role]
	if !ok || r.Type != "AWS::IAM::Role" {
		return nil, fmt.Errorf("%s is no role of the template", role)
	}
	var properties roleProperties
	if err := t.Resolved(Resource{LogicalID: role, Type: r.Type, Properties: r.Properties}, &properties); err != nil {
		return nil, err
	}
	if len(properties.ManagedPolicyArns) > 0 {
		return nil, fmt.Errorf("role %s has the managed policies %v: what they grant cannot be held against calls", role, properties.ManagedPolicyArns)
	}
	var bodies []json.RawMessage
	for _, inline := range properties.Policies {
		bodies = append(bodies, inline.PolicyDocument)
	}
	for _, kind := range []string{"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"} {
		for _, p := range t.OfType(kind) {
			var attached policyProperties
			if err := t.Resolved(p, &attached); err != nil {
				return nil, err
			}
			if slices.Contains(attached.Roles, r.PhysicalID) {
				bodies = append(bodies, attached.PolicyDocument)
			}
		}
	}
	var documents []policy.Document
	for _, body := range bodies {
		d, err := policy.Parse(body)
		if err != nil {
			return nil, fmt.Errorf("role %s: %w", role, err)
		}
		documents = append(documents, d)
	}
	return documents, nil
}

// RoleOf is the logical id of the role that a property of the template names, {"Fn::GetAtt": [ROLE, "Arn"]}.
func RoleOf(property any) (string, error) {
	if m, ok := property.(map[string]any); ok {
		if id, attribute, err := attributeOf(m["Fn::GetAtt"]); err == nil && attribute == "Arn" {
			return id, nil
		}
	}
	return "", fmt.Errorf("the role %v is none of the stack", property)
}

// ManagedPolicy reads a managed policy of the template.
func (t *Template) ManagedPolicy(r Resource) ([]policy.Document, error) {
	var properties policyProperties
	if err := t.Resolved(r, &properties); err != nil {
		return nil, err
	}
	d, err := policy.Parse(properties.PolicyDocument)
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", r.LogicalID, err)
	}
	return []policy.Document{d}, nil
}
