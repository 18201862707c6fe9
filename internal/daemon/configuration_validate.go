package daemon

import (
	"errors"
	"fmt"

	"github.com/blox/blox/internal/clusterquery"
)

// Validate says everything that is wrong with the configuration, and what is allowed.
func (c DeploymentConfiguration) Validate() error {
	var errs []error
	between := func(name string, value, low, high int) {
		if value < low || value > high {
			errs = append(errs, fmt.Errorf("%s %d: want %d to %d", name, value, low, high))
		}
	}
	between("minimumHealthyPercent", c.MinimumHealthyPercent, 0, 100)
	between("minHealthySeconds", c.MinHealthySeconds, 0, maxMinHealthySeconds)
	between("hostDeadlineSeconds", c.HostDeadlineSeconds, 0, maxDeadlineSeconds)
	between("progressDeadlineSeconds", c.ProgressDeadlineSeconds, 0, maxDeadlineSeconds)
	between("bakeSeconds", c.BakeSeconds, 0, maxDeadlineSeconds)
	if c.HostDeadlineSeconds != 0 && c.HostDeadlineSeconds <= c.MinHealthySeconds {
		errs = append(errs, fmt.Errorf("hostDeadlineSeconds %d: want more than minHealthySeconds (%d), or no host could be in time",
			c.HostDeadlineSeconds, c.MinHealthySeconds))
	}
	errs = append(errs, c.checkMethod(), c.Canary.check(), c.CircuitBreaker.check(), checkAlarms(c.Alarms))
	return errors.Join(errs...)
}

// checkMethod says what is wrong with the method and the amounts that go with it: a configuration that would let nothing
// move is refused, and not found out by a rollout that stands still.
func (c DeploymentConfiguration) checkMethod() error {
	errs := []error{c.MaxUnavailable.check("maxUnavailable"), c.MaxSurge.check("maxSurge")}
	switch c.Method {
	case ReplaceThenTerminate:
		if c.MaxSurge != "" && c.MaxSurge.none() {
			errs = append(errs, fmt.Errorf("maxSurge %s with method %s: want at least 1, or nothing could be replaced", c.MaxSurge, c.Method))
		}
	case "", TerminateThenReplace, OnDelete:
		if c.MaxSurge != "" {
			errs = append(errs, fmt.Errorf("maxSurge %s: allowed with method %s only", c.MaxSurge, ReplaceThenTerminate))
		}
		if c.Method != OnDelete && c.MaxUnavailable != "" && c.MaxUnavailable.none() {
			errs = append(errs, fmt.Errorf("maxUnavailable %s: want at least 1, or nothing could be replaced; "+
				"method %s replaces without a gap", c.MaxUnavailable, ReplaceThenTerminate))
		}
	default:
		errs = append(errs, fmt.Errorf("method %q: want %s, %s or %s", c.Method, TerminateThenReplace, ReplaceThenTerminate, OnDelete))
	}
	return errors.Join(errs...)
}

// check says what is wrong with the canary; nil is none.
func (c *Canary) check() error {
	if c == nil {
		return nil
	}
	var errs []error
	switch {
	case (c.Hosts == "") == (c.Expression == ""):
		errs = append(errs, errors.New("canary: want either hosts or expression"))
	case c.Expression != "":
		if _, err := clusterquery.Parse(c.Expression); err != nil {
			errs = append(errs, fmt.Errorf("canary.expression: %w", err))
		}
	default:
		errs = append(errs, c.Hosts.check("canary.hosts"))
		if c.Hosts.none() {
			errs = append(errs, fmt.Errorf("canary.hosts %s: want at least 1", c.Hosts))
		}
	}
	if c.PromoteAfterSeconds < 0 || c.PromoteAfterSeconds > maxDeadlineSeconds {
		errs = append(errs, fmt.Errorf("canary.promoteAfterSeconds %d: want 0 to %d", c.PromoteAfterSeconds, maxDeadlineSeconds))
	}
	return errors.Join(errs...)
}

func (b CircuitBreaker) check() error {
	if err := b.Threshold.check("circuitBreaker.threshold"); err != nil {
		return err
	}
	if value, percent := b.Threshold.parts(); b.Threshold != "" && (value < 1 || !percent && value > MaxBreakerHosts) {
		return fmt.Errorf("circuitBreaker.threshold %s: want 1 to %d hosts, or 1%% to 100%%", b.Threshold, MaxBreakerHosts)
	}
	return nil
}

// checkAlarms says what is wrong with the names of alarms. CloudWatch allows 255 characters.
func checkAlarms(names []string) error {
	var errs []error
	if len(names) > maxAlarms {
		errs = append(errs, fmt.Errorf("alarms: %d are too many, want at most %d", len(names), maxAlarms))
	}
	seen := map[string]bool{}
	for i, name := range names {
		switch {
		case name == "" || len(name) > 255:
			errs = append(errs, fmt.Errorf("alarms[%d] %q: want a name of 1 to 255 characters", i, name))
		case seen[name]:
			errs = append(errs, fmt.Errorf("alarms[%d] %q: is there twice", i, name))
		}
		seen[name] = true
	}
	return errors.Join(errs...)
}

// check says what is wrong with an amount that is set.
func (a Amount) check(name string) error {
	if a == "" {
		return nil
	}
	if _, err := ParseAmount(string(a)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// none says that the amount is no host, of however many.
func (a Amount) none() bool {
	value, _ := a.parts()
	_, err := ParseAmount(string(a))
	return err == nil && value == 0
}
