// Package functionenv reads the environment variables by which a Lambda function is told what to work with. All of them
// must be set: a function that starts with half of what it needs fails later, and elsewhere.
package functionenv

import (
	"fmt"
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

const maxDays = 3650

// Days is a number of days, 1 to 3650.
func Days(name string, into *time.Duration) Variable {
	return Variable{name, func(value string) error {
		days, err := strconv.Atoi(value)
		if err != nil || days < 1 || days > maxDays {
			return fmt.Errorf("allowed are 1 to %d days", maxDays)
		}
		*into = time.Duration(days) * 24 * time.Hour
		return nil
	}}
}
