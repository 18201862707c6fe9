package main

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

// maxPageSize is the most that the API gives at once.
const maxPageSize = 1000

// orderFlags choose the order of a list, and which fields of its things are read.
type orderFlags struct {
	sort   string
	fields []string
}

func (o *orderFlags) add(cmd *cobra.Command, sorts string) {
	cmd.Flags().StringVar(&o.sort, "sort", "", "order by "+sorts+"; with a hyphen before it the latest first")
	cmd.Flags().StringSliceVar(&o.fields, "fields", nil, "with -o json, only these fields, with commas between")
}

// options are those of a list; noList is that something else is shown, which has no order.
func (o *orderFlags) options(cmd *cobra.Command, output *outputFlags, noList bool) ([]client.ListOption, error) {
	switch {
	case noList && (o.sort != "" || len(o.fields) > 0):
		return nil, usage(cmd, "--sort and --fields are for lists: allowed is neither with a name or --watch")
	case len(o.fields) > 0 && output.form != outputJSON:
		return nil, usage(cmd, "--fields is of use with -o json only")
	}
	// One more than are shown says whether there are others.
	options := []client.ListOption{client.PageSize(min(output.limit+1, maxPageSize))}
	if o.sort != "" {
		options = append(options, client.SortBy(o.sort))
	}
	if len(o.fields) > 0 {
		options = append(options, client.WithFields(o.fields...))
	}
	return options, nil
}

// byEnd is an order by the time of the end, which only what has stopped has.
func (o *orderFlags) byEnd() bool { return strings.TrimPrefix(o.sort, "-") == "stoppedAt" }

// moment is a flag that takes a time, or how long ago it was.
type moment struct {
	at  *time.Time
	now func() time.Time
}

func (c *connection) moment(at *time.Time) *moment { return &moment{at, c.now} }

// maxAgo bounds how long ago a time may be: longer ago there was nothing.
const maxAgo = 100 * 365 * 24 * time.Hour

// Set reads the time.
func (m *moment) Set(text string) error {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		*m.at = at
		return nil
	}
	if ago, ok := duration(text); ok && ago > 0 && ago <= maxAgo {
		*m.at = m.now().Add(-ago)
		return nil
	}
	return errors.New(
		"allowed are a time of RFC 3339, such as 2026-11-20T09:00:00Z, and how long ago it was, such as 90m, 2h or 7d",
	)
}

// duration reads what Go does, and whole days.
func duration(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err == nil && n <= int(maxAgo/(24*time.Hour))
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}

// String is the time, or nothing.
func (m *moment) String() string {
	if m.at == nil || m.at.IsZero() {
		return ""
	}
	return m.at.UTC().Format(time.RFC3339)
}

// Type is how the help calls the value.
func (*moment) Type() string { return "TIME" }
