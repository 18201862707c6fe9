package sim

import (
	"context"
	"hash/fnv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// shard is one shard of the STATE table's stream and Lambda's position in it: batches in order, one at a time, again
// until they succeed.
type shard struct {
	world   *world
	records []events.DynamoDBEventRecord
	busy    bool
	planned bool
}

const (
	shards      = 2
	streamBatch = 25
)

// changed hears of every change of the tables that have a stream.
func (w *world) changed(_ string, record events.DynamoDBEventRecord) {
	w.checkVersions(record)
	if w.f.watched() {
		w.reflect(record)
	}
	if pk := record.Change.Keys["pk"].String(); strings.HasPrefix(pk, clusterKey().String()+"/instance/") {
		w.countFleet(record.Change.Keys["sk"].String(), record.Change.NewImage)
	} else if strings.HasPrefix(pk, clusterKey().String()+"/task/") && len(record.Change.OldImage) == 0 {
		w.truth.known[record.Change.Keys["sk"].String()] = w.now
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(record.Change.Keys["pk"].String())) // a hash never fails to write
	s := w.shards[h.Sum32()%shards]
	s.records = append(s.records, record)
	s.look(time.Duration(5+w.pace.IntN(150)) * time.Millisecond)
}

func (s *shard) look(wait time.Duration) {
	if s.busy || s.planned || len(s.records) == 0 {
		return
	}
	s.planned = true
	s.world.after(wait, s.read)
}

func (s *shard) read() {
	s.planned = false
	w := s.world
	batch := s.records[:min(len(s.records), streamBatch)]
	s.busy = true
	if w.feeding.Float64() < w.f.twins {
		// A dispatcher that Lambda gave up, and that goes on all the same.
		w.met("stream batch at two dispatchers at once")
		w.after(time.Duration(w.feeding.IntN(300))*time.Millisecond, func() { w.dispatchOnce(batch) })
	}
	p := w.dispatchers.take()
	var err error
	w.start("dispatch", func(ctx context.Context) {
		_, err = p.dispatch(ctx, events.DynamoDBEvent{Records: batch})
	}, func(crashed bool) {
		s.busy = false
		if !crashed {
			w.dispatchers.giveBack(p)
		}
		switch {
		case crashed || err != nil:
			w.met("stream batch delivered again")
			s.look(time.Second)
		case w.chance.Float64() < w.p.streamDouble:
			w.met("stream batch delivered again")
			w.note("the position in the stream was lost after %d records", len(batch))
			s.look(time.Millisecond)
		default:
			s.records = s.records[len(batch):]
			s.look(time.Duration(5+w.pace.IntN(100)) * time.Millisecond)
		}
	})
}

// dispatchOnce gives a batch to a dispatcher, whatever becomes of it.
func (w *world) dispatchOnce(batch []events.DynamoDBEventRecord) {
	p := w.dispatchers.take()
	w.start("dispatch", func(ctx context.Context) {
		_, _ = p.dispatch(ctx, events.DynamoDBEvent{Records: batch}) // the other one is who matters
	}, func(crashed bool) {
		if !crashed {
			w.dispatchers.giveBack(p)
		}
	})
}
