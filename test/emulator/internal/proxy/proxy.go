// Package proxy is the only AWS endpoint that the functions know. It records what each function asks of AWS, in IAM's
// words, and passes the calls on: those to Amazon ECS and to CloudWatch to stand-ins, all others to the emulated account.
//
// Recording here and not in the functions means that the deployed bytes run as they are. Every function has an access
// key of its own, by which its calls are known.
package proxy

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/blox/blox/test/emulator/internal/policy"
)

// maxBodyBytes bounds a request: a batch of SQS has at most 1 MiB, DynamoDB's are smaller than 16 MB.
const maxBodyBytes = 17 << 20

// Place is the account whose resources the calls are about, and the stack in it.
type Place struct {
	Partition, Account, Region string
	StackName, StackID         string
}

// Caller is who uses an access key: a function's own code, or Lambda on its behalf, which polls queues and streams with
// the function's role. People have no function: theirs is policy.People.
type Caller struct {
	Function string
	Poller   bool
}

// Call is one recorded call.
type Call struct {
	Caller
	Service  string // as in the signature's scope
	Action   string
	Requests []policy.Request // what IAM would be asked
	Status   int              // of the answer; 0 if there was none
}

// Proxy is an http.Handler.
type Proxy struct {
	place    Place
	emulator *httputil.ReverseProxy
	standIns map[string]http.Handler // by service

	mu       sync.Mutex
	callers  map[string]Caller // by access key id
	calls    []Call
	problems []error
}

// New makes a proxy in front of the emulator; ecs answers Amazon ECS, and cloudWatch CloudWatch. emulatorKey is the access
// key that the emulator is called with: some take the account from it.
func New(place Place, emulator *url.URL, emulatorKey string, ecs, cloudWatch http.Handler) *Proxy {
	return &Proxy{
		place: place, standIns: map[string]http.Handler{"ecs": ecs, "monitoring": cloudWatch}, callers: map[string]Caller{},
		emulator: &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(emulator)
				authorization := scope.ReplaceAllString(r.In.Header.Get("Authorization"), "Credential="+emulatorKey+"/${2}/${3}/${4}/aws4_request")
				r.Out.Header.Set("Authorization", authorization)
				r.Out.Header.Del("X-Amz-Security-Token")
			},
			// A function that was killed leaves its calls behind: no news.
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
				http.Error(w, "the emulator did not answer: "+err.Error(), http.StatusBadGateway)
			},
		},
	}
}

// Know tells whose access key it is.
func (p *Proxy) Know(accessKeyID string, caller Caller) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.callers[accessKeyID] = caller
}

// Calls are all calls so far. The error tells of calls that could not be read or attributed: those would be missing
// from any judgement about permissions.
func (p *Proxy) Calls() ([]Call, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.problems) > 0 {
		return nil, fmt.Errorf("%d calls could not be recorded, the first: %w", len(p.problems), p.problems[0])
	}
	return slices.Clone(p.calls), nil
}

// Counts are the calls that the functions' own code made.
func Counts(calls []Call) (functions []string, counts map[string]int) {
	counts = map[string]int{}
	for _, c := range calls {
		if !c.Poller {
			counts[c.Function]++
		}
	}
	return slices.Sorted(maps.Keys(counts)), counts
}

// scope is the credential of a signature: access key, date, region, service.
var scope = regexp.MustCompile(`Credential=([^/\s,]+)/([0-9]{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request`)

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if err != nil {
		http.Error(w, "reading the request: "+err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	call, err := p.read(r, body)
	if err != nil {
		p.mu.Lock()
		p.problems = append(p.problems, fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, err))
		p.mu.Unlock()
		http.Error(w, "this call cannot be recorded: "+err.Error(), http.StatusNotImplemented)
		return
	}
	status := &statusWriter{ResponseWriter: w}
	defer func() { // even if the answer is cut off, which net/http does with a panic
		call.Status = status.status
		p.mu.Lock()
		p.calls = append(p.calls, call)
		p.mu.Unlock()
	}()
	if standIn, ok := p.standIns[call.Service]; ok {
		standIn.ServeHTTP(status, r)
		return
	}
	p.emulator.ServeHTTP(status, r)
}

func (p *Proxy) read(r *http.Request, body []byte) (Call, error) {
	signed := scope.FindStringSubmatch(r.Header.Get("Authorization"))
	if signed == nil {
		return Call{}, fmt.Errorf("the call is not signed")
	}
	key, service := signed[1], signed[4]
	p.mu.Lock()
	caller, known := p.callers[key]
	p.mu.Unlock()
	if !known {
		return Call{}, fmt.Errorf("the access key %s is no function's", key)
	}
	call := Call{Caller: caller, Service: service}
	var err error
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		_, call.Action, _ = strings.Cut(target, ".")
		if strings.HasPrefix(target, "DynamoDBStreams_") {
			call.Requests, err = streams(call.Action, body, r.Header.Get(StreamHeader))
		} else {
			call.Requests, err = p.place.json(service, call.Action, body)
		}
		return call, err
	}
	if operation, ok := rpcOperation(r.URL.Path); ok {
		call.Action = operation
		call.Requests, err = rpc(service, operation)
		return call, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("Action") == "" {
		return call, fmt.Errorf("neither the JSON nor the Query protocol of %s", service)
	}
	call.Action = form.Get("Action")
	call.Requests, err = p.place.query(service, call.Action, form)
	return call, err
}

// rpcOperation is what a path of Smithy's RPC v2 ends with, /service/NAME/operation/OPERATION.
func rpcOperation(path string) (operation string, ok bool) {
	if !strings.HasPrefix(path, "/service/") {
		return "", false
	}
	_, operation, ok = strings.Cut(path, "/operation/")
	return operation, ok
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the writer below.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
