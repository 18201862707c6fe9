package reconcile

import (
	"context"
	"errors"
	"time"

	"github.com/blox/blox/internal/ecsapi"
	"github.com/blox/blox/internal/state"
)

// errFirstGone ends a pass that found the cluster gone when none had before it.
var errFirstGone = errors.New("ECS has the cluster no more, as no pass has found before")

// lookForCluster finds out whether ECS has the cluster. One wrong answer would bury
// all that is in it, and what is buried is what the scheduler starts anew. So that it
// is gone is believed only if a pass found the same at least agreeAfter ago, else the
// error is errFirstGone. Of a cluster that is not known nothing is stored that could be
// buried.
func (p *pass) lookForCluster(ctx context.Context) error {
	gone, err := ecsapi.GoneClusters(ctx, p.cfg.ECS, []state.ClusterKey{p.key})
	if err != nil || len(gone) == 0 {
		return err
	}
	p.gone = true
	known := p.before.Name != ""
	if known && (p.before.GoneAt == 0 || p.tried.Sub(time.UnixMilli(p.before.GoneAt)) < agreeAfter) {
		return errFirstGone
	}
	return nil
}

// seeGone notes what a pass found that ended with errFirstGone.
func (p *pass) seeGone(ctx context.Context) error {
	p.cfg.Logger.WarnContext(ctx, "ECS has a cluster no more, which the next pass must find as well", "cluster", p.key.String())
	return p.cfg.Store.SeeGone(ctx, p.key, p.tried)
}
