package policy

import (
	"fmt"
	"slices"
	"strings"
)

// test says whether the values that a request has for a key satisfy those that a policy wants.
type test func(have []string, present bool, want []scalar) bool

// matcher compares one value of the request with one of the policy.
type matcher func(want, have string) bool

var matchers = map[string]matcher{
	"StringEquals":           func(want, have string) bool { return want == have },
	"StringEqualsIgnoreCase": strings.EqualFold,
	"StringLike":             Like,
	"ArnEquals":              arnLike, // IAM treats both alike
	"ArnLike":                arnLike,
	"Bool":                   strings.EqualFold,
}

// condition reads an operator's name: [ForAllValues:|ForAnyValue:]Operator[IfExists], or a negated one.
func condition(operator string) (test, error) {
	if operator == "Null" {
		return func(_ []string, present bool, want []scalar) bool {
			return slices.ContainsFunc(want, func(w scalar) bool { return (w == "true") != present })
		}, nil
	}
	name, all := strings.CutPrefix(operator, "ForAllValues:")
	name, some := strings.CutPrefix(name, "ForAnyValue:")
	name, ifExists := strings.CutSuffix(name, "IfExists")
	// "not" negates the whole list: none of the policy's values may match.
	positive := strings.Replace(name, "Not", "", 1)
	match, known := matchers[positive]
	negated := positive != name
	if !known || all && some || negated && positive == "Bool" {
		return nil, fmt.Errorf("the condition operator %q is not known here", operator)
	}
	return func(have []string, present bool, want []scalar) bool {
		if !present || len(have) == 0 {
			// A key that is not there: a set is satisfied for want of a member, and so is a negation.
			return all || ifExists || negated && !some
		}
		one := func(value string) bool {
			among := slices.ContainsFunc(want, func(w scalar) bool { return match(string(w), value) })
			return among != negated
		}
		if some || !all && !negated {
			return slices.ContainsFunc(have, one)
		}
		return !slices.ContainsFunc(have, func(value string) bool { return !one(value) })
	}, nil
}

// arnLike matches the six parts of an ARN one by one, so that no * reaches over a colon into the next part.
func arnLike(want, have string) bool {
	const parts = 6
	w, h := strings.SplitN(want, ":", parts), strings.SplitN(have, ":", parts)
	if len(w) != parts || len(h) != parts {
		return want == "*"
	}
	for i := range w {
		if !Like(w[i], h[i]) {
			return false
		}
	}
	return true
}
