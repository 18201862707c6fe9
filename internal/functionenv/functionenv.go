// Package functionenv reads the environment variables by which a Lambda function is told what to work with. All of them
// must be set: a function that starts with half of what it needs fails later, and elsewhere.
package functionenv

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Variable is one environment variable and where its value goes.
type Variable struct {
	name string
	set  func(value string) error
}

// Read sets every variable. The error names the variable that is not set, or what it may be.
func Read(getenv func(string) string, variables ...Variable) error {
	for _, v := range variables {
		value := getenv(v.name)
		if value == "" {
			return fmt.Errorf("environment variable %s is not set", v.name)
		}
		if err := v.set(value); err != nil {
			return fmt.Errorf("environment variable %s is %q: %w", v.name, value, err)
		}
	}
	return nil
}

// Text is a variable that is taken as it is.
func Text(name string, into *string) Variable {
	return Variable{name, func(value string) error {
		*into = value
		return nil
	}}
}

// OneOf is a variable with few values.
func OneOf(name string, into *string, allowed ...string) Variable {
	return Variable{name, func(value string) error {
		if !slices.Contains(allowed, value) {
			return fmt.Errorf("allowed are %s", strings.Join(allowed, " and "))
		}
		*into = value
		return nil
	}}
}

// Parsed is a variable that parse reads; its error says what is allowed.
func Parsed[T any](name string, into *T, parse func(value string) (T, error)) Variable {
	return Variable{name, func(value string) (err error) {
		*into, err = parse(value)
		return err
	}}
}

// installationPattern is short, for the name is a part of the names of roles and of task groups.
var installationPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,15}$`)

// Installation is the name of an installation: it tells several in one account apart.
func Installation(name string, into *string) Variable {
	return matching(name, into, installationPattern, "allowed are 1 to 16 lower-case letters, digits and hyphens, a letter first")
}

var accountPattern = regexp.MustCompile(`^[0-9]{12}$`)

// Account is the number of an AWS account.
func Account(name string, into *string) Variable {
	return matching(name, into, accountPattern, "allowed are the 12 digits of an AWS account")
}

func matching(name string, into *string, pattern *regexp.Regexp, allowed string) Variable {
	return Variable{name, func(value string) error {
		if !pattern.MatchString(value) {
			return errors.New(allowed)
		}
		*into = value
		return nil
	}}
}

// Bounds of what an installation may ask for.
const (
	maxDays           = 3650
	maxMinutes        = 60
	maxCallsPerSecond = 1000
)

// Days is a number of days, 1 to 3650.
func Days(name string, into *time.Duration) Variable {
	return counted(name, "days", maxDays, func(n int) { *into = time.Duration(n) * 24 * time.Hour })
}

// Minutes is a number of minutes, 1 to 60.
func Minutes(name string, into *time.Duration) Variable {
	return counted(name, "minutes", maxMinutes, func(n int) { *into = time.Duration(n) * time.Minute })
}

// CallsPerSecond is a share of what AWS lets an account call in a region, 1 to 1000 calls a second.
func CallsPerSecond(name string, into *float64) Variable {
	return counted(name, "calls a second", maxCallsPerSecond, func(n int) { *into = float64(n) })
}

func counted(name, unit string, most int, set func(n int)) Variable {
	return Variable{name, func(value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > most {
			return fmt.Errorf("allowed are 1 to %d %s", most, unit)
		}
		set(n)
		return nil
	}}
}
