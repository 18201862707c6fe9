package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/blox/blox/test/emulator/internal/host"
	"github.com/blox/blox/test/emulator/internal/policy"
	"github.com/blox/blox/test/emulator/internal/proxy"
	"github.com/blox/blox/test/emulator/internal/scenario"
)

// prove notes what is in the tables when nothing runs any more: what was under way would be written after it was counted.
func prove(ctx context.Context, o options) error {
	if err := o.run(ctx); err != nil {
		return err
	}
	return o.note(ctx)
}

func (o options) run(ctx context.Context) (err error) {
	log, err := os.Create(o.file("host.log"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	h, err := host.Start(ctx, host.Config{Account: o.account, StackName: o.stack, Log: slog.New(slog.NewTextHandler(log, nil))})
	defer func() { err = errors.Join(err, h.Stop()) }()
	if err != nil {
		return err
	}
	missing := h.Template.Missing()
	fmt.Fprintf(o.out, "running %d functions, %d event source mappings, %d schedules and %d API methods of stack %s in account %s\n",
		len(h.Functions), len(h.Mappings), len(h.Schedules), len(h.Routes), o.stack, h.Template.Account)
	s, err := scenario.New(h, scenario.Config{ECSURL: h.ECSURL, Command: o.command, Out: o.out})
	if err != nil {
		return err
	}
	if err := s.Run(ctx); err != nil {
		o.tellLogs(h)
		return err
	}
	permissions := o.permissions(h)
	starts := o.starts(ctx, h)
	o.report(h, missing)
	return errors.Join(permissions, starts)
}

// tellLogs prints what the functions wrote last.
func (o options) tellLogs(h *host.Host) {
	const lines = 12
	for _, name := range names(h) {
		written := slices.DeleteFunc(h.Functions[name].Logs(), func(line string) bool { return strings.Contains(line, `"_aws":`) })
		fmt.Fprintf(o.out, "\nlast log lines of %s:\n", name)
		for _, line := range written[max(0, len(written)-lines):] {
			fmt.Fprintln(o.out, "  "+line)
		}
	}
	fmt.Fprintln(o.out, "\nthe host's own log is in "+o.file("host.log"))
}

// permissions holds the recorded calls against the roles' policies.
func (o options) permissions(h *host.Host) error {
	calls, err := h.Proxy.Calls()
	if err != nil {
		return err
	}
	policies := map[string][]policy.Document{}
	for name, f := range h.Deployed {
		if policies[name], err = h.Template.Policies(f.Role); err != nil {
			return err
		}
	}
	if policies[policy.People], err = h.OperatorsOwn(); err != nil {
		return err
	}
	var dependent []policy.Dependent
	data, err := os.ReadFile(o.dependent)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &dependent); err != nil {
		return fmt.Errorf("reading %s: %w", o.dependent, err)
	}
	judgement, err := policy.Judge(policies, asked(calls), dependent)
	if err != nil {
		return err
	}
	functions, counts := proxy.Counts(calls)
	fmt.Fprintln(o.out, "\nAWS calls by function:")
	for _, name := range functions {
		fmt.Fprintf(o.out, "  %-10s %d\n", name, counts[name])
	}
	if len(judgement.Faults) > 0 {
		return fmt.Errorf("permissions and calls do not fit together:\n  %s", strings.Join(judgement.Faults, "\n  "))
	}
	fmt.Fprintf(o.out, "  ok     %d permissions: none denied, none that nothing uses\n", len(judgement.Grants))
	return o.compare(permissionsTitle + judgement.Markdown(plain(h)))
}

const permissionsTitle = `# Permissions of the functions

What each function's role allows, and what uses it. ` + "`make test-emulator`" + ` records every call to AWS that the functions make
and holds it against this; the table is written by ` + "`UPDATE=1 make test-emulator`" + `. The stack is deployed with
` + "`forwardChanges=true`" + `: without it dispatch has no ` + "`events:PutEvents`" + `. The function operator is no function: its rows are what
the managed policy of that name allows beside the API.

`

func asked(calls []proxy.Call) []policy.Asked {
	var out []policy.Asked
	for _, c := range calls {
		for _, r := range c.Requests {
			out = append(out, policy.Asked{Function: c.Function, Poller: c.Poller, Request: r})
		}
	}
	return out
}

var hash = regexp.MustCompile(`[0-9A-F]{8}$`)

// plain makes names that are the same in every deployment: a resource's logical id for its physical one.
func plain(h *host.Host) func(string) string {
	var pairs []string
	resources := h.Template.Resources
	ids := make([]string, 0, len(resources))
	for id := range resources {
		ids = append(ids, id)
	}
	// The longest first, for one physical id may begin as another does.
	slices.SortFunc(ids, func(a, b string) int {
		return len(resources[b].PhysicalID) - len(resources[a].PhysicalID)
	})
	for _, id := range ids {
		physical := resources[id].PhysicalID
		if resources[id].Type == "AWS::SQS::Queue" {
			physical = physical[strings.LastIndexAny(physical, "/:")+1:]
		}
		if len(physical) > 8 {
			pairs = append(pairs, physical, "‹"+hash.ReplaceAllString(id, "")+"›")
		}
	}
	pairs = append(pairs, h.Template.StackID[strings.LastIndexByte(h.Template.StackID, '/')+1:], "ID")
	pairs = append(pairs, h.Template.Account, "ACCOUNT", h.Template.Region, "REGION", "|", `\|`)
	replacer := strings.NewReplacer(pairs...)
	stamp := regexp.MustCompile(`/stream/[-0-9T:.]+`)
	return func(text string) string { return stamp.ReplaceAllString(replacer.Replace(text), "/stream/TIME") }
}

func (o options) compare(table string) error {
	if o.update {
		return os.WriteFile(o.golden, []byte(table), 0o644)
	}
	want, err := os.ReadFile(o.golden)
	if err != nil {
		return err
	}
	if string(want) != table {
		got := o.file("permissions.md")
		return errors.Join(os.WriteFile(got, []byte(table), 0o644),
			fmt.Errorf("the permissions are others than in %s (now in %s): if that is meant, UPDATE=1 make test-emulator writes them", o.golden, got))
	}
	return nil
}

func names(h *host.Host) []string {
	var all []string
	for name := range h.Functions {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
