package httpapi

import (
	"context"
	"fmt"

	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/state"
)

// checkLeavesAll refuses a change by which every host that the daemon is on would lose it: what is mistyped in an expression
// takes the daemon from the whole fleet, at once and outside of any budget, for it belongs nowhere then. A group without
// hosts is fine for an environment that has none.
func (s *server) checkLeavesAll(ctx context.Context, env daemon.Environment, before, after daemon.Revision) error {
	if sameSelector(before.Selector, after.Selector) {
		return nil // other clusters are named in full, and exist
	}
	was, err := s.selected(ctx, clustersOf(env, before), before.Selector)
	if err != nil || was == 0 {
		return err
	}
	will, err := s.selected(ctx, after.Clusters, after.Selector)
	if err != nil || will > 0 {
		return err
	}
	return conflicted("No host matches the new instance group: the daemon would leave every host that environment %s has now (%d). "+
		"Correct expression or exclude, or give force=true to let it", env.Name, was)
}

// selected counts the ACTIVE hosts that are stored and that a selector chooses.
func (s *server) selected(ctx context.Context, clusters []state.ClusterKey, selector daemon.Selector) (n int, err error) {
	chosen, err := newMatchers(selector)
	if err != nil {
		return 0, err
	}
	for _, cluster := range clusters {
		hosts, err := s.State.Living(ctx, cluster, state.KindContainerInstance)
		if err != nil {
			return 0, fmt.Errorf("reading the hosts of cluster %s: %w", cluster.ARN(""), err)
		}
		for _, host := range hosts {
			if host.Instance.Status == daemon.StatusActive && chosen.match(host) {
				n++
			}
		}
	}
	return n, nil
}
