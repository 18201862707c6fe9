package host

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/blox/blox/internal/ecssim"
	"github.com/blox/blox/test/emulator/internal/stack"
)

// ECSFront stands before the simulator and adds what it lacks: that a host may have come from a capacity provider.
type ECSFront struct {
	next     http.Handler
	template *stack.Template

	mu        sync.Mutex
	providers map[string]string // by container instance ARN
}

func newECSFront(next *ecssim.Server, t *stack.Template) *ECSFront {
	return &ECSFront{next: next, template: t, providers: map[string]string{}}
}

// Provide says which capacity provider a container instance came from. It shows in what is said of it from then on.
func (f *ECSFront) Provide(containerInstanceARN, provider string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.providers[containerInstanceARN] = provider
}

func (f *ECSFront) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch action {
	case "DescribeCapacityProviders":
		f.describeCapacityProviders(w, r)
	case "DescribeContainerInstances":
		recorder := httptest.NewRecorder()
		f.next.ServeHTTP(recorder, r)
		for name, values := range recorder.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(f.described(recorder.Body.Bytes())) // a caller who has gone needs no answer
	default:
		f.next.ServeHTTP(w, r)
	}
}

// described adds the capacity providers to a list of container instances.
func (f *ECSFront) described(body []byte) []byte {
	var out map[string]any
	if json.NewDecoder(bytes.NewReader(body)).Decode(&out) != nil {
		return body
	}
	instances, _ := out["containerInstances"].([]any)
	for _, i := range instances {
		if instance, ok := i.(map[string]any); ok {
			f.add(instance)
		}
	}
	changed, err := json.Marshal(out)
	if err != nil {
		return body
	}
	return changed
}

func (f *ECSFront) add(instance map[string]any) {
	arn, _ := instance["containerInstanceArn"].(string)
	f.mu.Lock()
	defer f.mu.Unlock()
	if provider := f.providers[arn]; provider != "" && instance["ec2InstanceId"] != nil {
		instance["capacityProviderName"] = provider
	}
}

// event adds them to an event about a container instance.
func (f *ECSFront) event(envelope []byte) []byte {
	var e map[string]any
	if json.Unmarshal(envelope, &e) != nil {
		return envelope
	}
	detail, _ := e["detail"].(map[string]any)
	if e["detail-type"] != "ECS Container Instance State Change" {
		return envelope
	}
	f.add(detail)
	changed, err := json.Marshal(e)
	if err != nil {
		return envelope
	}
	return changed
}

// describeCapacityProviders answers that they are of Auto Scaling groups, the ordinary kind.
func (f *ECSFront) describeCapacityProviders(w http.ResponseWriter, r *http.Request) {
	var in struct {
		CapacityProviders []string `json:"capacityProviders"`
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, ecssim.MaxBodyBytes))
	if err != nil || json.Unmarshal(body, &in) != nil {
		http.Error(w, `{"__type":"InvalidParameterException"}`, http.StatusBadRequest)
		return
	}
	providers := []any{}
	for _, name := range in.CapacityProviders {
		providers = append(providers, map[string]any{
			"name": name, "status": "ACTIVE",
			"capacityProviderArn": fmt.Sprintf("arn:%s:ecs:%s:%s:capacity-provider/%s", f.template.Partition, f.template.Region, f.template.Account, name),
			"autoScalingGroupProvider": map[string]any{
				"autoScalingGroupArn": fmt.Sprintf("arn:%s:autoscaling:%s:%s:autoScalingGroup:1:autoScalingGroupName/%s", f.template.Partition, f.template.Region, f.template.Account, name),
			},
		})
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(map[string]any{"capacityProviders": providers}) // a caller who has gone needs no answer
}
