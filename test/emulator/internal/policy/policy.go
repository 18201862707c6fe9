// Package policy decides whether an identity policy of AWS IAM allows a request, and holds recorded AWS calls against
// the policies of the functions that made them.
//
// It knows the part of the language that Blox's stack uses. What it does not know is an error and never a guess.
package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Document is a policy document as IAM takes it.
type Document struct {
	Statement list[Statement] `json:"Statement"`
}

// Statement is one statement of a policy.
type Statement struct {
	Sid         string                             `json:"Sid"`
	Effect      string                             `json:"Effect"`
	Action      list[string]                       `json:"Action"`
	Resource    list[string]                       `json:"Resource"`
	Condition   map[string]map[string]list[scalar] `json:"Condition"`
	NotAction   any                                `json:"NotAction"`
	NotResource any                                `json:"NotResource"`
}

// list is IAM's habit of writing a list of one as the one.
type list[T any] []T

func (l *list[T]) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, (*[]T)(l))
	}
	var one T
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*l = []T{one}
	return nil
}

// scalar is a condition's value: text, or a bool or number written as one.
type scalar string

func (s *scalar) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, (*string)(s))
	}
	*s = scalar(data)
	return nil
}

// Request is what IAM is asked: one action on one resource.
type Request struct {
	Action   string // such as dynamodb:Query
	Resource string // an ARN, or * for actions that have none
	// Context holds the values of condition keys. A key that is not there is not known to IAM either.
	Context map[string][]string
}

// Parse reads a policy document. The error names what is outside of the part that this package knows.
func Parse(document []byte) (Document, error) {
	var d Document
	if err := json.Unmarshal(document, &d); err != nil {
		return Document{}, fmt.Errorf("reading a policy: %w", err)
	}
	for i, s := range d.Statement {
		switch {
		case s.Effect != "Allow" && s.Effect != "Deny":
			return Document{}, fmt.Errorf("statement %d: Effect is %q: allowed are Allow and Deny", i, s.Effect)
		case s.NotAction != nil || s.NotResource != nil:
			return Document{}, fmt.Errorf("statement %d: NotAction and NotResource are not known here", i)
		case len(s.Action) == 0 || len(s.Resource) == 0:
			return Document{}, fmt.Errorf("statement %d: an identity policy's statement has an Action and a Resource", i)
		}
		for operator := range s.Condition {
			if _, err := condition(operator); err != nil {
				return Document{}, fmt.Errorf("statement %d: %w", i, err)
			}
		}
	}
	return d, nil
}

// Decision says how a request ended and which statements of type Allow cover it.
type Decision struct {
	Allowed bool
	Denied  bool // by a statement of type Deny
	By      []*Statement
}

// Decide holds a request against all policies of an identity.
func Decide(documents []Document, request Request) (Decision, error) {
	var d Decision
	for i := range documents {
		for j := range documents[i].Statement {
			s := &documents[i].Statement[j]
			ok, err := s.covers(request)
			if err != nil {
				return Decision{}, err
			}
			switch {
			case ok && s.Effect == "Deny":
				d.Denied = true
			case ok:
				d.By = append(d.By, s)
			}
		}
	}
	d.Allowed = len(d.By) > 0 && !d.Denied
	return d, nil
}

func (s *Statement) covers(r Request) (bool, error) {
	action := slices.ContainsFunc(s.Action, func(pattern string) bool {
		return Like(strings.ToLower(pattern), strings.ToLower(r.Action)) // IAM's actions have no case
	})
	if !action || !slices.ContainsFunc(s.Resource, func(pattern string) bool { return Like(pattern, r.Resource) }) {
		return false, nil
	}
	for operator, keys := range s.Condition {
		test, err := condition(operator)
		if err != nil {
			return false, err
		}
		for key, want := range keys {
			have, present := lookup(r.Context, key)
			if !test(have, present, want) {
				return false, nil
			}
		}
	}
	return true, nil
}

// lookup finds a condition key, whose name has no case.
func lookup(context map[string][]string, key string) ([]string, bool) {
	for name, values := range context {
		if strings.EqualFold(name, key) {
			return values, true
		}
	}
	return nil, false
}

// Like is IAM's match with * for any number of characters and ? for one.
func Like(pattern, text string) bool {
	// back is where to try again when the last * has to take one character more.
	p, t, star, back := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, back = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0:
			back++
			p, t = star+1, back
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
