package drive

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/state"
)

// facts remembers answers of ECS that do not change, for the life of the process. It is safe for concurrent use.
type facts struct {
	mu    sync.Mutex
	known map[factKey]bool
	// failed is when ECS did not answer, or no call was left to ask it.
	failed map[factKey]time.Time
}

type factKey struct {
	cluster state.ClusterKey
	of      string
}

// maxFacts bounds what is remembered: ECS allows 5,000 services a cluster.
const maxFacts = 10000

// factRetry is how long after a failure ECS is asked again: every host of a provider would ask anew otherwise, and take the
// calls that stops are waiting for.
const factRetry = time.Minute

// remember asks once. What could not be asked is not known, is taken to be false, and asked again after factRetry.
func (f *facts) remember(key factKey, now time.Time, ask func() (bool, error), log *slog.Logger) (is, known bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if is, ok := f.known[key]; ok {
		return is, true
	}
	if at, failed := f.failed[key]; failed && now.Sub(at) < factRetry {
		return false, false
	}
	is, err := ask()
	if err != nil {
		if f.failed == nil || len(f.failed) >= maxFacts {
			f.failed = map[factKey]time.Time{}
		}
		f.failed[key] = now
		log.Warn("a fact is not known", "cluster", key.cluster.String(), "of", key.of, "error", err)
		return false, false
	}
	if f.known == nil || len(f.known) >= maxFacts {
		f.known = map[factKey]bool{}
	}
	f.known[key] = is
	delete(f.failed, key)
	return is, true
}

// describing is the API of a cluster's region, with one describing call paid for.
func (d *Driver) describing(ctx context.Context, cluster state.ClusterKey) (ecsapi.API, error) {
	if err := d.spendDescribe(ctx, cluster, 1); err != nil {
		return nil, err
	}
	return d.ECS(cluster.Account, cluster.Region)
}
