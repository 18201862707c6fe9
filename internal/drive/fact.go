package drive

import (
	"context"
	"log/slog"
	"sync"

	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/state"
)

// facts remembers answers of ECS that do not change, for the life of the process. It is safe for concurrent use.
type facts struct {
	mu    sync.Mutex
	known map[factKey]bool
}

type factKey struct {
	cluster state.ClusterKey
	of      string
}

// maxFacts bounds what is remembered: ECS allows 5,000 services a cluster.
const maxFacts = 10000

// remember asks once. What could not be asked is not known, is taken to be false, and asked again the next time.
func (f *facts) remember(key factKey, ask func() (bool, error), log *slog.Logger) (is, known bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if is, ok := f.known[key]; ok {
		return is, true
	}
	is, err := ask()
	if err != nil {
		log.Warn("a fact is not known", "cluster", key.cluster.String(), "of", key.of, "error", err)
		return false, false
	}
	if f.known == nil || len(f.known) >= maxFacts {
		f.known = map[factKey]bool{}
	}
	f.known[key] = is
	return is, true
}

// describing is the API of a cluster's region, with one describing call paid for.
func (d *Driver) describing(ctx context.Context, cluster state.ClusterKey) (ecsapi.API, error) {
	if err := d.spendDescribe(ctx, cluster, 1); err != nil {
		return nil, err
	}
	return d.ECS(cluster.Account, cluster.Region)
}
