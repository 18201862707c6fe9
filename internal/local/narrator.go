package local

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/blox/blox/client"
	"github.com/blox/blox/internal/table"
)

const (
	// tellPeriod is how often lines are printed at most: what happens in between becomes one line.
	tellPeriod = 400 * time.Millisecond
	// askPeriod is how often the API is asked while a deployment is under way.
	askPeriod = 500 * time.Millisecond
	// lookAfter is how long after the last change the API is still asked, for what follows without one.
	lookAfter = 5 * time.Second
	// settledAfter is how long nothing may change before numbers are told.
	settledAfter = 800 * time.Millisecond
)

// narrator prints what happens, a line each, and no flood.
type narrator struct {
	out          io.Writer
	environments func(context.Context) ([]client.Environment, error)
	now          func() time.Time
	log          *slog.Logger
	bell         bell

	mu      sync.Mutex
	pending []table.RecordChange
	changed time.Time
}

// maxUntold bounds what waits to be told; the narration of a flood may have holes.
const maxUntold = 1 << 16

// record is a change record of the STATE table's stream.
func (n *narrator) record(record events.DynamoDBEventRecord) {
	change, ok, err := table.DecodeChange(record)
	if err != nil || !ok {
		return // dispatch reports it
	}
	n.mu.Lock()
	if len(n.pending) < maxUntold {
		n.pending = append(n.pending, change)
	}
	n.mu.Unlock()
	n.stir()
}

// stir makes the narrator look: something has changed, or may soon.
func (n *narrator) stir() {
	n.mu.Lock()
	n.changed = n.now()
	n.mu.Unlock()
	n.bell.ring()
}

func (n *narrator) take() (pending []table.RecordChange, changed time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	pending, n.pending = n.pending, nil
	return pending, n.changed
}

// run prints until ctx ends. When nothing happens any more, it sleeps until the bell rings.
func (n *narrator) run(ctx context.Context) {
	t := newTale()
	var asked time.Time
	for ctx.Err() == nil {
		pending, changed := n.take()
		for _, c := range pending {
			t.change(c)
		}
		now := n.now()
		if now.Sub(asked) >= askPeriod && (t.unfinished() || now.Sub(changed) < lookAfter) {
			asked = now
			if environments, err := n.environments(ctx); err == nil {
				t.know(environments)
			} else if ctx.Err() == nil {
				n.log.Warn("the narrator could not read the environments", "error", err)
			}
		}
		for _, line := range t.lines(now.Sub(changed) >= settledAfter) {
			n.say(line)
		}
		if t.unfinished() || now.Sub(changed) < lookAfter {
			pause(ctx, tellPeriod)
		} else {
			n.bell.wait(ctx, now, time.Time{}, false)
			pause(ctx, tellPeriod) // one change seldom comes alone
		}
	}
}

func (n *narrator) say(line string) {
	fmt.Fprintf(n.out, "%s  %s\n", n.now().Format("15:04:05"), line)
}
