package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

const dryRunFlag = "dry-run"

// addDryRun adds --dry-run to a verb that changes something.
func addDryRun(cmd *cobra.Command, dry *bool) {
	cmd.Flags().BoolVar(dry, dryRunFlag, false, "change nothing, and show what would be done, host by host")
}

// dryRun asks for a plan instead of the change.
func dryRun(dry bool, plan *client.Plan) []client.WriteOption {
	if !dry {
		return nil
	}
	return []client.WriteOption{client.WithDryRun(plan)}
}

var planHeader = []string{"WHEN", "ACTION", "HOST", "WHAT", "WHY"}

// showPlan prints what would be done, in its order, and how it would end.
func showPlan(out io.Writer, form string, p client.Plan) error {
	if form == outputJSON {
		return printJSON(out, p)
	}
	fmt.Fprintln(out, planTitle(p))
	rows := planRows(p)
	if len(rows) == 0 {
		fmt.Fprintln(out, "nothing would be done")
	} else if err := printTable(out, planHeader, rows); err != nil {
		return err
	}
	fmt.Fprintln(out, forecastText(p.Forecast))
	return nil
}

func planTitle(p client.Plan) string {
	text := "plan of " + p.Environment
	if p.Revision > 0 {
		text += fmt.Sprintf(", revision %d", p.Revision)
	}
	if p.DeploymentStatus != "" {
		text += " (" + p.DeploymentStatus + ")"
	}
	return text + ": " + countsText(&p.Counts)
}

// planRows are the waves' actions. The first wave is p.Actions; an API that tells no waves is shown by those.
func planRows(p client.Plan) [][]string {
	waves := p.Waves
	if len(waves) == 0 && len(p.Actions) > 0 {
		waves = []client.PlanWave{{Actions: p.Actions, ActionsLeftOut: p.ActionsLeftOut}}
	}
	var rows [][]string
	for _, wave := range waves {
		at := "now"
		if wave.AfterSeconds > 0 {
			at = "+" + seconds(wave.AfterSeconds)
		}
		for _, a := range wave.Actions {
			rows = append(rows, []string{at, a.Kind, a.Host, plannedText(a), a.Reason})
		}
		if n := wave.ActionsLeftOut; n > 0 {
			rows = append(rows, []string{at, "…", "", "", fmt.Sprintf("and %d others", n)})
		}
	}
	return rows
}

func plannedText(a client.PlannedAction) string {
	switch {
	case a.Status != "":
		return "to " + a.Status
	case a.Attribute != "":
		return a.Attribute
	case a.TaskARN != "":
		return "task " + lastPart(a.TaskARN)
	case a.Revision > 0:
		return "revision " + strconv.Itoa(a.Revision)
	default:
		return ""
	}
}

func forecastText(f client.PlanForecast) string {
	status := "then"
	if f.DeploymentStatus != "" {
		status = "then " + f.DeploymentStatus
	}
	text := fmt.Sprintf("%s, after %s at the earliest: %s", status, seconds(f.AfterSeconds), countsText(&f.Counts))
	if f.WaitsFor != "" {
		text += "; it would wait: " + f.WaitsFor
	}
	if f.Truncated {
		text += "; what comes after that is not told"
	}
	return text
}

func seconds(n int) string { return (time.Duration(n) * time.Second).String() }
