package httpapi

import (
	"errors"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/internal/state"
)

// moment is a time in a query. Its error says more than that of a time.Time would, and times that no record can have are
// refused: they are mistakes of a unit.
type moment struct{ time.Time }

// lastMoment is beyond what anybody asks for, and before milliseconds get a fourteenth digit.
var lastMoment = time.Date(2200, time.January, 1, 0, 0, 0, 0, time.UTC)

var errMoment = errors.New("allowed are times of RFC 3339 from 1970 to 2199, such as 2026-01-31T12:00:00Z; " +
	"the + of an offset is to be written as %2B")

// UnmarshalText reads RFC 3339.
func (m *moment) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil || t.Before(time.Unix(0, 0)) || !t.Before(lastMoment) {
		return errMoment
	}
	m.Time = t.UTC()
	return nil
}

// Schema describes a time as OpenAPI does.
func (moment) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
}

// checkSpan refuses a range of time that nothing can lie in.
func checkSpan(since, until moment, name string) []error {
	if since.IsZero() || until.IsZero() || since.Before(until.Time) {
		return nil
	}
	return []error{wrong("query."+name+"Until", until.Format(time.RFC3339Nano), "allowed are times after %sSince, %s",
		name, since.Format(time.RFC3339Nano))}
}

// optionalBool is a parameter that may be true, false or absent. huma has no pointers for these: it sets what Receiver
// gives, and says whether it did.
type optionalBool struct {
	Value, Given bool
}

// Schema describes it as the boolean that it is where it is given.
func (optionalBool) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: huma.TypeBoolean} }

// Receiver is what huma reads the parameter into.
func (b *optionalBool) Receiver() reflect.Value { return reflect.ValueOf(&b.Value).Elem() }

// OnParamSet is called when the parameter was read.
func (b *optionalBool) OnParamSet(given bool, _ any) { b.Given = given }

// pointer is nil for a parameter that was not given.
func (b optionalBool) pointer() *bool {
	if !b.Given {
		return nil
	}
	return &b.Value
}

// checkName checks a value, and keeps it as its parser writes it: names are as ECS writes them then. Empty is not given.
func checkName(name *string, location string, parse func(string) (string, error)) []error {
	if *name == "" {
		return nil
	}
	parsed, err := parse(*name)
	if err != nil {
		return []error{wrong(location, shorten(*name), "%s", err)}
	}
	*name = parsed
	return nil
}

func checkSearch(search string) []error {
	if err := state.ValidateSearch(search); err != nil {
		return []error{wrong("query.q", shorten(search), "%s", err)}
	}
	return nil
}

func checkCluster(cluster string) []error {
	if cluster == "" {
		return nil
	}
	if _, _, err := parseCluster(cluster); err != nil {
		return []error{wrong("query.cluster", shorten(cluster), "invalid cluster ARN or name: %s", err)}
	}
	return nil
}
