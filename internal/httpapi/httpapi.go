package httpapi

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/blox/blox/internal/member"
	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/table"
	"github.com/blox/blox/internal/watch"
)

// ECS is what the API asks Amazon ECS itself, before it accepts a definition, and what it registers there: private copies of
// task definitions.
type ECS interface {
	DescribeTaskDefinition(ctx context.Context, in *ecs.DescribeTaskDefinitionInput, opts ...func(*ecs.Options)) (*ecs.DescribeTaskDefinitionOutput, error)
	RegisterTaskDefinition(ctx context.Context, in *ecs.RegisterTaskDefinitionInput, opts ...func(*ecs.Options)) (*ecs.RegisterTaskDefinitionOutput, error)
	DescribeServices(ctx context.Context, in *ecs.DescribeServicesInput, opts ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error)
	DescribeClusters(ctx context.Context, in *ecs.DescribeClustersInput, opts ...func(*ecs.Options)) (*ecs.DescribeClustersOutput, error)
}

// Feed is the feed of changes. Its Position is the one up to which everything can be read by now: what is read after the
// call holds all changes up to it.
type Feed = watch.Feed

// Deps is all that the API works with. New requires every field, NewStreams not Daemon, ECS, Scheduler,
// Wakeups and Reconciles, nor what /v1/version tells.
type Deps struct {
	State  *table.State
	Daemon *table.Daemon
	// ECS is Amazon ECS in an account and region. The error says in which the installation works.
	ECS  func(account, region string) (ECS, error)
	Feed Feed
	// Scheduler is what plans and the states of hosts are made from.
	Scheduler Scheduler
	Wakeups   queue.Sender
	// Reconciles is the queue of what is asked of reconcile.
	Reconciles queue.Sender
	Now        func() time.Time
	// NewID makes UUIDs that sort by time (version 7): deployments are listed by it.
	NewID func() string
	// Account and Region are the installation's home. A cluster's name means the one there unless the state knows others
	// of that name.
	Account, Region string
	// Installation tells several Blox installations in one account apart.
	Installation string
	Version      string
	// Members are the other accounts and regions that the installation works in, VisibleFor is how long what has ended is
	// shown: /v1/version tells of both.
	Members    []member.Place
	VisibleFor time.Duration
	Logger     *slog.Logger
	// StreamBytes is about how many bytes one stream may have; 0 is what a Lambda function may answer.
	StreamBytes int64
}

// server has the handlers.
type server struct {
	Deps
	// streaming says that answers may be streams. Where they are not, nobody would see a line of one before its end.
	streaming bool
	kept      known
}

// NewStreams is the part of the API below /v1/stream as a handler, and /v1/ping. A stream ends before the deadline of its
// request's context, and when the context ends.
func NewStreams(deps Deps) http.Handler {
	s := &server{Deps: deps, streaming: true}
	s.StreamBytes = cmp.Or(s.StreamBytes, maxStreamBytes)
	mux := http.NewServeMux()
	api := humago.New(mux, apiConfig(deps.Version))
	s.prepare(api)
	s.registerPing(api)
	s.registerStreams(api)
	return s.observed(s.recovered(s.routed(mux)))
}

// New is the API as a handler. Paths begin with /v1; those below /v1/stream are answered with 421, for NewStreams has them.
func New(deps Deps) http.Handler {
	s := &server{Deps: deps}
	mux := http.NewServeMux()
	s.register(humago.New(mux, apiConfig(deps.Version)))
	for collection, thing := range map[string]string{"tasks": "task", "instances": "container instance"} {
		// Without this the mux would redirect to the same path with a slash.
		mux.HandleFunc("GET /v1/"+collection+"/{cluster}", func(w http.ResponseWriter, _ *http.Request) {
			writeProblem(w, http.StatusNotFound, fmt.Sprintf("which %s is missing: allowed are /v1/%s/CLUSTER/ID-OR-ARN and /v1/%s?cluster=CLUSTER; "+
				"GET /v1/openapi.yaml lists all paths", thing, collection, collection))
		})
	}
	return s.observed(s.recovered(s.routed(mux)))
}

// OpenAPI is the document that describes the API, as YAML.
func OpenAPI(version string) ([]byte, error) {
	s := &server{}
	api := humago.New(http.NewServeMux(), apiConfig(version))
	s.register(api)
	return api.OpenAPI().YAML()
}

func apiConfig(version string) huma.Config {
	config := huma.DefaultConfig("Blox", version)
	config.Info.Description = "State of Amazon ECS clusters, kept current from events, and daemons: one task on every host."
	config.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	// No $schema in bodies: they are Blox v0.3.0's. No page of documentation that loads scripts from elsewhere.
	config.CreateHooks = nil
	config.DocsPath, config.SchemasPath = "", ""
	config.OpenAPIPath = "/v1/openapi"
	describeAmounts(config.Components.Schemas)
	return config
}

// DocumentVersion is the version of the API, which the checked-in document names: it changes with the API, and not with
// every build.
const DocumentVersion = "1.0.0"
