package doctor

import "fmt"

// Status of a result.
type Status string

// Statuses, from good to bad. Skipped says nothing about the installation.
const (
	OK      Status = "ok"
	Skipped Status = "skipped"
	Warn    Status = "warn" // it works, but somebody should look
	Fail    Status = "fail"
)

// Result is one thing that was looked at.
type Result struct {
	Check  string `json:"check"`
	Status Status `json:"status"`
	Seen   string `json:"seen"`
	// Do is what to do about it, and empty where there is nothing to do.
	Do string `json:"do,omitempty"`
}

// Report is the results in the order of the checks.
type Report struct {
	Results []Result `json:"results"`
}

// Failed counts the results that are failures.
func (r Report) Failed() (n int) {
	for _, result := range r.Results {
		if result.Status == Fail {
			n++
		}
	}
	return n
}

func ok(check, format string, args ...any) Result {
	return Result{Check: check, Status: OK, Seen: fmt.Sprintf(format, args...)}
}

func skipped(check, why string) Result { return Result{Check: check, Status: Skipped, Seen: why} }

func warn(check, seen, do string) Result {
	return Result{Check: check, Status: Warn, Seen: seen, Do: do}
}

func fail(check, seen, do string) Result {
	return Result{Check: check, Status: Fail, Seen: seen, Do: do}
}

// maxRows bounds the results of one check, so that one fault of everything does not hide the others.
const maxRows = 10

// bounded leaves out results beyond maxRows and says how many.
func bounded(results []Result) []Result {
	if len(results) <= maxRows {
		return results
	}
	last := results[maxRows-1]
	return append(results[:maxRows-1:maxRows-1], Result{
		Check: last.Check, Status: last.Status, Seen: fmt.Sprintf("%d more of the kind", len(results)-maxRows+1),
	})
}
