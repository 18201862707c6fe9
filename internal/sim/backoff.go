package sim

import "time"

// placing is one deployment's trying on one machine.
type placing struct{ deployment, machine string }

// What a deployment may try on one host: with pauses that double from two seconds on it is nine attempts in ten minutes,
// where nothing but the daemon fails. The rest is what people and machines do to a host meanwhile.
const (
	mostAttempts   = 20
	attemptsWithin = 10 * time.Minute
)

// checkBackoff is the part of invariant 4 that a daemon which fails at once is not started again and again: each start
// is a call that others wait for, and an image that is pulled.
func (w *world) checkBackoff(started *task) {
	env := w.truth.environments[started.environment]
	if env == nil {
		return
	}
	key := placing{env.deployment, started.machine}
	attempts := w.truth.placed[key]
	for len(attempts) > 0 && w.now.Sub(attempts[0]) > attemptsWithin {
		attempts = attempts[1:]
	}
	attempts = append(attempts, w.now)
	w.truth.placed[key] = attempts
	if len(attempts) > mostAttempts {
		w.violate(4, "deployment %s has started %d tasks on host %s in %s", key.deployment, len(attempts), key.machine, attemptsWithin)
	}
}
