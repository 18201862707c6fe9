package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/uuid"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/alarms"
	"github.com/blox/blox/internal/ecssim"
	"github.com/blox/blox/internal/queue/sqssim"
	"github.com/blox/blox/internal/table"
)

// stopGrace is what running invocations are given to finish before their contexts are cancelled, stopLimit what all of
// a stop may take.
const (
	stopGrace = 3 * time.Second
	stopLimit = 15 * time.Second
)

// System is all of Blox, running.
type System struct {
	cfg    Config
	api    listener
	ecs    listener
	store  *store
	sim    *ecssim.Server
	sqs    *sqssim.Service
	alarms alarms.Memory // CloudWatch
	ecsAPI *ecs.Client
	blox   *client.Client
	http   *http.Client // of all clients inside
	keys   *keyring     // who may call the API; nil is everyone

	functions functions
	events    *mapping
	state     *table.State
	daemon    *table.Daemon
	narrator  *narrator

	// running is what works, and begins nothing new once it has ended; calls is the invocations.
	running, calls         context.Context
	stopRunning, stopCalls context.CancelFunc
	work, servers          sync.WaitGroup
	failed                 chan error // of what runs, the first only
	stop                   sync.Once
	stopped                error
}

// listener is an HTTP server and where it listens.
type listener struct {
	net.Listener
	server *http.Server
}

func (l listener) url() string { return "http://" + l.Addr().String() }

// Start starts everything; ctx bounds the start alone. The error is one sentence for people: a port that is taken, what
// DynamoDB Local is missing, a setting that is none. The demo, if there is one, goes on by itself after Start returned.
func Start(ctx context.Context, cfg Config) (*System, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &System{cfg: cfg, failed: make(chan error, 1), http: &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}}
	// What has begun goes on when the start's context ends: only Stop ends it.
	s.running, s.stopRunning = context.WithCancel(context.WithoutCancel(ctx))
	s.calls, s.stopCalls = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop(ctx))
	}
	return s, nil
}

func (s *System) start(ctx context.Context) error {
	var err error
	if s.api.Listener, err = listen(ctx, "API", "--addr", s.cfg.Addr); err != nil {
		return err
	}
	if s.ecs.Listener, err = listen(ctx, "ECS simulator", "--ecs-addr", s.cfg.ECSAddr); err != nil {
		return err
	}
	s.narrator = &narrator{out: s.cfg.Out, environments: s.listEnvironments, now: s.cfg.Now, log: s.cfg.Log, bell: newBell()}
	if err := s.connect(ctx); err != nil {
		return err
	}
	s.ecsAPI = ecs.New(ecs.Options{
		Region: region, BaseEndpoint: aws.String(s.ecs.url()), HTTPClient: s.http,
		Credentials: credentials.NewStaticCredentialsProvider("testing", "testing", ""),
	})
	changes := newStream(s.cfg.Log)
	s.store, err = openStore(ctx, s.cfg, runID(), s.http, func(r events.DynamoDBEventRecord) {
		s.narrator.record(r)
		changes.emit(r)
	})
	if err != nil {
		return err
	}
	s.sim = ecssim.NewServer(ecssim.New(ecssim.Config{
		Account: account, Region: region, Partition: partition, Seed: s.cfg.Seed,
	}, s.cfg.Now()), s.cfg.Now, s.onEvents)
	mappings := s.wire()
	changes.function = s.functions.dispatch
	s.serve(&s.ecs, s.aws())
	s.serveAPI()
	s.goRun(s.store.run)
	s.goRun(func(ctx context.Context) { s.fail(s.sim.Run(ctx)) })
	s.goRun(func(ctx context.Context) { changes.run(ctx, s.calls) })
	s.goRun(s.narrator.run)
	for _, m := range mappings {
		s.goRun(func(ctx context.Context) { m.run(ctx, s.calls) })
	}
	return s.begin(ctx)
}

// connect makes the client of the API, with a key of its own where one is needed.
func (s *System) connect(ctx context.Context) error {
	options := client.Options{Endpoint: s.api.url(), HTTPClient: s.http}
	if s.cfg.Auth == AuthIAM {
		keys, err := openKeyring(ctx, s.cfg.CredentialsFile)
		if err != nil {
			return err
		}
		s.keys = keys
		options.Signer = client.NewSigner(credentials.StaticCredentialsProvider{Value: keys.own}, region)
	}
	blox, err := client.New(options)
	s.blox = blox
	return err
}

// begin fills the simulator with the demo and starts the schedules, whose first round makes the clusters known.
func (s *System) begin(ctx context.Context) error {
	if s.cfg.Demo {
		if err := startDemoServices(ctx, s.ecsAPI, s.cfg.Instances); err != nil {
			return err
		}
		s.sim.Do(func(sim *ecssim.Simulator, now time.Time) { addDemoHosts(sim, now, s.cfg.Instances) })
	}
	for _, schedule := range s.schedules() {
		s.goRun(func(ctx context.Context) { schedule.run(ctx, s.calls) })
	}
	if s.cfg.Demo {
		s.goRun(func(ctx context.Context) {
			if err := s.deployDemo(ctx); err != nil && ctx.Err() == nil {
				s.fail(fmt.Errorf("deploying the demo's daemon: %w", err))
			}
		})
	}
	return nil
}

