package reconcile

import (
	"context"
	"slices"
	"time"

	"github.com/blox/blox/internal/state"
	"github.com/blox/blox/internal/table"
)

// checkpointEvery is after how many batches it is stored how far a pass has come:
// at ten calls a second, a crash loses two seconds of work. A cluster of fewer
// batches begins anew after a failure, which costs as much as going on.
const checkpointEvery = 20

// minResumeFor is for how long a pass may at least be resumed. Its message is
// delivered five times, six minutes apart: all these tries are of one pass, however
// short the periods are.
const minResumeFor = 30 * time.Minute

// progress is how far a pass has come. Batches are in the order of their ids, and
// workers finish them out of order: what counts are those without a gap.
type progress struct {
	// resumed is where the try before this one stopped; zero if there was none.
	resumed table.Checkpoint

	kind     state.Kind
	after    string         // the id up to which everything is compared
	ahead    bool           // the try before this one was at a later kind already
	finished map[int]string // by batch that follows a gap: its last id
	next     int            // the first batch that is not finished
	compared int            // batches without a gap, of all kinds
	unsaved  int            // of them, those since the last checkpoint
}

// done says whether a try before this one compared a thing.
func (g *progress) done(kind state.Kind, id string) bool {
	if g.resumed.BeganAt == 0 {
		return false
	}
	at, this := slices.Index(kinds, g.resumed.Kind), slices.Index(kinds, kind)
	return this < at || this == at && id <= g.resumed.After
}

// begin turns to a kind.
func (g *progress) begin(kind state.Kind) {
	g.finished, g.next = map[int]string{}, 0
	if g.resumed.BeganAt > 0 && slices.Index(kinds, kind) <= slices.Index(kinds, g.resumed.Kind) {
		g.kind, g.after = g.resumed.Kind, g.resumed.After
	} else {
		g.kind, g.after = kind, ""
	}
	g.ahead = g.kind != kind
}

// finish notes that a batch is compared whose last id is given.
func (g *progress) finish(n int, last string) {
	g.finished[n] = last
	for {
		id, ok := g.finished[g.next]
		if !ok {
			return
		}
		delete(g.finished, g.next)
		// What came since the try before this one may have a lower id than what that one compared, or be of a kind
		// that it was through with.
		if !g.ahead {
			g.after = max(g.after, id)
		}
		g.next++
		g.compared++
		g.unsaved++
	}
}

// reached notes that a batch is compared, and stores how far the pass has come if
// that is due.
func (p *pass) reached(ctx context.Context, n int, last string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress.finish(n, last)
	if p.progress.unsaved < checkpointEvery {
		return nil
	}
	return p.save(ctx)
}

// save stores how far the pass has come. The lock is held: a checkpoint must not
// overtake a later one.
func (p *pass) save(ctx context.Context) error {
	p.progress.unsaved = 0
	return p.cfg.Store.PutCheckpoint(ctx, table.Checkpoint{
		Key: p.key, BeganAt: p.began.UnixMilli(), Kind: p.progress.kind, After: p.progress.after,
		Drift:      sum(p.progress.resumed.Drift, p.report.drift()),
		Unstorable: p.progress.resumed.Unstorable + p.report.Unstorable,
	})
}

// saveLimit is what a pass whose time is up may take to say how far it came.
const saveLimit = 5 * time.Second

// saveBrokenOff stores how far a pass came that failed or ran out of time. One that
// ran out of time would run out of it again if it began anew, few as its batches may
// be: ECS or the budget is slow.
func (p *pass) saveBrokenOff(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	worth := p.progress.compared >= checkpointEvery || p.progress.resumed.BeganAt > 0 || ctx.Err() != nil
	if p.progress.unsaved == 0 || !worth {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveLimit)
	defer cancel()
	if err := p.save(ctx); err != nil {
		p.cfg.Logger.WarnContext(ctx, "cannot store how far a reconcile has come", "cluster", p.key.String(), "error", err)
	}
}
