package member

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/blox/blox/internal/state"
)

// Role is which of a member's roles a function assumes; its value is a part of the role's name.
type Role string

// The roles that a member's stack makes.
const (
	RoleRead Role = "read" // List and Describe, for reconcile and the API
	// RoleScheduler is for the scheduler: Describe, RunTask, StopTask, attributes, and alarms to read.
	RoleScheduler Role = "scheduler"
)

// RoleARN is the role's name in a member, which can be told without asking anybody.
func RoleARN(installation string, role Role, p Place) string {
	return fmt.Sprintf("arn:%s:iam::%s:role/blox-%s-%s-%s", state.PartitionOf(p.Region), p.Account, installation, role, p.Region)
}

// Config is what Clients are made of.
type Config struct {
	Settings
	// AWS is the function's own configuration: its credentials are those of the home, and assume the members' roles.
	AWS          aws.Config
	Installation string
	Role         Role
	// Function is the function's name, for the session's: members read in their trail who it was.
	Function string
	// Options are of every client.
	Options []func(*ecs.Options)
}

// Clients are clients of ECS and CloudWatch, one of each a place. They are safe for concurrent use.
type Clients struct {
	cfg Config

	mu     sync.Mutex
	byName map[Place]*ecs.Client
	alarms map[Place]*cloudwatch.Client
	sts    *sts.Client
}

// New makes Clients. Nothing is asked of AWS before the first call of a client.
func New(cfg Config) *Clients {
	return &Clients{cfg: cfg, byName: map[Place]*ecs.Client{}, alarms: map[Place]*cloudwatch.Client{}}
}

// ECS is the client of an account and region. The error is an *UnknownPlaceError.
func (c *Clients) ECS(account, region string) (*ecs.Client, error) {
	p := Place{Account: account, Region: region}
	if err := c.check(p); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.byName[p]; ok {
		return client, nil
	}
	client := c.client(p)
	c.byName[p] = client
	return client, nil
}

// check refuses a place that the installation does not work in.
func (c *Clients) check(p Place) error {
	if p == c.cfg.Home || slices.Contains(c.cfg.Members, p) {
		return nil
	}
	return &UnknownPlaceError{Place: p, Allowed: c.cfg.Places()}
}

func (c *Clients) client(p Place) *ecs.Client {
	options := append([]func(*ecs.Options){func(o *ecs.Options) { o.Region = p.Region }}, c.cfg.Options...)
	if p != c.cfg.Home {
		// One of the home's own account needs the role as well: it is what the member's stack permits, and no more.
		credentials := c.credentials(p)
		options = append(options, func(o *ecs.Options) { o.Credentials = credentials })
	}
	return ecs.NewFromConfig(c.cfg.AWS, options...)
}

// credentials assume a member's role when they are first needed, and again before they expire.
func (c *Clients) credentials(p Place) aws.CredentialsProvider {
	if c.sts == nil {
		// The home's regional endpoint, whose tokens are good in every region; the global one's are not in those that an
		// account has opted in to.
		c.sts = sts.NewFromConfig(c.cfg.AWS)
	}
	return aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(c.sts, RoleARN(c.cfg.Installation, c.cfg.Role, p),
		func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = fmt.Sprintf("blox-%s-%s", c.cfg.Installation, c.cfg.Function)
			o.ExternalID = aws.String(c.cfg.ExternalID)
		}))
}

// UnknownPlaceError says that an installation does not work in a place.
type UnknownPlaceError struct {
	Place   Place
	Allowed []Place // the home first
}

func (e *UnknownPlaceError) Error() string {
	names := make([]string, len(e.Allowed))
	for i, p := range e.Allowed {
		names[i] = p.String()
	}
	return fmt.Sprintf("account %s in region %s is no member of this installation: allowed are %s",
		e.Place.Account, e.Place.Region, strings.Join(names, ", "))
}
