package clusterquery

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/participle/v2/lexer"
)

const subjectNames = "agentConnected, agentVersion, attribute:NAME, ec2InstanceId, registeredAt, runningTasksCount, task:group"

const (
	opEquals    = "=="
	opNotEquals = "!="
	opGreater   = ">"
	opAtLeast   = ">="
	opLess      = "<"
	opAtMost    = "<="
	opExists    = "exists"
	opNotExists = "!exists"
	opIn        = "in"
	opNotIn     = "!in"
	opMatches   = "=~"
	opNotMatch  = "!~"
)

var operatorWords = map[string]string{
	"equals": opEquals, "not_equals": opNotEquals, "greater_than": opGreater, "greater_than_equal": opAtLeast,
	"less_than": opLess, "less_than_equal": opAtMost, "not_exists": opNotExists, "not_in": opNotIn,
	"matches": opMatches, "not_matches": opNotMatch,
}

// Which operators a subject takes is AWS's list; for attribute and task:group, where AWS gives none, it is every
// operator that has a meaning there.
var (
	textOperators      = []string{opEquals, opNotEquals, opIn, opNotIn, opMatches, opNotMatch}
	orderOperators     = []string{opEquals, opNotEquals, opGreater, opAtLeast, opLess, opAtMost}
	groupOperators     = append(slices.Clone(textOperators), opExists, opNotExists)
	attributeOperators = append(slices.Clone(groupOperators), opGreater, opAtLeast, opLess, opAtMost)
)

