// Package scenario is what is done with a running stack to prove that it works: hosts join, daemons are deployed, things
// go wrong, and everything ends as it should. Each step waits for what it expects, within a bound.
package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/blox/blox/client"
	"github.com/blox/blox/test/emulator/internal/host"
)

const (
	cluster     = "edge"
	environment = "log-agent"
	hosts       = 8
	// patience bounds every wait. On two busy cores, with an emulator that takes 100 writes a second, things take seconds.
	patience = 90 * time.Second
	poll     = 150 * time.Millisecond
)

// Config is what a run needs beside the host.
type Config struct {
	// ECSURL is where the simulator answers users.
	ECSURL string
	// Command is the blox command, for what has no API.
	Command string
	Out     io.Writer
}

// Scenario is one run.
type Scenario struct {
	host    *host.Host
	out     io.Writer
	command string
	ecs     *ecs.Client
	// operator and reader have the stack's two managed policies, nobody has none, unsigned does not sign.
	operator, reader, nobody, unsigned *client.Client

	watch *watch
	bus   *subscription
}

// New prepares a run on a host.
func New(h *host.Host, cfg Config) (*Scenario, error) {
	if cfg.Command == "" {
		return nil, errors.New("the blox command is not given: dead letters are worked on with it")
	}
	s := &Scenario{host: h, out: cfg.Out, command: cfg.Command}
	region := h.Template.Region
	s.ecs = ecs.New(ecs.Options{Region: region, BaseEndpoint: &cfg.ECSURL, Credentials: credentials.NewStaticCredentialsProvider("user", "user", "")})
	for who, into := range map[string]**client.Client{host.Operator: &s.operator, host.Reader: &s.reader, host.Nobody: &s.nobody} {
		signer := client.NewSigner(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return h.Principals[who], nil }), region)
		c, err := client.New(client.Options{Endpoint: h.APIURL, Signer: signer})
		if err != nil {
			return nil, err
		}
		*into = c
	}
	var err error
	s.unsigned, err = client.New(client.Options{Endpoint: h.APIURL})
	return s, err
}

// step is one thing that is proven.
type step struct {
	what string
	do   func(s *Scenario, ctx context.Context) error
}

var steps = []step{
	{"ECS events put on the event bus become rows: 8 hosts and 8 tasks of a service show in the API", (*Scenario).eventsBecomeRows},
	{"the API answers who may ask, and refuses unsigned and unauthorized requests", (*Scenario).authorization},
	{"reconcile sweeps the cluster for the first time", (*Scenario).firstSweep},
	{"a watch begins with a snapshot", (*Scenario).beginWatch},
	{"a daemon is deployed and reaches all 8 hosts", (*Scenario).deploy},
	{"the watch has streamed the daemons' tasks", (*Scenario).watchSawDaemons},
	{"every change of the state is put on the installation's event bus", (*Scenario).forwarded},
	{"the end of the deployment is announced on the installation's event bus", (*Scenario).announced},
	{"a daemon that was stopped is replaced", (*Scenario).replace},
	{"a poll waits, and tells what happens meanwhile", (*Scenario).poll},
	{"events were lost: reconcile repairs", (*Scenario).repair},
	{"a cluster is reconciled because somebody asks for it", (*Scenario).reconcileNow},
	{"an event without a version leads to a look at ECS", (*Scenario).hint},
	{"a malformed event is set aside with its reason", (*Scenario).malformed},
	{"a wake-up that cannot be read is set aside after its last delivery", (*Scenario).poison},
	{"a claim whose answer never came is resolved by asking ECS", (*Scenario).oldClaim},
	{"a second revision is rolled out, never below half of the hosts", (*Scenario).rollOut},
	{"a plan tells what would be done, and nothing is done", (*Scenario).plan},
	{"hosts carry the readiness attribute while their daemon is well", (*Scenario).ready},
	{"canaries get a copied task definition first; the deployment is paused, resumed and promoted", (*Scenario).canary},
	{"an alarm turns a deployment back", (*Scenario).alarm},
	{"people bring an older revision back", (*Scenario).rollBack},
	{"a draining host keeps its daemon until its other tasks have left", (*Scenario).drain},
	{"a host joins and gets its daemon, a terminated one loses its row", (*Scenario).hostsComeAndGo},
	{"every list, filter and page of the API answers", (*Scenario).queries},
	{"dead letters are looked at and sent back, with what operators may do", (*Scenario).deadLetters},
	{"a stream record that cannot be worked on is set aside alone", (*Scenario).streamFailure},
	{"the environment is deleted: all daemons are stopped", (*Scenario).remove},
	{"events of minutes and of months ago, and of a cluster that is gone, end as they should", (*Scenario).late},
	{"metrics were written", (*Scenario).metrics},
}

// Run does all steps and tells of each. It ends at the first that fails.
func (s *Scenario) Run(ctx context.Context) error {
	defer s.close(ctx)
	for i, step := range steps {
		began := time.Now()
		stepCtx, cancel := context.WithTimeoutCause(ctx, 2*patience, errors.New("the step took too long"))
		err := step.do(s, stepCtx)
		cancel()
		if err == nil {
			err = s.host.Failed()
		}
		if err != nil {
			fmt.Fprintf(s.out, "  failed %2d/%d  %s\n", i+1, len(steps), step.what)
			return fmt.Errorf("step %d, %s: %w", i+1, step.what, err)
		}
		fmt.Fprintf(s.out, "  ok     %2d/%d  %s (%.1f s)\n", i+1, len(steps), step.what, time.Since(began).Seconds())
	}
	return nil
}

func (s *Scenario) close(ctx context.Context) {
	if s.watch != nil {
		s.watch.close()
	}
	if s.bus != nil {
		s.bus.close(context.WithoutCancel(ctx))
	}
}

// wait asks again and again until it is so, and says what was seen last if it never is.
func (s *Scenario) wait(ctx context.Context, what string, is func(ctx context.Context) (bool, string, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	seen := "nothing"
	for {
		ok, now, err := is(ctx)
		if ok && err == nil {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			now = "error: " + err.Error()
		}
		if now != "" {
			seen = now
		}
		timer := time.NewTimer(poll)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("waited %s for %s; seen last: %s", patience, what, seen)
		case <-timer.C:
		}
	}
}

// refused says whether a call was refused with that status.
func refused(err error, status int) error {
	if client.StatusOf(err) != status {
		return fmt.Errorf("expected the status %d (%s), got: %w", status, http.StatusText(status), err)
	}
	return nil
}

// collect reads a list to its end.
func collect[T any](list func(yield func(T, error) bool)) ([]T, error) {
	var all []T
	for item, err := range list {
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, nil
}
