package httpapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/dynamo/memory"
	"github.com/blox/blox/internal/event/eventtest"
)

// BenchmarkQuery is what queries cost through the whole handler: read units of DynamoDB, and our time without DynamoDB's.
// A hundred tasks match each list, among ever more that do not.
func BenchmarkQuery(b *testing.B) {
	const matching = 100
	for _, stored := range []int{1_000, 10_000} {
		a := newAPI(b)
		a.feed.position = ""
		for n := range stored {
			options := []eventtest.Option{eventtest.ID(id(n)), eventtest.LastStatus("STOPPED"), eventtest.StartedBy("batch"), eventtest.Group("family:batch")}
			if n < matching {
				options = []eventtest.Option{
					eventtest.ID(id(n)), eventtest.StartedBy("dev"), eventtest.Group("service:web"), eventtest.OnContainerInstance(id(77)),
				}
			}
			a.task(options...)
		}
		db := a.db.(*memory.DB)
		for _, query := range []struct{ name, path string }{
			{"get", "/v1/tasks/edge/" + id(5)},
			{"status", "/v1/tasks?cluster=edge&limit=100&status=running"},
			{"startedBy", "/v1/tasks?cluster=edge&limit=100&startedBy=dev"},
			{"service", "/v1/tasks?cluster=edge&limit=100&service=web&status=running"},
			{"containerInstance", "/v1/tasks?cluster=edge&limit=100&desiredStatus=running&containerInstance=" + id(77)},
			{"sorted", "/v1/tasks?cluster=edge&limit=100&sort=-createdAt&status=running"},
			{"fields", "/v1/tasks?cluster=edge&limit=100&status=running&fields=lastStatus,startedAt"},
		} {
			b.Run(fmt.Sprintf("%s/stored=%d", query.name, stored), func(b *testing.B) {
				a.get(query.path) // the first request of a copy also learns which clusters there are
				db.ResetConsumed()
				for b.Loop() {
					recorder := httptest.NewRecorder()
					a.handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, query.path, nil))
					require.Equal(b, http.StatusOK, recorder.Code)
				}
				var units float64
				for _, capacity := range db.Consumed().ByIndex {
					units += capacity.Read
				}
				b.ReportMetric(units/float64(b.N), "RCU/op")
			})
		}
	}
}
