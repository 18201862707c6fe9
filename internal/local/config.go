package local

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/blox/blox/internal/ecssim"
)

// The simulated account, in which everything lives. It is AWS's own example account, and nobody's.
const (
	account   = "123456789012"
	region    = "us-east-1"
	partition = "aws"
	// installation marks the tasks of this installation of Blox, as it does in an account with several.
	installation = "local"
)

// Stores that Config.Store takes.
const (
	StoreMemory   = "memory"
	StoreDynamoDB = "dynamodb"
)

// MaxInstances bounds the demo cluster: ECS takes 5,000 container instances a cluster.
const MaxInstances = 5000

// Config describes one run.
type Config struct {
	Addr      string // where the API listens, host:port; port 0 is any free one
	ECSAddr   string // where the ECS simulator listens
	Instances int    // hosts of the demo cluster
	Seed      uint64 // decides the simulator's ids and delays
	Store     string // StoreMemory or StoreDynamoDB
	// Endpoint is the URL of a DynamoDB that runs already, for StoreDynamoDB; empty starts DynamoDB Local.
	Endpoint string
	Demo     bool // whether there is a demo cluster with a daemon

	// Auth is AuthNone, which empty is too, or AuthIAM: then calls of the API must be signed, with a key of
	// CredentialsFile (AWS's shared credentials format; made with one key if it is not there), or without one with a key
	// of this run, which the introduction shows.
	Auth            string
	CredentialsFile string
	// AllowRemote lets an address be other than loopback though whoever reaches it may call without a key: the ECS
	// simulator always, the API under AuthNone.
	AllowRemote bool

	// ReconcilePeriod and TickPeriod are those of the schedules; 0 means 30 seconds and 1 minute.
	ReconcilePeriod time.Duration
	TickPeriod      time.Duration

	// ModifiesPerSecond bounds the calls that start and stop tasks; 0 means half of what ECS allows an account.
	ModifiesPerSecond float64

	Out io.Writer    // where Run tells what happens; nil is nowhere
	Log *slog.Logger // what goes wrong; nil is nowhere
	Now func() time.Time

	// OnWorld hears of the simulator's truth at every delivery of its event bus, before anything else hears of the
	// events, and may be nil.
	OnWorld func(ecssim.World)
}

func (c Config) withDefaults() (Config, error) {
	if c.Store != StoreMemory && c.Store != StoreDynamoDB {
		return c, fmt.Errorf("store %q is unknown: allowed are %s and %s", c.Store, StoreMemory, StoreDynamoDB)
	}
	if c.Instances < 0 || c.Instances > MaxInstances {
		return c, fmt.Errorf("%d instances: allowed are 0 to %d", c.Instances, MaxInstances)
	}
	if c.Auth == "" {
		c.Auth = AuthNone
	}
	if c.Auth != AuthNone && c.Auth != AuthIAM {
		return c, fmt.Errorf("--auth %q is unknown: allowed are %s and %s", c.Auth, AuthNone, AuthIAM)
	}
	if c.CredentialsFile != "" && c.Auth != AuthIAM {
		return c, fmt.Errorf("--credentials-file is of use with --auth %s only", AuthIAM)
	}
	if err := c.checkAddresses(); err != nil {
		return c, err
	}
	if c.ReconcilePeriod == 0 {
		c.ReconcilePeriod = 30 * time.Second
	}
	if c.TickPeriod == 0 {
		c.TickPeriod = time.Minute
	}
	if c.Out == nil {
		c.Out = io.Discard
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

// checkAddresses refuses what is no address, and what others could reach without a key unless that is wanted.
func (c Config) checkAddresses() error {
	for _, a := range []struct {
		what, flag, addr string
		remedy           string
		open             bool
	}{
		{"API", "--addr", c.Addr, "let calls be signed with --auth " + AuthIAM, c.Auth != AuthIAM},
		{"ECS simulator", "--ecs-addr", c.ECSAddr, "use 127.0.0.1 (it takes any credentials)", true},
	} {
		host, _, err := net.SplitHostPort(a.addr)
		if err != nil {
			return fmt.Errorf("the address %q of the %s is invalid: allowed is HOST:PORT, such as 127.0.0.1:8080", a.addr, a.what)
		}
		if a.open && !c.AllowRemote && !isLoopback(host) {
			return fmt.Errorf("%s %s would let everyone who reaches this machine call the %s: %s, or say that you want that with --allow-remote",
				a.flag, a.addr, a.what, a.remedy)
		}
	}
	return nil
}
