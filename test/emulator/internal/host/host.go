// Package host runs a deployed stack of Blox: its functions' bytes, as the emulated Lambda API gives them, behind its
// deployed event source mappings, schedules and REST API. Amazon ECS is a simulator; all other services are the
// emulator's.
package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/blox/blox/internal/ecssim"
	"github.com/blox/blox/test/emulator/internal/account"
	"github.com/blox/blox/test/emulator/internal/gateway"
	"github.com/blox/blox/test/emulator/internal/mappings"
	"github.com/blox/blox/test/emulator/internal/proxy"
	"github.com/blox/blox/test/emulator/internal/runtimeapi"
	"github.com/blox/blox/test/emulator/internal/schedules"
	"github.com/blox/blox/test/emulator/internal/stack"
)

// maxProcesses bounds the processes of one function that has no reserved concurrency, and of one that has more.
const maxProcesses = 4

// stopGrace is what running invocations are given to end by themselves.
const stopGrace = 5 * time.Second

// Config says what runs.
type Config struct {
	Account   *account.Account
	StackName string
	Log       *slog.Logger
}

// Host is a stack, running.
type Host struct {
	Config
	Template   *stack.Template
	Deployed   map[string]stack.Function // by Blox's name
	Functions  map[string]*runtimeapi.Function
	Mappings   []mappings.Mapping
	Schedules  []schedules.Schedule
	Routes     []gateway.Route
	Simulator  *ecssim.Server
	ECSFront   *ECSFront
	CloudWatch *CloudWatch
	Proxy      *proxy.Proxy
	Metrics    *Metrics
	APIURL     string // with the stage
	ProxyURL   string
	ECSURL     string                     // the simulator, for users
	Principals map[string]aws.Credentials // who may call the API, by the policy they have

	directory string
	running   context.Context
	calls     context.Context
	stopRun   context.CancelFunc
	stopCalls context.CancelFunc
	work      sync.WaitGroup
	servers   []*http.Server
	mu        sync.Mutex
	failed    error
	// sentences tell what the emulator could not do and what was done instead.
	sentences []string
}

// Start reads the stack and runs it. Stop must be called, also after an error.
func Start(ctx context.Context, cfg Config) (*Host, error) {
	h := &Host{Config: cfg, Functions: map[string]*runtimeapi.Function{}, Deployed: map[string]stack.Function{}, Metrics: newMetrics()}
	h.running, h.stopRun = context.WithCancel(context.WithoutCancel(ctx))
	h.calls, h.stopCalls = context.WithCancel(context.WithoutCancel(ctx))
	for _, step := range []func(context.Context) error{h.read, h.startECS, h.startProxy, h.startFunctions, h.startMappings, h.readSchedules, h.startGateway} {
		if err := step(ctx); err != nil {
			return h, err
		}
	}
	return h, nil
}

// Stop ends everything that Start began.
func (h *Host) Stop() error {
	h.stopRun()
	ended := make(chan struct{})
	go func() {
		h.work.Wait()
		close(ended)
	}()
	timer := time.NewTimer(stopGrace)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
	h.stopCalls() // what still goes on ends as if the machine had been switched off
	for _, f := range h.Functions {
		f.Close()
	}
	<-ended
	var errs []error
	for _, server := range h.servers {
		errs = append(errs, server.Close())
	}
	if h.directory != "" {
		errs = append(errs, os.RemoveAll(h.directory))
	}
	return errors.Join(errs...)
}

// Failed is what ended although it should not have, or nil.
func (h *Host) Failed() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.failed
}

func (h *Host) goRun(what string, run func() error) {
	h.work.Go(func() {
		if err := run(); err != nil && h.running.Err() == nil {
			h.mu.Lock()
			h.failed = errors.Join(h.failed, fmt.Errorf("%s: %w", what, err))
			h.mu.Unlock()
		}
	})
}

func (h *Host) replaced(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sentences = append(h.sentences, fmt.Sprintf(format, args...))
}

// Replacements tell what the emulator could not do and what was done instead, in sentences.
func (h *Host) Replacements() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.sentences)
}

func (h *Host) read(ctx context.Context) error {
	var err error
	if h.Template, err = stack.Read(ctx, stack.Clients{CloudFormation: h.Account.CloudFormation, DynamoDB: h.Account.DynamoDB}, h.StackName); err != nil {
		return err
	}
	functions, err := h.Template.Functions(ctx, h.Account.Lambda, stack.Download{
		Client: http.DefaultClient, Endpoint: h.Account.Endpoint,
		Sign: func(r *http.Request) error { return h.Account.Sign(ctx, r, "s3", nil) },
	})
	if err != nil {
		return err
	}
	for _, f := range functions {
		if _, twice := h.Deployed[f.Name]; twice {
			return fmt.Errorf("two functions of the stack are both %s", f.Name)
		}
		h.Deployed[f.Name] = f
		for _, variable := range f.Corrected {
			h.replaced("the emulator does not work out a Ref to an event bus: %s of function %s is the name in the template", variable, f.Name)
		}
	}
	return nil
}

