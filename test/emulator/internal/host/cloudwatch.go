package host

import (
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/smithy-go/encoding/cbor"
)

// CloudWatch tells the states of alarms. The emulator has alarms, too, and does not speak the protocol that the SDK speaks
// with CloudWatch: RPC v2 with CBOR.
type CloudWatch struct {
	mu     sync.Mutex
	states map[string]string // by alarm
}

func newCloudWatch() *CloudWatch { return &CloudWatch{states: map[string]string{}} }

// SetAlarm makes an alarm, or gives it another state: OK, ALARM or INSUFFICIENT_DATA.
func (c *CloudWatch) SetAlarm(name, state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.states[name] = state
}

const maxQuestionBytes = 1 << 20

func (c *CloudWatch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const refused = "this stand-in for CloudWatch describes alarms, by RPC v2 with CBOR, and nothing else"
	if !strings.HasSuffix(r.URL.Path, "/operation/DescribeAlarms") || r.Header.Get("Smithy-Protocol") != "rpc-v2-cbor" {
		http.Error(w, refused, http.StatusNotImplemented)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxQuestionBytes))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	question, err := cbor.Decode(body)
	asked, ok := question.(cbor.Map)
	if err != nil || !ok {
		http.Error(w, refused, http.StatusBadRequest)
		return
	}
	names, _ := asked["AlarmNames"].(cbor.List)
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	_, _ = w.Write(cbor.Encode(cbor.Map{"MetricAlarms": c.described(names), "CompositeAlarms": cbor.List{}})) // a caller who has gone needs no answer
}

// described leaves out alarms that do not exist, as CloudWatch does.
func (c *CloudWatch) described(names cbor.List) cbor.List {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := cbor.List{}
	for _, name := range names {
		text, _ := name.(cbor.String)
		if state, exists := c.states[string(text)]; exists {
			found = append(found, cbor.Map{"AlarmName": text, "StateValue": cbor.String(state)})
		}
	}
	return found
}
