package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// From reads the settings out of a CDK context. Values given on the command line are text, those of cdk.json may be
// numbers, booleans and lists. The error names every parameter that is wrong, what was given and what is allowed.
func From(context map[string]any) (*Settings, error) {
	s := &Settings{}
	known := parameters(s)
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(context)) {
		if isOurs(name) && !slices.ContainsFunc(known, func(p parameter) bool { return p.name == name }) {
			errs = append(errs, fmt.Errorf("there is no parameter %q: allowed are %s", name, names(known)))
		}
	}
	for _, p := range known {
		given, ok := context[p.name]
		if !ok || given == nil {
			given = p.standard
		}
		if err := p.set(given); err != nil {
			errs = append(errs, fmt.Errorf("parameter %s is %s: allowed is %w", p.name, shown(given), err))
		}
	}
	if len(errs) == 0 {
		errs = append(errs, s.agree()...)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return s, nil
}

// isOurs tells parameters of Blox from the CDK's own context: feature flags ("@aws-cdk/…"), settings ("aws:cdk:…",
// "cdk-nag:…") and remembered lookups ("availability-zones:account=…") all hold a colon or a slash.
func isOurs(name string) bool { return !strings.ContainsAny(name, ":/") }

// agree checks what concerns several parameters at once.
func (s *Settings) agree() []error {
	var errs []error
	if len(s.Members) > 0 && s.ExternalID == "" {
		errs = append(errs, errors.New("parameter externalId is not set: with members every installation needs one, "+
			"for example the output of uuidgen, the same here and in the member stacks"))
	}
	if (s.CentralAccount == "") != (s.CentralRegion == "") {
		errs = append(errs, errors.New("only one of the parameters centralAccount and centralRegion is set: "+
			"a member stack needs both, the installation's own stack neither"))
	}
	if s.IsMember() && s.ExternalID == "" {
		errs = append(errs, errors.New("parameter externalId is not set: a member stack needs that of the installation it belongs to"))
	}
	if s.IsMember() && len(s.Members) > 0 {
		errs = append(errs, errors.New("parameter members is set along with centralAccount: "+
			"members are a parameter of the installation's own stack, not of the member stack"))
	}
	return errs
}

// CheckHome checks what depends on where the stack is going: account and region are those that the CDK found, empty
// where it found none, and then nothing is known. A function that finds its own place among the members does not start.
func (s *Settings) CheckHome(account, region string) error {
	if account == "" || region == "" {
		return nil
	}
	here := Member{Account: account, Region: region}
	if slices.Contains(s.Members, here) {
		return fmt.Errorf("parameter members has %s, which is where the installation itself goes: leave it out, allowed are other accounts and regions", here)
	}
	if s.CentralAccount == account && s.CentralRegion == region {
		return fmt.Errorf("the member stack would go to %s, where the installation itself lives: use the credentials and region of the member", here)
	}
	return nil
}

func names(known []parameter) string {
	var all []string
	for _, p := range known {
		all = append(all, p.name)
	}
	return strings.Join(all, ", ")
}

func joined(members []Member) string {
	var all []string
	for _, m := range members {
		all = append(all, m.String())
	}
	return strings.Join(all, ",")
}

// shown is a value as the user may have typed it.
func shown(given any) string {
	text, err := json.Marshal(given)
	if err != nil {
		return fmt.Sprintf("%v", given)
	}
	return string(text)
}

// asText is a value as text; the command line gives everything as text.
func asText(given any) (string, bool) {
	switch v := given.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int:
		return strconv.Itoa(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case json.Number:
		return v.String(), true
	default:
		return "", false
	}
}

// asList is a list as cdk.json has it, or text with commas between. No text is no element.
func asList(given any) ([]string, bool) {
	switch v := given.(type) {
	case []string:
		return v, true
	case []any:
		var list []string
		for _, element := range v {
			text, ok := element.(string)
			if !ok {
				return nil, false
			}
			list = append(list, text)
		}
		return list, true
	case string:
		if strings.TrimSpace(v) == "" {
			return nil, true
		}
		list := strings.Split(v, ",")
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
		return list, true
	default:
		return nil, false
	}
}
