package settings

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// parameter is one name of the CDK context, what it is when not given, and how it is checked. The error of set says what
// is allowed.
type parameter struct {
	name     string
	standard any
	set      func(given any) error
}

var (
	installationPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,15}$`)
	accountPattern      = regexp.MustCompile(`^[0-9]{12}$`)
	regionPattern       = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$`)
	rolePattern         = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}$`)
	emailPattern        = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	// What IAM takes for sts:ExternalId, up to 1224 characters; a thousand are enough.
	externalIDPattern = regexp.MustCompile(`^[\w+=,.@:/-]{2,1000}$`)
	versionPattern    = regexp.MustCompile(`^[\w.+-]{1,64}$`)
)

// logRetentions are the periods that CloudWatch Logs knows, in days.
var logRetentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// maxMembers keeps the events bus's policy under its 10 KB and BLOX_MEMBERS within the 4 KB of a function's variables.
const maxMembers = 50

// maxPassableRoles keeps the drive function's policy under the 10 KB of a role's inline policies.
const maxPassableRoles = 50

func parameters(s *Settings) []parameter {
	return []parameter{
		{"installation", "blox", pattern(&s.Installation, installationPattern,
			"a lower case letter followed by at most 15 lower case letters, digits and hyphens")},
		{"retentionDays", 7, number(&s.RetentionDays, 1, 3650, "days")},
		{"reconcileMinutes", 5, number(&s.ReconcileMinutes, 1, 60, "minutes")},
		// ECS allows 20 reads and 40 modifications a second for good, shared by all in an account and region.
		{"readsPerSecond", 10, number(&s.ReadsPerSecond, 1, 1000, "calls a second")},
		{"modifiesPerSecond", 20, number(&s.ModifiesPerSecond, 1, 1000, "calls a second")},
		{"watchers", 20, number(&s.Watchers, 0, 900, "streams")},
		{"forwardChanges", false, boolean(&s.ForwardChanges)},
		{"passableRoleArns", "", roles(&s.PassableRoleARNs)},
		{"removalPolicy", Retain, oneOf(&s.RemovalPolicy, Retain, Destroy)},
		{"customerKey", false, boolean(&s.CustomerKey)},
		{"alarmEmail", "", optional(&s.AlarmEmail, emailPattern, "an e-mail address, or nothing")},
		{"tracing", false, boolean(&s.Tracing)},
		{"logRetentionDays", 30, logRetention(&s.LogRetentionDays)},
		{"architecture", ARM64, oneOf(&s.Architecture, ARM64, X8664)},
		{"members", "", members(&s.Members)},
		{"externalId", "", optional(&s.ExternalID, externalIDPattern, "2 to 1000 letters, digits and any of +=,.@:/-_")},
		{"centralAccount", "", optional(&s.CentralAccount, accountPattern, "an account of 12 digits, or nothing")},
		{"centralRegion", "", optional(&s.CentralRegion, regionPattern, "a region as in eu-west-1, or nothing")},
		{"version", "dev", pattern(&s.Version, versionPattern, "at most 64 letters, digits and any of .+-_")},
		{"functionsDirectory", "../../dist", path(&s.FunctionsDirectory)},
		{"openapiPath", "../../api/openapi.yaml", path(&s.OpenAPIPath)},
	}
}

func pattern(into *string, allowed *regexp.Regexp, says string) func(any) error {
	return func(given any) error {
		text, ok := asText(given)
		if !ok || !allowed.MatchString(text) {
			return errors.New(says)
		}
		*into = text
		return nil
	}
}

func optional(into *string, allowed *regexp.Regexp, says string) func(any) error {
	set := pattern(into, allowed, says)
	return func(given any) error {
		if given == "" {
			return nil
		}
		return set(given)
	}
}

func path(into *string) func(any) error {
	return func(given any) error {
		text, ok := given.(string)
		if !ok || text == "" {
			return errors.New("a path")
		}
		*into = text
		return nil
	}
}

func number(into *int, least, most int, unit string) func(any) error {
	return func(given any) error {
		text, _ := asText(given)
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return fmt.Errorf("%d to %d %s", least, most, unit)
		}
		*into = n
		return nil
	}
}

func boolean(into *bool) func(any) error {
	return func(given any) error {
		switch text, _ := asText(given); text {
		case "true":
			*into = true
		case "false":
			*into = false
		default:
			return errors.New("true or false")
		}
		return nil
	}
}

func oneOf(into *string, allowed ...string) func(any) error {
	return func(given any) error {
		text, ok := given.(string)
		if !ok || !slices.Contains(allowed, text) {
			return errors.New(strings.Join(allowed, " or "))
		}
		*into = text
		return nil
	}
}

func logRetention(into *int) func(any) error {
	return func(given any) error {
		text, _ := asText(given)
		n, err := strconv.Atoi(text)
		if err != nil || !slices.Contains(logRetentions, n) {
			return fmt.Errorf("one of the periods that CloudWatch Logs knows: %s days", strings.Trim(fmt.Sprint(logRetentions), "[]"))
		}
		*into = n
		return nil
	}
}

func roles(into *[]string) func(any) error {
	return func(given any) error {
		list, ok := asList(given)
		if !ok || len(list) > maxPassableRoles {
			return fmt.Errorf("a list of at most %d role ARNs", maxPassableRoles)
		}
		for _, arn := range list {
			if !rolePattern.MatchString(arn) {
				return fmt.Errorf("role ARNs as in arn:aws:iam::123456789012:role/name, without wildcards, with commas between; %q is none", arn)
			}
		}
		*into = list
		return nil
	}
}

func members(into *[]Member) func(any) error {
	return func(given any) error {
		list, ok := asList(given)
		if !ok || len(list) > maxMembers {
			return fmt.Errorf("a list of at most %d ACCOUNT/REGION", maxMembers)
		}
		var parsed []Member
		for _, text := range list {
			account, region, _ := strings.Cut(text, "/")
			if !accountPattern.MatchString(account) || !regionPattern.MatchString(region) {
				return fmt.Errorf("ACCOUNT/REGION as in 123456789012/eu-west-1, with commas between; %q is none", text)
			}
			m := Member{Account: account, Region: region}
			if slices.Contains(parsed, m) {
				return fmt.Errorf("every ACCOUNT/REGION once; %s is there twice", m)
			}
			parsed = append(parsed, m)
		}
		*into = parsed
		return nil
	}
}
