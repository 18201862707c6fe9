package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Dependent is a permission that no call of a function's own code uses, with its cause.
type Dependent struct {
	Function string `json:"function"`
	Action   string `json:"action"`
	Resource string `json:"resource"` // for people
	When     string `json:"when"`     // "always", or the parameter that brings it
	Cause    string `json:"cause"`
}

// People is the "function" of those who have the operators' managed policy and call AWS themselves.
const People = "operator"

// Grant is one action on one resource that a function's policies allow, and what became of it.
type Grant struct {
	Function, Action, Resource string
	Conditions                 []string
	Used                       bool   // by a recorded call
	Poller                     bool   // by Lambda only, which polled in the function's name
	Cause                      string // of a dependent permission
}

// Asked is what was asked of IAM by a recorded call.
type Asked struct {
	Function string
	Poller   bool
	Request  Request
}

// Judgement is how calls and policies fit together.
type Judgement struct {
	Grants []Grant
	// Faults are sentences: calls that a policy denies, permissions that nothing uses, dependent permissions that are
	// granted to nobody.
	Faults []string
}

// Judge holds calls against the policies of the functions that made them.
func Judge(policies map[string][]Document, asked []Asked, dependent []Dependent) (Judgement, error) {
	var j Judgement
	denied := map[string]bool{}
	for _, a := range asked {
		decision, err := Decide(policies[a.Function], a.Request)
		if err != nil {
			return j, fmt.Errorf("the policies of function %s: %w", a.Function, err)
		}
		if !decision.Allowed {
			denied[fmt.Sprintf("function %s calls %s on %s with %v: its policies do not allow it", a.Function, a.Request.Action, a.Request.Resource, a.Request.Context)] = true
		}
	}
	j.Faults = slices.Sorted(maps.Keys(denied))
	for _, function := range slices.Sorted(maps.Keys(policies)) {
		for _, d := range policies[function] {
			for i := range d.Statement {
				grants, err := judge(function, &d.Statement[i], asked, dependent)
				if err != nil {
					return j, err
				}
				j.Grants = append(j.Grants, grants...)
			}
		}
	}
	for _, g := range j.Grants {
		if !g.Used && g.Cause == "" {
			j.Faults = append(j.Faults, fmt.Sprintf("function %s may %s on %s: nothing uses it, and the table of dependent permissions does not name it", g.Function, g.Action, g.Resource))
		}
		if strings.Contains(g.Action, "*") {
			j.Faults = append(j.Faults, fmt.Sprintf("function %s may %s: an action must have no wildcard", g.Function, g.Action))
		}
	}
	for _, d := range dependent {
		granted := slices.ContainsFunc(j.Grants, func(g Grant) bool { return g.Function == d.Function && strings.EqualFold(g.Action, d.Action) })
		if d.When == "always" && !granted {
			j.Faults = append(j.Faults, fmt.Sprintf("the table of dependent permissions names %s of function %s, which is not granted", d.Action, d.Function))
		}
	}
	return j, nil
}

// judge looks at every action and resource of one statement by itself.
func judge(function string, s *Statement, asked []Asked, dependent []Dependent) ([]Grant, error) {
	if s.Effect != "Allow" {
		return nil, nil
	}
	var grants []Grant
	for _, action := range s.Action {
		for _, resource := range s.Resource {
			g := Grant{Function: function, Action: action, Resource: resource, Conditions: conditions(s)}
			alone := *s
			alone.Action, alone.Resource = list[string]{action}, list[string]{resource}
			byFunction := false
			for _, a := range asked {
				if a.Function != function {
					continue
				}
				ok, err := alone.covers(a.Request)
				if err != nil {
					return nil, err
				}
				g.Used = g.Used || ok
				byFunction = byFunction || ok && !a.Poller
			}
			g.Poller = g.Used && !byFunction
			for _, d := range dependent {
				if d.Function == function && strings.EqualFold(d.Action, action) && !byFunction {
					g.Cause = d.Cause
				}
			}
			grants = append(grants, g)
		}
	}
	return grants, nil
}

func conditions(s *Statement) []string {
	var out []string
	for _, operator := range slices.Sorted(maps.Keys(s.Condition)) {
		for _, key := range slices.Sorted(maps.Keys(s.Condition[operator])) {
			var values []string
			for _, v := range s.Condition[operator][key] {
				values = append(values, string(v))
			}
			out = append(out, fmt.Sprintf("%s %s %s", key, operator, strings.Join(values, " or ")))
		}
	}
	return out
}

// Markdown is the table for people. plain replaces what differs from one deployment to the next by names.
func (j Judgement) Markdown(plain func(string) string) string {
	var b strings.Builder
	b.WriteString("| Function | Action | Resource | Condition | Used by |\n|---|---|---|---|---|\n")
	rows := map[string]bool{}
	for _, g := range j.Grants {
		by := "the function"
		switch {
		case g.Cause != "":
			by = "dependent: " + g.Cause
		case g.Function == People && g.Used:
			by = "`blox dlq`"
		case g.Poller:
			by = "Lambda, which polls in the function's name"
		case !g.Used:
			by = "**nothing**"
		}
		cells := []string{g.Function, "`" + g.Action + "`", plain(g.Resource), plain(strings.Join(g.Conditions, "; ")), by}
		rows["| "+strings.Join(cells, " | ")+" |\n"] = true
	}
	for _, row := range slices.Sorted(maps.Keys(rows)) {
		b.WriteString(row)
	}
	return b.String()
}
