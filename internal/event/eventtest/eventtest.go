// Package eventtest builds ECS events for tests. What it builds is complete and
// plausible, so a test names only what it is about:
//
//	eventtest.Task(eventtest.ID(id), eventtest.Version(3), eventtest.LastStatus("STOPPED"))
package eventtest

import (
	"encoding/json"
	"fmt"
	"time"
)

// The values used where a test names none.
const (
	DefaultAccount        = "210987654321"
	DefaultRegion         = "eu-west-1"
	DefaultCluster        = "edge"
	DefaultTaskID         = "0f5d3c7b9a1e4c6f8b2d4e6a8c0f1b3d"
	DefaultInstanceID     = "3b9e0d2f4c6a48e0b1d3f5a7c9e1b3d5"
	DefaultEC2InstanceID  = "i-0a1b2c3d4e5f60718"
	DefaultTaskDefinition = "log-agent:12"
)

// DefaultTime is when an event happens if a test names no time.
var DefaultTime = time.Date(2026, time.November, 20, 9, 14, 7, 0, time.UTC)

// spec collects what the options say; the events are built from it.
type spec struct {
	partition, account, region, cluster string
	id, containerInstance               string
	ec2InstanceID, taskDefinition       string
	shortARNs                           bool
	version                             int64
	at                                  time.Time
	lastStatus, desiredStatus, status   string
	group, startedBy                    string
	agentConnected                      bool
	detail                              map[string]any // nil removes a field
	envelope                            map[string]any
}

// Option changes one thing about an event.
type Option func(*spec)

// Account sets the account of every ARN and of the envelope.
func Account(account string) Option { return func(s *spec) { s.account = account } }

// Region sets the region of every ARN and of the envelope.
func Region(region string) Option { return func(s *spec) { s.region = region } }

// Partition sets the partition of every ARN.
func Partition(partition string) Option { return func(s *spec) { s.partition = partition } }

// Cluster sets the name of the cluster.
func Cluster(name string) Option { return func(s *spec) { s.cluster = name } }

// ID sets the id of the task or container instance the event is about.
func ID(id string) Option { return func(s *spec) { s.id = id } }

// ShortARNs leaves the cluster out of task and container instance ARNs, as
// accounts from before 2018 may have them.
func ShortARNs() Option { return func(s *spec) { s.shortARNs = true } }

// Version sets the version of the detail.
func Version(version int64) Option { return func(s *spec) { s.version = version } }

// Time sets when the event happens.
func Time(at time.Time) Option { return func(s *spec) { s.at = at.UTC() } }

// LastStatus sets the lastStatus of a task and of its container. STOPPED and
// the states on the way there also set the desiredStatus and what a stopped task
// has, unless another option says otherwise.
func LastStatus(status string) Option { return func(s *spec) { s.lastStatus = status } }

// DesiredStatus sets the desiredStatus of a task.
func DesiredStatus(status string) Option { return func(s *spec) { s.desiredStatus = status } }

// Group sets the group of a task.
func Group(group string) Option { return func(s *spec) { s.group = group } }

// StartedBy sets who started a task.
func StartedBy(startedBy string) Option { return func(s *spec) { s.startedBy = startedBy } }

// TaskDefinition sets the task definition of a task, as FAMILY:REVISION.
func TaskDefinition(familyRevision string) Option {
	return func(s *spec) { s.taskDefinition = familyRevision }
}

// OnContainerInstance sets the id of the container instance a task is on; an
// empty one is a task on none.
func OnContainerInstance(id string) Option { return func(s *spec) { s.containerInstance = id } }

// EC2InstanceID sets the EC2 instance of a container instance.
func EC2InstanceID(id string) Option { return func(s *spec) { s.ec2InstanceID = id } }

// Status sets the status of a container instance.
func Status(status string) Option { return func(s *spec) { s.status = status } }

// AgentConnected sets whether the agent of a container instance is connected.
func AgentConnected(connected bool) Option { return func(s *spec) { s.agentConnected = connected } }

// Field sets a field of the detail to any JSON value.
func Field(name string, value any) Option { return func(s *spec) { s.detail[name] = value } }

// WithoutField removes a field of the detail.
func WithoutField(name string) Option { return func(s *spec) { s.detail[name] = nil } }

// EnvelopeField sets a field of the envelope to any JSON value.
func EnvelopeField(name string, value any) Option { return func(s *spec) { s.envelope[name] = value } }

// WithoutEnvelopeField removes a field of the envelope.
func WithoutEnvelopeField(name string) Option { return func(s *spec) { s.envelope[name] = nil } }

func newSpec(id string, options []Option) *spec {
	s := &spec{
		partition: "aws", account: DefaultAccount, region: DefaultRegion, cluster: DefaultCluster,
		id: id, containerInstance: DefaultInstanceID,
		ec2InstanceID: DefaultEC2InstanceID, taskDefinition: DefaultTaskDefinition,
		version: 1, at: DefaultTime,
		lastStatus: "RUNNING", status: "ACTIVE", agentConnected: true,
		group: "family:log-agent", startedBy: "ops",
		detail: map[string]any{}, envelope: map[string]any{},
	}
	for _, option := range options {
		option(s)
	}
	return s
}

func (s *spec) arn(resource string) string {
	return fmt.Sprintf("arn:%s:ecs:%s:%s:%s", s.partition, s.region, s.account, resource)
}

// arnIn is the ARN of something in the cluster.
func (s *spec) arnIn(kind, id string) string {
	if s.shortARNs {
		return s.arn(kind + "/" + id)
	}
	return s.arn(kind + "/" + s.cluster + "/" + id)
}

// event wraps a detail in the envelope EventBridge gives it.
func (s *spec) event(detailType, arn string, detail map[string]any) []byte {
	override(detail, s.detail)
	envelope := map[string]any{
		"version":     "0",
		"id":          fmt.Sprintf("%s-%d", s.id, s.version),
		"detail-type": detailType,
		"source":      "aws.ecs",
		"account":     s.account,
		"time":        s.at.Format("2006-01-02T15:04:05Z"),
		"region":      s.region,
		"resources":   []string{arn},
		"detail":      detail,
	}
	override(envelope, s.envelope)
	raw, err := json.Marshal(envelope)
	if err != nil {
		// Only an option with a value that JSON cannot hold leads here: a
		// mistake in the test that calls us.
		panic(fmt.Sprintf("eventtest: encoding the event: %v", err))
	}
	return raw
}

func override(fields, with map[string]any) {
	for name, value := range with {
		if value == nil {
			delete(fields, name)
			continue
		}
		fields[name] = value
	}
}