// listen takes a port. Which flag chooses it is part of the sentence, for that is what there is to do.
func listen(ctx context.Context, what, flag, addr string) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the %s cannot listen on %s: the port is taken by another program; stop that one or choose another with %s HOST:PORT", what, addr, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("the %s cannot listen on %s, choose another address with %s HOST:PORT: %w", what, addr, flag, err)
	}
	return l, nil
}

// runID tells the tables of this run from those of others.
func runID() string { return uuid.NewString()[:8] }

func (s *System) serve(l *listener, handler http.Handler) {
	l.server = &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	s.servers.Go(func() {
		if err := l.server.Serve(l.Listener); !errors.Is(err, http.ErrServerClosed) {
			s.fail(fmt.Errorf("serving %s: %w", l.url(), err))
		}
	})
}

// serveAPI serves the API until it is shut down, which ends streams at once.
func (s *System) serveAPI() {
	var endStreams context.CancelFunc
	s.functions.stream.ending, endStreams = context.WithCancel(s.calls)
	s.serve(&s.api, s.withOutputs(s.protect(&gateway{
		function: s.functions.api, streams: s.functions.stream, now: s.cfg.Now, log: s.cfg.Log, afterWrite: s.narrator.stir,
	})))
	s.api.server.RegisterOnShutdown(endStreams)
}

func (s *System) goRun(run func(ctx context.Context)) { s.work.Go(func() { run(s.running) }) }

// fail reports the first thing that went wrong for good; nil is nothing.
func (s *System) fail(err error) {
	if err == nil {
		return
	}
	select {
	case s.failed <- err:
	default:
	}
}

// Failed gets an error if something ended that should not have.
func (s *System) Failed() <-chan error { return s.failed }

// APIURL is where the API is, without /v1.
func (s *System) APIURL() string { return s.api.url() }

// ECSURL is where the ECS simulator is.
func (s *System) ECSURL() string { return s.ecs.url() }

// Store says where the state is kept, for people.
func (s *System) Store() string { return s.store.description }

// Client calls the API.
func (s *System) Client() *client.Client { return s.blox }

// ECS calls the simulator's API.
func (s *System) ECS() *ecs.Client { return s.ecsAPI }

// SetAlarm makes a CloudWatch alarm, or changes its state; an empty state deletes it.
func (s *System) SetAlarm(name, state string) { s.alarms.Set(name, state) }

// Do gives access to the simulator itself: hosts, faults, the truth.
func (s *System) Do(f func(sim *ecssim.Simulator, now time.Time)) { s.sim.Do(f) }

func (s *System) listEnvironments(ctx context.Context) (all []client.Environment, err error) {
	for environment, err := range s.blox.ListEnvironments(ctx, "") {
		if err != nil {
			return nil, err
		}
		all = append(all, environment)
	}
	return all, nil
}

// Stop ends everything, in the order in which work flows, within stopLimit; ctx may have ended already, for that is
// usually why. It may be called again, and says the same.
func (s *System) Stop(ctx context.Context) error {
	s.stop.Do(func() { s.stopped = s.shutdown(context.WithoutCancel(ctx)) })
	return s.stopped
}

func (s *System) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	errs := []error{s.api.shutdown(ctx)}
	s.stopRunning()
	if !waited(&s.work, stopGrace) {
		s.stopCalls() // what still goes on fails, as if the machine had been switched off
		if !waited(&s.work, stopGrace) {
			errs = append(errs, fmt.Errorf("stopping: a function still runs after %s", 2*stopGrace))
		}
	}
	s.stopCalls()
	errs = append(errs, s.ecs.shutdown(ctx))
	s.servers.Wait()
	if s.store != nil {
		errs = append(errs, s.store.close(ctx))
	}
	s.http.CloseIdleConnections()
	return errors.Join(errs...)
}

// shutdown ends the server and lets requests finish, within a bound.
func (l listener) shutdown(ctx context.Context) error {
	switch {
	case l.server != nil:
		ctx, cancel := context.WithTimeout(ctx, stopGrace)
		defer cancel()
		if l.server.Shutdown(ctx) == nil {
			return nil
		}
		return l.server.Close()
	case l.Listener != nil:
		return l.Close()
	default:
		return nil
	}
}

// waited says whether all of the group ended in time.
func waited(group *sync.WaitGroup, limit time.Duration) bool {
	ended := make(chan struct{})
	go func() {
		group.Wait()
		close(ended)
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-ended:
		return true
	case <-timer.C:
		return false
	}
}
