package daemon

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Method is how a host's daemon gives way to the next.
type Method string

const (
	// TerminateThenReplace stops the old task, waits until it is STOPPED (its ports and memory are held until then), and
	// starts the new one. It is the default, and the empty method.
	TerminateThenReplace Method = "terminateThenReplace"
	// ReplaceThenTerminate starts the new task beside the old one, and stops the old one when the new one has been healthy
	// for minHealthySeconds. Both must fit on the host, so static host ports forbid it.
	ReplaceThenTerminate Method = "replaceThenTerminate"
	// OnDelete replaces nothing: a host gets the new revision when its old task ends for another reason. Only a rollback
	// to a revision of this method replaces, as TerminateThenReplace does.
	OnDelete Method = "onDelete"
)

// DeploymentConfiguration bounds a rollout.
type DeploymentConfiguration struct {
	Method Method `json:"method,omitempty"`
	// MinimumHealthyPercent of the hosts keep a healthy daemon during a rollout: 0 to 100. At least one host may
	// always be replaced, or nothing could ever move.
	MinimumHealthyPercent int `json:"minimumHealthyPercent"`
	// MaxUnavailable says the same the other way round, as a count or a percentage, and takes the place of
	// MinimumHealthyPercent if it is set. Percentages are rounded down, to at least one host.
	MaxUnavailable Amount `json:"maxUnavailable,omitempty"`
	// MaxSurge bounds the hosts that have two tasks at once under ReplaceThenTerminate; percentages are rounded up.
	// DefaultMaxSurge if empty.
	MaxSurge Amount `json:"maxSurge,omitempty"`
	// MinHealthySeconds is how long a daemon must have been healthy before it counts: 0 to 3600.
	MinHealthySeconds int `json:"minHealthySeconds"`
	// HostDeadlineSeconds is how long a host may take, from the stop of its old task or the claim of its first until the
	// new one has been healthy for MinHealthySeconds, which must be less. A host that takes longer has failed: it counts for
	// the circuit breaker, and no more against the budget. 0 is DefaultHostDeadlineSeconds and MinHealthySeconds.
	HostDeadlineSeconds int `json:"hostDeadlineSeconds,omitempty"`
	// ProgressDeadlineSeconds is how long a deployment may go without one more host updated before it fails. 0 is never:
	// people are told that it is stuck.
	ProgressDeadlineSeconds int `json:"progressDeadlineSeconds,omitempty"`
	// BakeSeconds is how long a deployment is watched after its last host was updated, before it counts as completed.
	BakeSeconds int `json:"bakeSeconds,omitempty"`
	// Canary is what gets the revision first; nil is none.
	Canary *Canary `json:"canary,omitempty"`
	// Alarms are names of CloudWatch alarms, of the clusters' account and region. One in ALARM during the rollout or the
	// bake fails the deployment.
	Alarms []string `json:"alarms,omitempty"`
	// CircuitBreaker ends a deployment that does harm.
	CircuitBreaker CircuitBreaker `json:"circuitBreaker,omitzero"`
}

// Canary is a part of the hosts that gets a revision first. Exactly one of Hosts and Expression is set. The deployment
// then waits, paused, until it is promoted.
type Canary struct {
	// Hosts is a count or a percentage, rounded up, of the desired hosts.
	Hosts Amount `json:"hosts,omitempty"`
	// Expression selects the hosts in ECS's cluster query language.
	Expression string `json:"expression,omitempty"`
	// PromoteAfterSeconds promotes by itself when the canaries have been healthy for that long and no alarm is in ALARM;
	// 0 waits for people.
	PromoteAfterSeconds int `json:"promoteAfterSeconds,omitempty"`
}

// CircuitBreaker fails a deployment when too many hosts failed under it. It is on unless disabled.
type CircuitBreaker struct {
	Disabled bool `json:"disabled,omitempty"`
	// KeepRevision leaves the failed revision where it is; otherwise the deployment rolls back to the last good one.
	KeepRevision bool `json:"keepRevision,omitempty"`
	// Threshold of failed hosts, a count or a percentage of the desired ones, rounded up; at least one host, at most
	// MaxBreakerHosts. DefaultBreakerThreshold if empty.
	Threshold Amount `json:"threshold,omitempty"`
}

// Amount is a count ("3") or a percentage ("25%") of hosts. The empty one is not set. As JSON it may be a number, too.
type Amount string

