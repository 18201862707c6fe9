package metrics

import (
	"io"
	"sync"
	"time"

	"github.com/prozz/aws-embedded-metrics-golang/emf"
)

// EMF writes the embedded metric format.
type EMF struct {
	out          io.Writer
	installation string
	now          func() time.Time
	mu           sync.Mutex
}

var _ Sink = (*EMF)(nil)

// NewEMF makes a Sink that writes a line for each Put to out, which is standard output in Lambda.
func NewEMF(out io.Writer, installation string, now func() time.Time) *EMF {
	return &EMF{out: out, installation: installation, now: now}
}

// Put writes a line. Without values it writes none.
func (e *EMF) Put(values []Value, properties ...Property) {
	// Without the library's own dimensions, which are the function's: each would be paid for.
	line := emf.New(emf.WithWriter(e.out), emf.WithTimestamp(e.now()), emf.WithoutDimensions()).Namespace(Namespace)
	dimensions := []emf.Dimension{emf.NewDimension(DimensionInstallation, e.installation)}
	for _, p := range properties {
		if p.Key == DimensionCluster {
			dimensions = append(dimensions, emf.NewDimension(p.Key, p.Value))
		} else {
			line.Property(p.Key, p.Value)
		}
	}
	line.DimensionSet(dimensions...)
	for _, v := range values {
		unit := emf.Count
		if v.Name == EventLagMillis {
			unit = emf.Milliseconds
		}
		line.MetricAs(string(v.Name), int(v.Value), unit)
	}
	// Two lines at once must not be mixed.
	e.mu.Lock()
	defer e.mu.Unlock()
	line.Log()
}
