package httpapi

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/daemon"
)

const maxAlarmName = 255

// checkRollout says what is wrong with a deployment configuration: values, and combinations under which nothing could ever
// move.
func checkRollout(c *client.DeploymentConfiguration) (errs []error) {
	if c == nil {
		return nil
	}
	at := func(field string) string { return "body.deploymentConfiguration." + field }
	surge := c.Method == client.MethodReplaceThenTerminate
	amount := func(field string, given client.Amount, zero string) {
		parsed, err := daemon.ParseAmount(string(given))
		switch {
		case given == "":
		case err != nil:
			errs = append(errs, wrong(at(field), shorten(string(given)), "%s", err))
		case zero != "" && parsed.RoundedUp(1) == 0:
			errs = append(errs, wrong(at(field), string(given), "%s", zero))
		}
	}
	zeroUnavailable := "no host could ever be replaced: allowed is at least 1, or the method replaceThenTerminate"
	if surge || c.Method == client.MethodOnDelete {
		zeroUnavailable = ""
	}
	amount("maxUnavailable", c.MaxUnavailable, zeroUnavailable)
	if p := c.MinimumHealthyPercent; p != nil && *p == 100 && zeroUnavailable != "" {
		errs = append(errs, wrong(at("minimumHealthyPercent"), *p, "no host could ever be replaced: allowed are 0 to 99, or the method replaceThenTerminate"))
	}
	amount("maxSurge", c.MaxSurge, "no host could ever get its new task: allowed is at least 1")
	if c.MaxUnavailable != "" && c.MinimumHealthyPercent != nil {
		errs = append(errs, wrong(at("maxUnavailable"), string(c.MaxUnavailable), "it takes the place of minimumHealthyPercent: give one of the two"))
	}
	if c.MaxSurge != "" && !surge {
		errs = append(errs, wrong(at("maxSurge"), string(c.MaxSurge), "only the method replaceThenTerminate has it, and this is %s",
			cmp.Or(c.Method, client.MethodTerminateThenReplace)))
	}
	if b := c.CircuitBreaker; b != nil {
		amount("circuitBreaker.threshold", b.Threshold, "every deployment would fail: allowed is at least 1, or enable false")
	}
	if c.Canary != nil {
		amount("canary.hosts", c.Canary.Hosts, "there would be no canary: allowed is at least 1, or leave canary out")
		errs = append(errs, checkCanary(*c.Canary, at("canary"))...)
		if c.Method == client.MethodOnDelete {
			errs = append(errs, wrong(at("canary"), nil, "the method onDelete replaces nothing, on no host first: leave canary out"))
		}
	}
	errs = append(errs, checkAlarms(c.Alarms, at("alarms"))...)
	if len(errs) > 0 {
		return errs
	}
	// What the scheduler wants besides.
	if err := configurationOf(c).Validate(); err != nil {
		return []error{wrong("body.deploymentConfiguration", nil, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))}
	}
	return nil
}

func checkCanary(c client.Canary, at string) []error {
	if (c.Hosts == "") == (c.Expression == "") {
		return []error{wrong(at, nil, "give hosts, a number or a percentage, or expression, and not both")}
	}
	return checkExpression(at+".expression", c.Expression)
}

func checkAlarms(names []string, at string) (errs []error) {
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", at, i)
		switch {
		case name == "" || len(name) > maxAlarmName:
			errs = append(errs, wrong(at, shorten(name), "allowed are names of 1 to %d characters", maxAlarmName))
		case strings.HasPrefix(name, arnPrefix):
			errs = append(errs, wrong(at, shorten(name), "this is an ARN: give the alarm's name"))
		case slices.Contains(names[:i], name):
			errs = append(errs, wrong(at, name, "this alarm is in the list already"))
		}
	}
	return errs
}

// The names that ECS takes for a custom attribute and for a service.
var (
	attributeName = regexp.MustCompile(`^[A-Za-z0-9_./-]{1,128}$`)
	serviceName   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
)

// handoverAttribute marks hosts that were taken over from an ECS service.
const handoverAttribute = "blox.handover"

