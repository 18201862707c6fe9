package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/blox/blox/client"
)

// maxClusters bounds how many clusters are looked at.
const maxClusters = 10_000

func (d *examination) api(ctx context.Context) {
	d.add(d.reach(ctx))
	if d.blox == nil {
		why := "the API cannot be called"
		d.add(skipped(checkPermissions, why), skipped(checkReconcile, why))
		d.events(ctx, nil, why)
		return
	}
	clusters, err := d.permissions(ctx)
	if err != nil {
		why := "the clusters cannot be read"
		d.add(skipped(checkReconcile, why))
		d.events(ctx, nil, why)
		return
	}
	if period, err := d.period(); err != nil {
		d.add(fail(checkReconcile, err.Error(), "deploy the stack again: somebody changed its template by hand"))
	} else {
		d.add(judgeReconciles(clusters, d.Now(), period)...)
	}
	d.events(ctx, clusters, "no cluster is known yet")
}

// The outputs that tell the time between two sweeps, in minutes, and the address of the queue on which events come.
const (
	outputReconcileMinutes = "ReconcileMinutes"
	outputEventsQueue      = "EventsQueueUrl"
)

// period is the time between two sweeps, as the stack tells it or else as the caller does.
func (d *examination) period() (time.Duration, error) {
	if d.found == nil || d.found.Outputs[outputReconcileMinutes] == "" {
		return d.ReconcilePeriod, nil
	}
	text := d.found.Outputs[outputReconcileMinutes]
	minutes, err := strconv.Atoi(text)
	if err != nil || minutes < 1 || minutes > maxReconcileMinutes {
		return 0, fmt.Errorf("the stack's output %s is %q: allowed are 1 to %d", outputReconcileMinutes, text, maxReconcileMinutes)
	}
	return time.Duration(minutes) * time.Minute, nil
}

// maxReconcileMinutes is the longest time between two sweeps that can be deployed.
const maxReconcileMinutes = 60

// reach finds the API and calls it.
func (d *examination) reach(ctx context.Context) Result {
	endpoint := d.Endpoint
	if d.StackName != "" {
		if d.found == nil {
			return skipped(checkAPI, "its address is not known without the stack")
		}
		var err error
		if endpoint, err = d.found.Endpoint(); err != nil {
			return fail(checkAPI, err.Error(), "deploy the stack wholly, or give the address with --endpoint")
		}
	}
	blox, err := d.Connect(endpoint)
	before := d.Now()
	if err == nil {
		err = blox.Ping(ctx)
	}
	var unanswered *url.Error
	switch {
	case d.StackName != "" && errors.As(err, &unanswered):
		return fail(checkAPI, fmt.Sprintf("%s does not answer (%s)", endpoint, d.Why(unanswered)),
			"look whether this machine reaches the host (network, DNS, proxy), and whether API Gateway still has that API: without it nothing else of Blox can be seen")
	case err != nil:
		return fail(checkAPI, d.Explain(err), "correct that first: nothing else of Blox can be seen without the API")
	}
	d.blox = blox
	return ok(checkAPI, "%s answers, in %d ms", blox.Endpoint(), d.Now().Sub(before).Milliseconds())
}

// permissions reads something of every kind. The error is that of the clusters.
func (d *examination) permissions(ctx context.Context) (clusters []client.Cluster, clustersErr error) {
	one := client.PageOptions{Limit: 1}
	reads := []struct {
		what string
		read func() error
	}{
		{"clusters", func() error {
			clusters, clustersErr = listClusters(ctx, d.blox)
			return clustersErr
		}},
		{"tasks", func() error { _, err := d.blox.ListTasksPage(ctx, client.TaskFilter{}, one); return err }},
		{"instances", func() error { _, err := d.blox.ListInstancesPage(ctx, client.InstanceFilter{}, one); return err }},
		{"environments", func() error { _, err := d.blox.ListEnvironmentsPage(ctx, "", one); return err }},
	}
	var read, refused []string
	for _, r := range reads {
		err := r.read()
		switch {
		case err == nil:
			read = append(read, r.what)
		case client.StatusOf(err) == http.StatusForbidden:
			refused = append(refused, r.what)
		default:
			d.add(fail(checkPermissions, "reading "+r.what+": "+d.Explain(err), "look at the log of the api function"))
		}
	}
	if len(refused) > 0 {
		d.add(fail(checkPermissions, "may not read "+strings.Join(refused, ", "),
			"attach the managed policy BloxReadOnly (or BloxOperator, to change things too) to this identity"))
	} else if len(read) == len(reads) {
		d.add(ok(checkPermissions, "may read %s", strings.Join(read, ", ")))
	}
	return clusters, clustersErr
}

func listClusters(ctx context.Context, blox Blox) (clusters []client.Cluster, err error) {
	for cluster, err := range blox.ListClusters(ctx) {
		if err != nil {
			return nil, err
		}
		if len(clusters) == maxClusters {
			return nil, fmt.Errorf("there are more than %d clusters", maxClusters)
		}
		clusters = append(clusters, cluster)
	}
	return clusters, nil
}

// roughly is a duration for people: 1.5s, 42s, 5m, 5m10s.
func roughly(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	text := d.Round(time.Second).String()
	if whole, ok := strings.CutSuffix(text, "m0s"); ok {
		return whole + "m"
	}
	return text
}

// isNotFound says whether the API has no such thing.
func isNotFound(err error) bool {
	var answered *client.Error
	return errors.As(err, &answered) && answered.Status == http.StatusNotFound
}