// listen serves a handler on a port of this machine.
func (h *Host) listen(ctx context.Context, handler http.Handler) (address string, err error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	h.servers = append(h.servers, server)
	go func() { _ = server.Serve(l) }() // it ends when Stop closes it
	return "http://" + l.Addr().String(), nil
}

func (h *Host) startECS(ctx context.Context) error {
	sim := ecssim.New(ecssim.Config{Account: h.Template.Account, Region: h.Template.Region, Partition: h.Template.Partition, Seed: 1}, time.Now())
	h.Simulator = ecssim.NewServer(sim, time.Now, h.onEvents)
	h.ECSFront = newECSFront(h.Simulator, h.Template)
	h.replaced("Amazon ECS is Blox's simulator (internal/ecssim), and it puts its events on the emulated default event bus with PutEvents, which AWS itself would refuse for the source aws.ecs")
	h.goRun("the ECS simulator", func() error { return h.Simulator.Run(h.running) })
	var err error
	h.ECSURL, err = h.listen(ctx, h.ECSFront)
	return err
}

func (h *Host) startProxy(ctx context.Context) error {
	emulator, err := url.Parse(h.Account.Endpoint)
	if err != nil {
		return fmt.Errorf("the emulator's address: %w", err)
	}
	place := proxy.Place{
		Partition: h.Template.Partition, Account: h.Template.Account, Region: h.Template.Region,
		StackName: h.StackName, StackID: h.Template.StackID,
	}
	h.CloudWatch = newCloudWatch()
	h.replaced("the states of CloudWatch alarms are told by this test: the emulator does not speak the protocol of the SDK")
	h.Proxy = proxy.New(place, emulator, h.Account.AccessKeyID, h.ECSFront, h.CloudWatch)
	h.ProxyURL, err = h.listen(ctx, h.Proxy)
	return err
}

// accessKey makes an access key that the proxy knows as the function's.
func (h *Host) accessKey(caller proxy.Caller) aws.Credentials {
	key := aws.Credentials{AccessKeyID: "ASIA" + rand.Text()[:16], SecretAccessKey: rand.Text(), SessionToken: rand.Text()}
	h.Proxy.Know(key.AccessKeyID, caller)
	return key
}

func (h *Host) startFunctions(context.Context) error {
	var err error
	if h.directory, err = os.MkdirTemp("", "blox-emulated-"); err != nil {
		return err
	}
	for name, f := range h.Deployed {
		directory := filepath.Join(h.directory, name)
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return err
		}
		if err := stack.Unpack(f.Zip, directory); err != nil {
			return fmt.Errorf("function %s: %w", name, err)
		}
		key := h.accessKey(proxy.Caller{Function: name})
		processes := maxProcesses
		if f.Reserved > 0 {
			processes = min(f.Reserved, maxProcesses)
		}
		h.Functions[name] = runtimeapi.New(runtimeapi.Spec{
			Name: name, Deployed: f.Deployed, ARN: f.ARN, Directory: directory, Region: h.Template.Region, Environment: f.Environment,
			Extra: map[string]string{
				"AWS_ENDPOINT_URL": h.ProxyURL, "AWS_ACCESS_KEY_ID": key.AccessKeyID,
				"AWS_SECRET_ACCESS_KEY": key.SecretAccessKey, "AWS_SESSION_TOKEN": key.SessionToken,
			},
			Timeout: f.Timeout, MemoryMB: f.MemoryMB, Processes: processes, Throttle: f.Reserved > 0,
		}, h.Metrics.line)
	}
	h.replaced("Lambda's sandboxes are processes of this machine behind a Lambda Runtime API of this test: no memory limit, at most %d at a time for a function", maxProcesses)
	return nil
}

// byARN finds a function by its ARN.
func (h *Host) byARN(arn string) (string, *runtimeapi.Function, error) {
	for name, f := range h.Deployed {
		if f.ARN == arn {
			return name, h.Functions[name], nil
		}
	}
	return "", nil, fmt.Errorf("%s is no function of the stack", arn)
}

func (h *Host) functionARNs() []string {
	var arns []string
	for _, f := range h.Deployed {
		arns = append(arns, f.ARN)
	}
	return arns
}