// checkAround says what is wrong with what the daemon does for others.
func checkAround(in client.EnvironmentDefinition) (errs []error) {
	const at = "body.readinessAttribute"
	switch name := in.ReadinessAttribute; {
	case name == "":
	case !attributeName.MatchString(name):
		errs = append(errs, wrong(at, shorten(name), "allowed are 1 to 128 letters, digits, hyphens, underscores, slashes and periods"))
	case strings.HasPrefix(name, "ecs.") || strings.HasPrefix(name, "com.amazonaws.") || name == handoverAttribute:
		errs = append(errs, wrong(at, name, "this name is reserved: ECS's own attributes begin with ecs. and com.amazonaws., and %s is for migrations",
			handoverAttribute))
	}
	if in.MigrateFrom != "" && !serviceName.MatchString(in.MigrateFrom) {
		errs = append(errs, wrong("body.migrateFrom", shorten(in.MigrateFrom), "allowed is the name of an ECS service: 1 to 255 letters, digits, "+
			"hyphens and underscores"))
	}
	return errs
}

// configurationOf is the configuration of a checked definition; what is not given is the default.
func configurationOf(c *client.DeploymentConfiguration) daemon.DeploymentConfiguration {
	out := daemon.DefaultDeploymentConfiguration()
	if c == nil {
		return out
	}
	out.Method = daemon.Method(c.Method)
	if c.MinimumHealthyPercent != nil {
		out.MinimumHealthyPercent = *c.MinimumHealthyPercent
	}
	if c.MinHealthySeconds != nil {
		out.MinHealthySeconds = *c.MinHealthySeconds
	}
	out.MaxUnavailable, out.MaxSurge = amountOf(c.MaxUnavailable), amountOf(c.MaxSurge)
	out.HostDeadlineSeconds, out.ProgressDeadlineSeconds, out.BakeSeconds = c.HostDeadlineSeconds, c.ProgressDeadlineSeconds, c.BakeSeconds
	if canary := c.Canary; canary != nil {
		out.Canary = &daemon.Canary{Hosts: amountOf(canary.Hosts), Expression: canary.Expression, PromoteAfterSeconds: canary.PromoteAfterSeconds}
	}
	out.Alarms = slices.Sorted(slices.Values(c.Alarms))
	if b := c.CircuitBreaker; b != nil {
		no := func(given *bool) bool { return given != nil && !*given }
		out.CircuitBreaker = daemon.CircuitBreaker{Disabled: no(b.Enable), KeepRevision: no(b.Rollback), Threshold: amountOf(b.Threshold)}
	}
	return out
}

func amountOf(a client.Amount) daemon.Amount {
	parsed, err := daemon.ParseAmount(string(a))
	if err != nil {
		return "" // not given: others were refused
	}
	return parsed
}

// effective is the configuration with the defaults that it leaves open.
func effective(c daemon.DeploymentConfiguration) daemon.DeploymentConfiguration {
	c.Method = cmp.Or(c.Method, daemon.TerminateThenReplace)
	c.HostDeadlineSeconds = int(c.HostDeadline() / time.Second)
	c.CircuitBreaker.Threshold = cmp.Or(c.CircuitBreaker.Threshold, daemon.DefaultBreakerThreshold)
	if c.Method == daemon.ReplaceThenTerminate {
		c.MaxSurge = cmp.Or(c.MaxSurge, daemon.DefaultMaxSurge)
	}
	return c
}

// configurationView is a configuration as the API shows it.
func configurationView(stored daemon.DeploymentConfiguration) client.DeploymentConfiguration {
	c := effective(stored)
	enable, rollback := !c.CircuitBreaker.Disabled, !c.CircuitBreaker.KeepRevision
	view := client.DeploymentConfiguration{
		Method: string(c.Method), MinimumHealthyPercent: &c.MinimumHealthyPercent, MinHealthySeconds: &c.MinHealthySeconds,
		MaxUnavailable: client.Amount(c.MaxUnavailable), MaxSurge: client.Amount(c.MaxSurge),
		HostDeadlineSeconds: c.HostDeadlineSeconds, ProgressDeadlineSeconds: c.ProgressDeadlineSeconds, BakeSeconds: c.BakeSeconds,
		Alarms:         c.Alarms,
		CircuitBreaker: &client.CircuitBreaker{Enable: &enable, Rollback: &rollback, Threshold: client.Amount(c.CircuitBreaker.Threshold)},
	}
	if c.MaxUnavailable != "" {
		view.MinimumHealthyPercent = nil
	}
	if c.Canary != nil {
		view.Canary = &client.Canary{
			Hosts: client.Amount(c.Canary.Hosts), Expression: c.Canary.Expression, PromoteAfterSeconds: c.Canary.PromoteAfterSeconds,
		}
	}
	return view
}