// ParseAmount reads a count from 0 to 100000, or a percentage from 0% to 100%.
func ParseAmount(s string) (Amount, error) {
	digits, percent := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || digits[0] == '+' || digits[0] == '-' || (percent && n > 100) || n > maxAmount {
		return "", fmt.Errorf("%q: want a number of hosts from 0 to %d, or a percentage from 0%% to 100%%", s, maxAmount)
	}
	if percent {
		return Amount(strconv.Itoa(n) + "%"), nil
	}
	return Amount(strconv.Itoa(n)), nil
}

const maxAmount = 100000

// UnmarshalJSON reads what ParseAmount reads, as a string or a number.
func (a *Amount) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		text = string(data)
	}
	if text == "" {
		*a = ""
		return nil
	}
	parsed, err := ParseAmount(text)
	*a = parsed
	return err
}

// RoundedDown and RoundedUp are the amount of n hosts. An amount that is not set, or not valid, is 0.
func (a Amount) RoundedDown(n int) int {
	value, percent := a.parts()
	if percent {
		return n * value / 100
	}
	return value
}

// RoundedUp is the amount of n hosts, a fraction of a host being one.
func (a Amount) RoundedUp(n int) int {
	value, percent := a.parts()
	if percent {
		return (n*value + 99) / 100
	}
	return value
}

func (a Amount) parts() (value int, percent bool) {
	digits, percent := strings.CutSuffix(string(a), "%")
	value, _ = strconv.Atoi(digits)
	return value, percent
}

// Defaults: half of the hosts keep their daemon (the ECS console's default for DAEMON services), and ten seconds of
// health are asked for, so that a task which crashes at start is not taken for a success. A host has ten minutes: images
// of a gigabyte and health checks with a start period need them. One host in ten may fail before the breaker trips.
const (
	DefaultMinimumHealthyPercent        = 50
	DefaultMinHealthySeconds            = 10
	DefaultHostDeadlineSeconds          = 600
	DefaultMaxSurge              Amount = "25%"
	DefaultBreakerThreshold      Amount = "10%"
	// MaxBreakerHosts bounds a threshold: no fleet is so large that more failed hosts are needed to know.
	MaxBreakerHosts = 200

	maxMinHealthySeconds = 3600
	maxDeadlineSeconds   = 24 * 3600
	maxAlarms            = 10
)

// DefaultDeploymentConfiguration is what an environment gets that says nothing.
func DefaultDeploymentConfiguration() DeploymentConfiguration {
	return DeploymentConfiguration{
		MinimumHealthyPercent: DefaultMinimumHealthyPercent,
		MinHealthySeconds:     DefaultMinHealthySeconds,
	}
}

// AllowedUnavailable is how many of n hosts may be without a healthy daemon by our own doing. At least one, or a
// rollout could never move; with room for a fraction of a host, none (rounded down). Only under surge may it be none:
// the new daemon is there before the old one goes.
func (c DeploymentConfiguration) AllowedUnavailable(n int) int {
	allowed := n * (100 - c.MinimumHealthyPercent) / 100
	if c.MaxUnavailable != "" {
		allowed = c.MaxUnavailable.RoundedDown(n)
	}
	if c.Method == ReplaceThenTerminate {
		return allowed
	}
	return max(1, allowed)
}

// AllowedSurge is how many of n hosts may have two tasks at once: at least one.
func (c DeploymentConfiguration) AllowedSurge(n int) int {
	if c.MaxSurge == "" {
		return max(1, DefaultMaxSurge.RoundedUp(n))
	}
	return max(1, c.MaxSurge.RoundedUp(n))
}

// FailedHosts is how many of n hosts must fail for the breaker to end a deployment: 1 to MaxBreakerHosts.
func (b CircuitBreaker) FailedHosts(n int) int {
	threshold := b.Threshold
	if threshold == "" {
		threshold = DefaultBreakerThreshold
	}
	return min(max(1, threshold.RoundedUp(n)), MaxBreakerHosts)
}

// HostDeadline is how long a host may take.
func (c DeploymentConfiguration) HostDeadline() time.Duration {
	if c.HostDeadlineSeconds == 0 {
		return time.Duration(DefaultHostDeadlineSeconds+c.MinHealthySeconds) * time.Second
	}
	return time.Duration(c.HostDeadlineSeconds) * time.Second
}
