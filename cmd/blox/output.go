package main

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

const (
	outputTable = "table"
	outputJSON  = "json"
)

// outputFlags choose the form of what is shown, and how much of it.
type outputFlags struct {
	form  string
	limit int
}

const defaultLimit = 1000

func (o *outputFlags) addForm(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.form, "output", "o", outputTable, "form of the output: table or json")
}

func (o *outputFlags) addLimit(cmd *cobra.Command) {
	cmd.Flags().IntVar(&o.limit, "limit", defaultLimit, "show at most this many")
}

func (o *outputFlags) check(cmd *cobra.Command) error {
	if o.form != outputTable && o.form != outputJSON {
		return usage(cmd, "--output %q: allowed are %s and %s", o.form, outputTable, outputJSON)
	}
	if cmd.Flags().Lookup("limit") != nil && o.limit < 1 {
		return usage(cmd, "--limit %d: allowed is 1 or more", o.limit)
	}
	return nil
}

// identity is which thing this is, and which version of it; an empty arn is a thing of its own.
type identity[T any] func(T) (arn string, number int64)

// take reads at most limit things; more says that there are others. What moved on in its life while pages were read comes
// twice, and counts once: the newest version is kept, where it came first.
func take[T any](list iter.Seq2[T, error], limit int, of identity[T]) (items []T, more bool, err error) {
	items = []T{}
	at := map[string]int{}
	for item, err := range list {
		if err != nil {
			return nil, false, err
		}
		if of != nil {
			arn, number := of(item)
			if i, again := at[arn]; again && arn != "" {
				if _, before := of(items[i]); number >= before {
					items[i] = item
				}
				continue
			}
			at[arn] = len(items)
		}
		if len(items) == limit {
			return items, true, nil
		}
		items = append(items, item)
	}
	return items, false, nil
}

// showList prints a list as a table or as JSON, and on stderr that there is more.
func showList[T any](cmd *cobra.Command, o *outputFlags, list iter.Seq2[T, error], header []string, row func(T) []string) error {
	items, more, err := take(list, o.limit, nil)
	if err != nil {
		return err
	}
	return showItems(cmd, o, items, more, header, row)
}

// showItems is showList of what was read already.
func showItems[T any](
	cmd *cobra.Command, o *outputFlags, items []T, more bool, header []string, row func(T) []string,
) error {
	if more {
		fmt.Fprintf(cmd.ErrOrStderr(), "only the first %d are shown: give --limit to see more\n", o.limit)
	}
	if o.form == outputJSON {
		return printJSON(cmd.OutOrStdout(), map[string]any{"items": items})
	}
	if len(items) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "nothing found")
		return nil
	}
	rows := make([][]string, len(items))
	for i, item := range items {
		rows[i] = row(item)
	}
	return printTable(cmd.OutOrStdout(), header, rows)
}

// showOne prints one thing as a table of one row or as JSON.
func showOne[T any](cmd *cobra.Command, o *outputFlags, item T, header []string, row func(T) []string) error {
	if o.form == outputJSON {
		return printJSON(cmd.OutOrStdout(), item)
	}
	return printTable(cmd.OutOrStdout(), header, [][]string{row(item)})
}

func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

func printTable(w io.Writer, header []string, rows [][]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		for i := range row {
			row[i] = cell(row[i])
		}
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}

// cell keeps what comes from elsewhere from breaking the table or the terminal.
func cell(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	if text == "" {
		return "-"
	}
	return text
}

// line is a name with a value, for describe; an empty value is left out.
type line struct{ name, value string }

func printLines(w io.Writer, lines []line) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, l := range lines {
		switch {
		case l.value == "" && strings.HasSuffix(l.name, ":"):
			fmt.Fprintln(table, l.name)
		case l.value != "":
			fmt.Fprintln(table, l.name+":\t"+cell(l.value))
		}
	}
	return table.Flush()
}

// age is how long ago something was, in the two units that matter, as kubectl shows it.
func age(now time.Time, at *time.Time) string {
	if at == nil || at.IsZero() {
		return ""
	}
	d := max(now.Sub(*at), 0)
	const day = 24 * time.Hour
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < 10*time.Minute:
		return units(d, time.Minute, "m", time.Second, "s")
	case d < 3*time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 8*time.Hour:
		return units(d, time.Hour, "h", time.Minute, "m")
	case d < 2*day:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d < 8*day:
		return units(d, day, "d", time.Hour, "h")
	default:
		return fmt.Sprintf("%dd", d/day)
	}
}

func units(d, large time.Duration, largeName string, small time.Duration, smallName string) string {
	text := fmt.Sprintf("%d%s", d/large, largeName)
	if rest := d % large / small; rest > 0 {
		text += fmt.Sprintf("%d%s", rest, smallName)
	}
	return text
}

// when is a time with its age.
func when(now time.Time, at *time.Time) string {
	if at == nil || at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339) + " (" + age(now, at) + " ago)"
}

// lastPart is what people call a thing whose ARN this is: its id, or family:revision.
func lastPart(arn string) string {
	return arn[strings.LastIndexByte(arn, '/')+1:]
}
