package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"

	"github.com/blox/blox/internal/ecssim"
)

const ecsTarget = "AmazonEC2ContainerServiceV20141113."

// network is the way from the SDK's client to ECS.
type network struct {
	world     *world
	place     *place
	transport ecssim.Transport
}

// unsigned leaves out signatures: the simulator reads none, and they would take half of the run's time.
type unsigned struct{}

func (unsigned) SignHTTP(context.Context, aws.Credentials, *http.Request, string, string, string, time.Time, ...func(*v4.SignerOptions)) error {
	return nil
}

func (w *world) newECS(p *place) *ecs.Client {
	n := &network{world: w, place: p, transport: ecssim.Transport{Sim: p.ecs, Now: w.clock}}
	return ecs.New(ecs.Options{
		Region: p.region, BaseEndpoint: aws.String("http://ecs.simulated"), Retryer: aws.NopRetryer{}, HTTPClient: n,
		Credentials: credentials.NewStaticCredentialsProvider("simulated", "simulated", ""), HTTPSignerV4: unsigned{},
	})
}

// request is what the checks read of a call.
type request struct {
	Cluster     string   `json:"cluster"`
	Group       string   `json:"group"`
	StartedBy   string   `json:"startedBy"`
	ClientToken string   `json:"clientToken"`
	Task        string   `json:"task"`
	Reason      string   `json:"reason"`
	Tasks       []string `json:"tasks"`
	Instances   []string `json:"containerInstances"`
	Placement   []struct {
		Type       string `json:"type"`
		Expression string `json:"expression"`
	} `json:"placementConstraints"`
	Attributes []struct {
		Name     string `json:"name"`
		Value    string `json:"value"`
		TargetID string `json:"targetId"`
	} `json:"attributes"`
}

// distinct says that ECS itself was to refuse a second task of the group on the host.
func (in request) distinct() bool {
	for _, p := range in.Placement {
		if p.Type == "distinctInstance" {
			return true
		}
	}
	return false
}

// Do implements the SDK's HTTPClient.
func (n *network) Do(req *http.Request) (*http.Response, error) {
	w := n.world
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the request: %w", err)
	}
	action := strings.TrimPrefix(req.Header.Get("X-Amz-Target"), ecsTarget)
	var in request
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("reading the request: %w", err)
	}
	e := effect{service: "ecs", name: action, target: in.target(), writes: changing[action], tender: changing[action]}
	response, err := perform(w, e, func() (*http.Response, error) {
		return n.call(action, in, req, body)
	}, errServer, errLost)
	if errors.Is(err, errServer) {
		return throttledAnswer(req), nil
	}
	return response, err
}

// changing are the actions around which the order of claim, lease and call matters.
var changing = map[string]bool{"RunTask": true, "StopTask": true, "PutAttributes": true, "DeleteAttributes": true}

func (in request) target() string {
	switch {
	case in.ClientToken != "":
		host := ""
		for _, p := range in.Placement {
			host += p.Expression
		}
		return in.StartedBy + " " + host + " token " + in.ClientToken[:min(8, len(in.ClientToken))]
	case in.Task != "":
		return in.Task[strings.LastIndexByte(in.Task, '/')+1:] + " " + in.Reason
	case len(in.Attributes) > 0:
		a := in.Attributes[0]
		return a.Name + " " + a.Value + " " + a.TargetID[strings.LastIndexByte(a.TargetID, '/')+1:]
	}
	return ""
}

// call reaches ECS, and lets the checks see it with what it caused.
func (n *network) call(action string, in request, req *http.Request, body []byte) (*http.Response, error) {
	w := n.world
	w.hear() //nolint:contextcheck // ECS tells the bus, whoever calls it
	if w.now.Before(n.place.awayUntil) {
		w.met("ECS of the member is away")
		return answerOf(req, http.StatusInternalServerError, `{"__type":"ServerException","message":"Service Unavailable"}`), nil
	}
	if answer, blind := w.blindTo(action, in); blind {
		return answerOf(req, http.StatusOK, answer), nil
	}
	w.calling(action, in)
	sent := req.Clone(req.Context())
	sent.Body = io.NopCloser(bytes.NewReader(body))
	response, err := n.transport.RoundTrip(sent)
	if err != nil {
		return nil, err
	}
	w.cause = &in
	w.hear() //nolint:contextcheck // ECS tells the bus, whoever calls it
	w.cause = nil
	w.called(action, response)
	return response, nil
}

var errServer = &smithy.GenericAPIError{Code: "ThrottlingException", Message: "Rate exceeded"}

func throttledAnswer(req *http.Request) *http.Response {
	return answerOf(req, http.StatusBadRequest, `{"__type":"ThrottlingException","message":"Rate exceeded"}`)
}

// operator makes a call of ECS as people do, past all faults. An answer that is no success is for the caller to judge.
func (w *world) operator(action string, in any) (map[string]any, bool) {
	return w.operatorAt(w.places[0], action, in)
}

func (w *world) operatorAt(p *place, action string, in any) (map[string]any, bool) {
	body, err := json.Marshal(in)
	if err != nil {
		panic(err) // maps of strings
	}
	status, answer := p.ecs.Handle(w.now, ecsTarget+action, body)
	w.hear()
	var out map[string]any
	if err := json.Unmarshal(answer, &out); err != nil {
		panic(fmt.Sprintf("sim: %s answered %q", action, answer))
	}
	return out, status == http.StatusOK
}

func peek(response *http.Response) []byte {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		panic(err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return body
}
