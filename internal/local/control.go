package local

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/blox/blox/internal/ecssim"
)

// controlPaths begin the paths, at the simulator's address, by which people make happen what AWS has no call for: alarms
// that go off, images that are broken.
const controlPaths = "/local/"

// maxControlBytes bounds a request's body.
const maxControlBytes = 64 << 10

var alarmStates = []string{"OK", "ALARM", "INSUFFICIENT_DATA"}

// control answers requests below controlPaths. Like the simulator beside it, it takes anybody's.
func (s *System) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /local/alarms/{name}", controlled(func(r *http.Request) error {
		var body struct{ State string }
		if err := decodeControl(r, &body); err != nil {
			return err
		}
		if !slices.Contains(alarmStates, body.State) {
			return fmt.Errorf("state %q: allowed are %s", body.State, strings.Join(alarmStates, ", "))
		}
		s.alarms.Set(r.PathValue("name"), body.State)
		return nil
	}))
	mux.HandleFunc("DELETE /local/alarms/{name}", controlled(func(r *http.Request) error {
		s.alarms.Set(r.PathValue("name"), "")
		return nil
	}))
	mux.HandleFunc("PUT /local/images", controlled(func(r *http.Request) error {
		var fault imageFault
		if err := decodeControl(r, &fault); err != nil {
			return err
		}
		if fault.Image == "" {
			return fmt.Errorf("image is missing: want the exact text of a task definition, such as example.com/%s:2", demoDaemon)
		}
		s.sim.Do(func(sim *ecssim.Simulator, _ time.Time) { sim.Faults().SetImage(fault.Image, fault.fault()) })
		return nil
	}))
	return mux
}

// imageFault is what containers of an image do wrong; all zero makes it sound.
type imageFault struct {
	Image             string `json:"image"`
	FailPull          bool   `json:"failPull"`
	CrashAfterSeconds int    `json:"crashAfterSeconds"`
	ExitCode          int    `json:"exitCode"`
	Unhealthy         bool   `json:"unhealthy"`
	IgnoreStop        bool   `json:"ignoreStop"`
}

func (f imageFault) fault() ecssim.ImageFault {
	return ecssim.ImageFault{
		FailPull: f.FailPull, CrashAfter: time.Duration(f.CrashAfterSeconds) * time.Second, ExitCode: f.ExitCode,
		Unhealthy: f.Unhealthy, IgnoreStop: f.IgnoreStop,
	}
}

// decodeControl reads a JSON body, and refuses fields that are misspelled.
func decodeControl(r *http.Request, into any) error {
	decoder := json.NewDecoder(io.LimitReader(r.Body, maxControlBytes))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("the body is no JSON as expected: %w", err)
	}
	return nil
}

// controlled answers 204, or 400 with what was wrong.
func controlled(do func(*http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := do(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}