func (d *disjunction) compile() error {
	for _, term := range d.Terms {
		for _, f := range term.Factors {
			if err := f.compile(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *factor) compile() error {
	switch {
	case f.Negated != nil:
		return f.Negated.compile()
	case f.Group != nil:
		return f.Group.compile()
	default:
		return f.Comparison.compile()
	}
}

func (c *comparison) compile() error {
	op := c.Operator.canonical()
	var allowed []string
	var build func() (matcher, error)
	switch {
	case c.Subject == "agentConnected":
		allowed, build = textOperators, func() (matcher, error) { return c.agentConnected(op) }
	case c.Subject == "agentVersion":
		allowed, build = orderOperators, func() (matcher, error) { return c.agentVersion(op) }
	case c.Subject == "ec2InstanceId":
		allowed, build = textOperators, func() (matcher, error) { return c.ec2InstanceID(op) }
	case c.Subject == "registeredAt":
		allowed, build = orderOperators, func() (matcher, error) { return c.registeredAt(op) }
	case c.Subject == "runningTasksCount":
		allowed, build = orderOperators, func() (matcher, error) { return c.runningTasksCount(op) }
	case c.Subject == "task:group":
		allowed, build = groupOperators, func() (matcher, error) { return c.taskGroup(op) }
	case strings.HasPrefix(c.Subject, "attribute:") && c.Subject != "attribute:":
		allowed, build = attributeOperators, func() (matcher, error) { return c.attribute(op) }
	default:
		return problemAt(c.Pos, "unknown subject %q, expected one of %s", c.Subject, subjectNames)
	}
	if !slices.Contains(allowed, op) {
		return problemAt(c.Operator.Pos, "%s does not take the operator %q, expected one of %s", c.Subject, op, strings.Join(allowed, ", "))
	}
	m, err := build()
	c.matches = m
	return err
}

// canonical is the operator's symbol, whichever way it was written.
func (o *operator) canonical() string {
	name := o.Exists + o.List + o.Name
	if symbol, ok := operatorWords[name]; ok {
		return symbol
	}
	return name
}

func problemAt(pos lexer.Position, format string, args ...any) error {
	return &SyntaxError{Line: pos.Line, Column: pos.Column, Problem: fmt.Sprintf(format, args...)}
}

func (c *comparison) agentConnected(op string) (matcher, error) {
	for _, v := range c.values() {
		if op != opMatches && op != opNotMatch && v.Text != "true" && v.Text != "false" {
			return nil, problemAt(v.Pos, "agentConnected is compared with %q, expected true or false", v.Text)
		}
	}
	test, err := c.textTest(op)
	if err != nil {
		return nil, err
	}
	return func(h *Host) (bool, error) { return test(strconv.FormatBool(h.AgentConnected)), nil }, nil
}

func (c *comparison) ec2InstanceID(op string) (matcher, error) {
	test, err := c.textTest(op)
	if err != nil {
		return nil, err
	}
	return func(h *Host) (bool, error) { return test(h.EC2InstanceID), nil }, nil
}

// attribute: AWS documents "attribute:stack != prod" as "the instances with the attribute stack unless its value is
// prod". So every operator but !exists is false on a host without the attribute, the negative ones included; to get
// those hosts too one writes not(attribute:stack == prod).
func (c *comparison) attribute(op string) (matcher, error) {
	name := strings.TrimPrefix(c.Subject, "attribute:")
	var test func(string) bool
	switch op {
	case opExists, opNotExists:
		return func(h *Host) (bool, error) {
			_, found := h.Attributes[name]
			return found == (op == opExists), nil
		}, nil
	case opGreater, opAtLeast, opLess, opAtMost:
		bound := c.Operator.Value.Text
		test = func(v string) bool { return holds(op, compareText(v, bound)) }
	default:
		var err error
		if test, err = c.textTest(op); err != nil {
			return nil, err
		}
	}
	return func(h *Host) (bool, error) {
		v, found := h.Attributes[name]
		return found && test(v), nil
	}, nil
}

// taskGroup: a host has many groups. A positive operator asks whether any of them fits, its negative is the opposite,
// so that != places on empty hosts, which is what anti-affinity is for.
func (c *comparison) taskGroup(op string) (matcher, error) {
	positive := map[string]string{opNotEquals: opEquals, opNotIn: opIn, opNotMatch: opMatches, opNotExists: opExists}
	base, negative := positive[op]
	if !negative {
		base = op
	}
	test := func(string) bool { return true }
	if base != opExists {
		var err error
		if test, err = c.textTest(base); err != nil {
			return nil, err
		}
	}
	return func(h *Host) (bool, error) { return slices.ContainsFunc(h.TaskGroups, test) != negative, nil }, nil
}

func (c *comparison) runningTasksCount(op string) (matcher, error) {
	v := c.Operator.Value
	bound, err := strconv.Atoi(v.Text)
	if err != nil {
		return nil, problemAt(v.Pos, "runningTasksCount is compared with %q, expected a whole number", v.Text)
	}
	return func(h *Host) (bool, error) { return holds(op, h.RunningTasksCount-bound), nil }, nil
}

func (c *comparison) agentVersion(op string) (matcher, error) {
	v := c.Operator.Value
	bound, ok := parseVersion(v.Text)
	if !ok {
		return nil, problemAt(v.Pos, "agentVersion is compared with %q, expected numbers joined by dots, like 1.14.5", v.Text)
	}
	return func(h *Host) (bool, error) {
		if h.AgentVersion == "" {
			return false, nil
		}
		version, ok := parseVersion(h.AgentVersion)
		if !ok {
			return false, fmt.Errorf("cluster query %q: host %s has the agent version %q, expected numbers joined by dots", c.Subject, h.EC2InstanceID, h.AgentVersion)
		}
		return holds(op, slices.Compare(version, bound)), nil
	}, nil
}

// The four formats AWS documents. Those without a zone are UTC.
var dateFormats = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02"}

func (c *comparison) registeredAt(op string) (matcher, error) {
	v := c.Operator.Value
	for _, format := range dateFormats {
		bound, err := time.Parse(format, v.Text)
		if err == nil {
			return func(h *Host) (bool, error) { return holds(op, h.RegisteredAt.Compare(bound)), nil }, nil
		}
	}
	return nil, problemAt(v.Pos, "registeredAt is compared with %q, expected a date like 2018-06-18, 2018-06-18T22:28:28, 2018-06-18T22:28:28Z or 2018-06-18T22:28:28+00:00", v.Text)
}

func (c *comparison) values() []*value {
	if c.Operator.Value != nil {
		return []*value{c.Operator.Value}
	}
	return c.Operator.Values
}

// textTest builds the test of one of textOperators.
func (c *comparison) textTest(op string) (func(string) bool, error) {
	values := c.values()
	switch op {
	case opMatches, opNotMatch:
		// AWS refers to Java's patterns, where matching means the whole string; its examples ("t2.*") say the same.
		pattern, err := regexp.Compile(`^(?:` + values[0].Text + `)$`)
		if err != nil {
			return nil, problemAt(values[0].Pos, "%q is not a regular expression: %v", values[0].Text, err)
		}
		return func(v string) bool { return pattern.MatchString(v) == (op == opMatches) }, nil
	default:
		wanted := op == opEquals || op == opIn
		return func(v string) bool {
			return slices.ContainsFunc(values, func(w *value) bool { return w.Text == v }) == wanted
		}, nil
	}
}

func holds(op string, order int) bool {
	switch op {
	case opEquals:
		return order == 0
	case opNotEquals:
		return order != 0
	case opGreater:
		return order > 0
	case opAtLeast:
		return order >= 0
	case opLess:
		return order < 0
	default:
		return order <= 0
	}
}

// compareText orders two attribute values: as numbers if both are, else as text.
func compareText(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil {
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		default:
			return 0
		}
	}
	return strings.Compare(a, b)
}

// parseVersion reads "1.14.5", "v1.14.5" and "1.103.0-5d6f" as three numbers; missing ones are 0.
func parseVersion(text string) ([]int, bool) {
	text, _, _ = strings.Cut(strings.TrimPrefix(text, "v"), "-")
	parts := strings.Split(text, ".")
	if len(parts) > 4 {
		return nil, false
	}
	version := make([]int, 4)
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil, false
		}
		version[i] = n
	}
	return version, true
}
