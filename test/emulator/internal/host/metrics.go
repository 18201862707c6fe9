package host

import (
	"encoding/json"
	"sync"
)

// Metrics collects the metrics that functions write into their logs, as CloudWatch does with the embedded metric format.
type Metrics struct {
	mu     sync.Mutex
	values map[string][]float64 // by name
}

func newMetrics() *Metrics { return &Metrics{values: map[string][]float64{}} }

// Values are all values of a metric so far.
func (m *Metrics) Values(name string) []float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]float64(nil), m.values[name]...)
}

// line looks at a log line.
func (m *Metrics) line(text string) {
	var head struct {
		AWS struct {
			CloudWatchMetrics []struct {
				Namespace string
				Metrics   []struct{ Name string }
			}
		} `json:"_aws"`
	}
	var all map[string]any
	if json.Unmarshal([]byte(text), &head) != nil || json.Unmarshal([]byte(text), &all) != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, directive := range head.AWS.CloudWatchMetrics {
		for _, metric := range directive.Metrics {
			if directive.Namespace != "Blox" {
				continue
			}
			switch v := all[metric.Name].(type) {
			case float64:
				m.values[metric.Name] = append(m.values[metric.Name], v)
			case []any:
				for _, one := range v {
					if number, ok := one.(float64); ok {
						m.values[metric.Name] = append(m.values[metric.Name], number)
					}
				}
			}
		}
	}
}
