package main

import (
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

var hostHeader = []string{"HOST", "CLUSTER", "STATE", "REVISION", "TASK", "SINCE", "NEXT", "WHY"}

func newGetHostsCommand(c *connection) *cobra.Command {
	var states []string
	var output outputFlags
	cmd := &cobra.Command{
		Use: "hosts ENVIRONMENT [HOST]", Aliases: []string{"host"},
		Short: "Show what an environment has on each host, or on one, and what it waits for",
		Long: `Show what an environment has on each host, or on one, and what it waits for. A HOST is an EC2 instance id, or a container
instance's id or ARN. blox explain says more about one.`,
		Args: between(1, 2),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		blox, err := c.prepare(cmd, &output)
		if err != nil {
			return err
		}
		if err := checkStates(cmd, states); err != nil {
			return err
		}
		row := hostRow(c.now())
		if len(args) == 1 {
			hosts := inStates(blox.ListHosts(cmd.Context(), args[0]), states)
			return showList(cmd, &output, hosts, hostHeader, row)
		}
		if len(states) > 0 {
			return usage(cmd, "--state and a HOST were given: allowed is one of them")
		}
		host, err := blox.GetHost(cmd.Context(), args[0], args[1])
		if err != nil {
			return err
		}
		return showOne(cmd, &output, host, hostHeader, row)
	}
	cmd.Flags().StringSliceVar(&states, "state", nil, "only hosts in these states, such as failing,blocked")
	output.addForm(cmd)
	output.addLimit(cmd)
	return cmd
}

// checkStates refuses a state that no host is ever in: nothing would be found, and that reads like good news.
func checkStates(cmd *cobra.Command, states []string) error {
	field, _ := reflect.TypeFor[client.HostStatus]().FieldByName("State")
	known := strings.Split(field.Tag.Get("enum"), ",")
	for _, state := range states {
		if !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, state) }) {
			return usage(cmd, "--state %s: allowed are %s", state, strings.Join(known, ", "))
		}
	}
	return nil
}

// inStates are the hosts that are in one of the states; none given is any.
func inStates(hosts iter.Seq2[client.HostStatus, error], states []string) iter.Seq2[client.HostStatus, error] {
	if len(states) == 0 {
		return hosts
	}
	return func(yield func(client.HostStatus, error) bool) {
		for host, err := range hosts {
			wanted := slices.ContainsFunc(states, func(state string) bool { return strings.EqualFold(state, host.State) })
			if (wanted || err != nil) && !yield(host, err) {
				return
			}
		}
	}
}

func hostRow(now time.Time) func(client.HostStatus) []string {
	return func(h client.HostStatus) []string {
		revision := positive(h.Revision)
		if h.Desired && !h.Updated && revision != "" {
			revision += " (old)"
		}
		next := firstOf(h.NextStep, h.WaitsFor)
		if h.NextStep == "" && h.RetryAt != nil && h.RetryAt.After(now) {
			next = "retry in " + age(*h.RetryAt, &now)
		}
		return []string{
			h.EC2InstanceID, lastPart(h.Cluster), h.State, revision, lastPart(h.TaskARN), age(now, h.Since), next, h.Reason,
		}
	}
}

func hostLines(now time.Time, h client.HostStatus) []line {
	lines := []line{
		{"Host", h.EC2InstanceID},
		{"Cluster", h.Cluster},
		{"Container instance", h.ContainerInstanceARN},
		{"State", h.State},
		{"Since", when(now, h.Since)},
		{"Daemon belongs there", yesNo(h.Desired)},
		{"Healthy", yesNo(h.Healthy)},
		{"Updated", yesNo(h.Updated)},
		{"Revision", positive(h.Revision)},
		{"Task", h.TaskARN},
		{"Former task", h.FormerTaskARN},
		{"Reason", h.Reason},
		{"Failures in a row", positive(h.Failures)},
		{"Next step", h.NextStep},
		{"Waits for", h.WaitsFor},
		{"Readiness attribute", h.ReadinessAttribute},
		{"Attribute error", h.AttributeError},
	}
	if h.RetryAt != nil {
		lines = append(lines, line{"Next attempt", fmt.Sprintf("%s (in %s)", h.RetryAt.UTC().Format(time.RFC3339), age(*h.RetryAt, &now))})
	}
	return lines
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
