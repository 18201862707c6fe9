package sim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
)

// explain notes what the API says of every host, and of its plans, for whoever has to find out why a run did not come to
// rest.
func (w *world) explain() {
	for _, entry := range w.directory() {
		if env, err := w.environmentNow(entry.ID); err == nil {
			w.note("environment %s: %s", entry.Name, inJSON(env))
			if dep := w.deploymentOf(env); dep != nil {
				w.note("deployment: %s", inJSON(dep))
				w.note("revision: %s", inJSON(w.revisionOf(env, dep.Target())))
			}
		}
		for _, path := range []string{"/v1/environments/" + entry.Name + "/instances", "/v1/environments/" + entry.Name + "/plan"} {
			method := http.MethodGet
			if path[len(path)-len("plan"):] == "plan" {
				method = http.MethodPost
			}
			answer := httptest.NewRecorder()
			w.newAPI().api.ServeHTTP(answer, httptest.NewRequestWithContext(context.Background(), method, path, http.NoBody))
			w.note("%s: %s", path, answer.Body)
		}
	}
}

func inJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // what was read from a table
	}
	return string(text)
}
