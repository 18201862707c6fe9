package main

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/blox/blox/client"
)

// crash is a task that stopped and should not have.
type crash struct {
	Host, Reason string
	At           time.Time
}

// loop is a crash loop. Its JSON is the detail of the alert.
type loop struct {
	ClusterARN string    `json:"clusterArn"`
	Group      string    `json:"group"`
	Reason     string    `json:"reason"`
	Crashes    int       `json:"crashes"`
	First      time.Time `json:"first"`
	Last       time.Time `json:"last"`
	Host       string    `json:"host,omitempty"` // if all crashed on one container instance: look there
}

// findLoops counts the crashes of one group, by task, up to the latest of each reason; without a clock, so that what is
// delivered again, or late, is counted alike.
func findLoops(crashes map[string]crash, enough int, within time.Duration) (loops []loop) {
	byReason := map[string][]crash{}
	for _, c := range crashes {
		byReason[c.Reason] = append(byReason[c.Reason], c)
	}
	for reason, same := range byReason {
		slices.SortFunc(same, func(a, b crash) int { return a.At.Compare(b.At) })
		last := same[len(same)-1]
		same = slices.DeleteFunc(same, func(c crash) bool { return last.At.Sub(c.At) >= within })
		if len(same) < enough {
			continue
		}
		found := loop{Reason: reason, Crashes: len(same), First: same[0].At, Last: last.At}
		if !slices.ContainsFunc(same, func(c crash) bool { return c.Host != last.Host }) {
			found.Host = last.Host
		}
		loops = append(loops, found)
	}
	slices.SortFunc(loops, func(a, b loop) int { return cmp.Compare(a.Reason, b.Reason) })
	return loops
}

// ids are different in reasons that are the same.
var ids = regexp.MustCompile(`\b[0-9a-f]{8}[0-9a-f-]{4,}\b`)

// crashOf tells crashes from ends that somebody wanted. A task whose containers all exit with 0 has done its work.
func crashOf(e client.TaskEntity) (c crash, ok bool) {
	switch e.StopCode {
	case "TaskFailedToStart":
		ok = true
	case "EssentialContainerExited":
		ok = slices.ContainsFunc(e.Containers, func(c client.Container) bool { return c.ExitCode == nil || *c.ExitCode != 0 })
	case "ServiceSchedulerInitiated": // health checks that fail, but also every deployment and scaling
		ok = strings.HasPrefix(e.StoppedReason, "Task failed")
	}
	if ok = ok && e.StoppedAt != nil; ok {
		c = crash{Host: e.ContainerInstanceARN, Reason: ids.ReplaceAllString(e.StoppedReason, "…"), At: *e.StoppedAt}
	}
	return c, ok
}
