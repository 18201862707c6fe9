package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

// addWatch adds --watch to a list.
func addWatch(cmd *cobra.Command, watch *bool) {
	cmd.Flags().BoolVarP(watch, "watch", "w", false, "then go on showing what changes, until Ctrl-C; with -o json an event a line")
}

// checkWatch refuses what makes no sense with --watch.
func checkWatch(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(cmd, "--watch and a name were given: allowed is --watch with filters")
	}
	if cmd.Flags().Changed("limit") {
		return usage(cmd, "--watch and --limit were given: allowed is one of them")
	}
	return nil
}

// news is one event of a watch as it is shown.
type news struct {
	client.WatchEvent
	row      []string // nil if nothing is known of the thing any more
	document any      // the event itself, for -o json
}

// showWatch shows what there is, and then a row for each change. open begins a watch; it is called again when the watch
// fell so far behind that it cannot go on.
func showWatch(cmd *cobra.Command, o *outputFlags, header []string, open func() iter.Seq2[news, error]) error {
	shown := &rowPrinter{out: cmd.OutOrStdout(), header: append([]string{"CHANGE"}, header...), widths: make([]int, len(header)+1)}
	for {
		err := shown.all(open(), o.form)
		if !errors.Is(err, client.ErrListAgain) {
			return err
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "changes were missed: all is shown again")
	}
}

// rowPrinter appends rows to a table. The columns are as wide as the widest rows so far, and those of a snapshot are known at
// once.
type rowPrinter struct {
	out      io.Writer
	header   []string
	snapshot [][]string
	widths   []int
}

func (p *rowPrinter) all(events iter.Seq2[news, error], form string) error {
	for event, err := range events {
		if err == nil && form == outputJSON {
			err = printLine(p.out, event.document)
		} else if err == nil {
			err = p.event(event)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *rowPrinter) event(e news) error {
	switch e.Type {
	case client.WatchSnapshot:
		p.widths, p.snapshot = make([]int, len(p.header)), [][]string{p.header}
		p.widths[0] = len("updated")
	case client.WatchUpdated, client.WatchDeleted:
		row := make([]string, len(p.header)-1)
		row[0], row[slices.Index(p.header, "CLUSTER")-1] = e.ID, lastPart(e.ClusterARN)
		if e.row != nil {
			row = e.row
		}
		if p.snapshot != nil {
			p.snapshot = append(p.snapshot, append([]string{""}, row...))
			return nil
		}
		return p.print(append([]string{strings.ToLower(string(e.Type))}, row...))
	case client.WatchBookmark:
		rows := p.snapshot
		p.snapshot = nil
		for _, row := range rows {
			p.widen(row)
		}
		for _, row := range rows {
			if err := p.print(row); err != nil {
				return err
			}
		}
	case client.WatchHeartbeat, client.WatchEnd, client.WatchError:
	}
	return nil
}

// widen makes the columns wide enough for a row.
func (p *rowPrinter) widen(row []string) {
	for i, text := range row {
		p.widths[i] = max(p.widths[i], utf8.RuneCountInString(cell(text)))
	}
}

func (p *rowPrinter) print(row []string) error {
	p.widen(row)
	var text strings.Builder
	for i, value := range row {
		if i == len(row)-1 {
			text.WriteString(cell(value))
			break
		}
		fmt.Fprintf(&text, "%-*s   ", p.widths[i], cell(value))
	}
	_, err := fmt.Fprintln(p.out, text.String())
	return err
}

func printLine(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// newsOf makes what is shown of a watch's events.
func newsOf[E any](events iter.Seq2[E, error], shown func(E) news) iter.Seq2[news, error] {
	return func(yield func(news, error) bool) {
		for event, err := range events {
			if !yield(shown(event), err) {
				return
			}
		}
	}
}

func taskNews(c *connection) func(client.TaskWatchEvent) news {
	return func(e client.TaskWatchEvent) news {
		n := news{WatchEvent: e.WatchEvent, document: e}
		if e.Task != nil {
			n.row = taskRow(c.now())(*e.Task)
		}
		return n
	}
}

func instanceNews(c *connection) func(client.InstanceWatchEvent) news {
	return func(e client.InstanceWatchEvent) news {
		n := news{WatchEvent: e.WatchEvent, document: e}
		if e.Instance != nil {
			n.row = instanceRow(c.now())(*e.Instance)
		}
		return n
	}
}
