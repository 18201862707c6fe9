package table

import "time"

const (
	// callUnits is one call in the units in which tokens are counted: whole numbers add up, fractions do not.
	callUnits = 1_000_000
	// keptPart is the part of a bucket, one in so many, that ReserveCalls leaves to TakeCalls: of what it holds and,
	// until that is full, of what comes in.
	keptPart = 5
	// debtBursts is how many bursts may be reserved ahead. Ten processes that take blocks of ten out of a bucket of fifty
	// all find a place in the queue then.
	debtBursts = 2
	// maxAheadMillis is how far ahead of this clock another one is believed to be. One that was a day ahead when it wrote
	// would otherwise stop the bucket from filling for a day.
	maxAheadMillis = 1000
	// maxFillMillis bounds what is counted of the time since the last write; it keeps the numbers small.
	maxFillMillis = 24 * 3600 * 1000
)

// tokens is what is left of a bucket. Shared is negative when calls were reserved that ECS has not granted yet; Kept is
// never.
type tokens struct{ shared, kept int64 }

// full has nothing kept where that would leave less than a call to the others.
func (b Bucket) full() tokens {
	burst := int64(b.Burst * callUnits)
	if burst < 2*callUnits {
		return tokens{shared: burst}
	}
	return tokens{shared: burst - burst/keptPart, kept: burst / keptPart}
}

// maxBlock is how many calls are reserved together at most. They may be made in one moment, and who reserves counts on
// four fifths of the rate: meanwhile ECS's own bucket fills by up to half a burst more, beside the fifth that is kept.
// What remains of it is three tenths; with more it would run over, and have less than is counted here.
func (b Bucket) maxBlock() int { return max(int(0.3*b.Burst), 1) }

// maxDebt is smaller for the smallest buckets, of which one call is a larger part; a fourth of it is that half a burst.
func (b Bucket) maxDebt() int64 {
	return min(int64(debtBursts*b.Burst*callUnits), max(0, 4*(b.full().shared-int64(b.maxBlock())*callUnits)))
}

// filled adds what came in. What is kept gets its part also while there is debt, so shared tokens are sure to grow by
// the rest only; what is full lets the other have everything.
func (b Bucket) filled(t tokens, elapsedMillis int64) tokens {
	full := b.full()
	gain := int64(b.PerSecond * callUnits / 1000 * float64(min(elapsedMillis, maxFillMillis)))
	room := max(0, full.kept-t.kept)
	kept := min(gain/keptPart, room)
	shared := gain - kept
	if over := t.shared + shared - full.shared; over > 0 {
		shared = max(0, shared-over)
		kept = min(kept+over, room)
	}
	return tokens{shared: min(full.shared, t.shared+shared), kept: min(full.kept, t.kept+kept)}
}

// ready is how many calls can be made now.
func (t tokens) ready() int { return int((max(0, t.shared) + t.kept) / callUnits) }

// less takes calls that are ready. What is kept goes last.
func (t tokens) less(n int) tokens {
	units := int64(n) * callUnits
	shared := min(units, max(0, t.shared))
	return tokens{shared: t.shared - shared, kept: t.kept - (units - shared)}
}

// untilReady is how long it takes until n calls are ready, if nobody takes any meanwhile.
func (b Bucket) untilReady(t tokens, n int) time.Duration {
	missing := int64(n)*callUnits - max(0, t.shared) - t.kept
	if missing <= 0 {
		return 0
	}
	inDebt := b.lasts(max(0, -t.shared), keptPart-1)
	if kept := b.lasts(missing, 1); kept <= inDebt {
		return kept
	}
	return inDebt + b.lasts(max(0, missing-b.keptGain(inDebt)), keptPart)
}

// untilPaid is how long it takes at most until shared tokens are no less than least.
func (b Bucket) untilPaid(t tokens, least int64) time.Duration {
	return b.lasts(max(0, least-t.shared), keptPart-1)
}

// lasts is how long units take to come in at so many parts of the rate, in whole milliseconds as the bucket counts them.
func (b Bucket) lasts(units, parts int64) time.Duration {
	perMilli := b.PerSecond * callUnits / 1000 * float64(parts) / keptPart
	wait := time.Duration(float64(units)/perMilli) * time.Millisecond
	if float64(wait.Milliseconds())*perMilli < float64(units) {
		wait += time.Millisecond
	}
	return wait
}

func (b Bucket) keptGain(d time.Duration) int64 {
	return int64(b.PerSecond * callUnits / 1000 * float64(d.Milliseconds()) / keptPart)
}