func (h *Host) startMappings(ctx context.Context) error {
	var err error
	if h.Mappings, err = mappings.Read(ctx, h.Account.Lambda, h.functionARNs()); err != nil {
		return err
	}
	if want := len(h.Template.OfType("AWS::Lambda::EventSourceMapping")); len(h.Mappings) != want {
		return fmt.Errorf("the emulator has %d event source mappings, the template %d", len(h.Mappings), want)
	}
	for _, m := range h.Mappings {
		if err := mappings.TakeOver(ctx, h.Account.Lambda, m); err != nil {
			return err
		}
		if err := h.startMapping(ctx, m); err != nil {
			return err
		}
	}
	h.replaced("Lambda's pollers are this test's: they call with the functions' own roles, and what failed is tried again at once: messages before the queue's visibility timeout is over, stream records without the growing pauses")
	return nil
}

func (h *Host) startMapping(ctx context.Context, m mappings.Mapping) error {
	name, function, err := h.byARN(m.FunctionARN)
	if err != nil {
		return err
	}
	key := h.accessKey(proxy.Caller{Function: name, Poller: true})
	clients := account.New(account.Config{
		Endpoint: h.ProxyURL, Region: h.Template.Region,
		Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, key.SessionToken),
	})
	if !m.IsQueue() {
		s := mappings.NewStream(m, function, h.Template.Region, h.Log, clients.StreamsOf(m.Source), func(ctx context.Context, destination string, body []byte) error {
			queue, err := h.Account.QueueURL(ctx, stack.QueueName(destination))
			if err != nil {
				return err
			}
			return clients.Send(ctx, queue, string(body))
		})
		h.goRun("the mapping of "+m.Source, func() error { return s.Run(h.running, h.calls) })
		return nil
	}
	queue, err := h.Account.QueueURL(ctx, stack.QueueName(m.Source))
	if err != nil {
		return err
	}
	q := mappings.NewQueue(m, function, h.Template.Region, h.Log, clients.SQS, queue)
	q.Retry = func(ctx context.Context, handle string) error { return h.Account.MakeVisible(ctx, queue, handle) }
	h.goRun("the mapping of "+m.Source, func() error { return q.Run(h.running, h.calls) })
	return nil
}

func (h *Host) readSchedules(ctx context.Context) error {
	var err error
	if h.Schedules, err = schedules.Read(ctx, h.Account.Scheduler, h.functionARNs()); err != nil {
		return err
	}
	fromTemplate, err := schedules.FromTemplate(h.Template)
	if err != nil {
		return err
	}
	if len(h.Schedules) == 0 {
		h.Schedules = fromTemplate
		h.replaced("the emulator's CloudFormation makes no EventBridge schedules: target, input and period are those of the deployed template")
	}
	if len(h.Schedules) != len(fromTemplate) {
		return fmt.Errorf("the emulator has %d schedules, the template %d", len(h.Schedules), len(fromTemplate))
	}
	h.replaced("schedules are due when the test says so, not after minutes")
	return nil
}

// Due invokes the schedules of a function, as if their time had come.
func (h *Host) Due(ctx context.Context, function string) error {
	fired := 0
	for _, s := range h.Schedules {
		name, f, err := h.byARN(s.Target)
		if err != nil {
			return err
		}
		if name != function || !s.Enabled {
			continue
		}
		if _, err := f.Invoke(ctx, s.Payload(time.Now())); err != nil {
			return fmt.Errorf("schedule %s: %w", s.ID, err)
		}
		fired++
	}
	if fired == 0 {
		return fmt.Errorf("no schedule invokes the function %s", function)
	}
	return nil
}

// invoker adapts a function to the gateway.
func invoker(f *runtimeapi.Function) gateway.Invoke {
	return func(ctx context.Context, payload []byte) (io.ReadCloser, error) { return f.Stream(ctx, payload) }
}

// Queue is the URL of a queue that the stack's outputs name.
func (h *Host) Queue(ctx context.Context, output string) (string, error) {
	value, err := h.Account.Output(ctx, h.StackName, output)
	if err != nil {
		return "", err
	}
	return h.Account.QueueURL(ctx, stack.QueueName(value))
}

// Table is the physical name of the table whose logical id contains a word.
func (h *Host) Table(word string) (string, error) {
	for _, r := range h.Template.OfType("AWS::DynamoDB::Table") {
		if strings.Contains(strings.ToLower(r.LogicalID), word) {
			return r.PhysicalID, nil
		}
	}
	return "", fmt.Errorf("the stack has no table %q", word)
}
