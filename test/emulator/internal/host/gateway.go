package host

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/blox/blox/internal/sigv4"
	"github.com/blox/blox/test/emulator/internal/gateway"
	"github.com/blox/blox/test/emulator/internal/policy"
	"github.com/blox/blox/test/emulator/internal/proxy"
	"github.com/blox/blox/test/emulator/internal/stack"
)

// Who calls the API in the test: by the managed policy that they have.
const (
	Operator = "BloxOperator"
	Reader   = "BloxReadOnly"
	Nobody   = "" // valid credentials and no policy
)

func (h *Host) startGateway(ctx context.Context) error {
	apis := h.Template.OfType("AWS::ApiGateway::RestApi")
	stages := h.Template.OfType("AWS::ApiGateway::Stage")
	if len(apis) != 1 || len(stages) != 1 {
		return fmt.Errorf("the stack has %d REST APIs and %d stages: expected one of each", len(apis), len(stages))
	}
	id := apis[0].PhysicalID
	stage, ok := stages[0].Properties["StageName"].(string)
	if !ok {
		return fmt.Errorf("the stage has the name %v: expected a text", stages[0].Properties["StageName"])
	}
	var err error
	if h.Routes, err = gateway.Read(ctx, h.Account.APIGateway, id); err != nil {
		return err
	}
	responses, err := gateway.FromTemplate(h.Template)
	if err != nil {
		return err
	}
	g := gateway.Gateway{
		APIID: id, Stage: stage, Account: h.Template.Account,
		ARN:    fmt.Sprintf("arn:%s:execute-api:%s:%s:%s", h.Template.Partition, h.Template.Region, h.Template.Account, id),
		Routes: h.Routes, Responses: responses, Functions: map[string]gateway.Invoke{},
		Verifier: &sigv4.Verifier{Credentials: map[string]aws.Credentials{}, Region: h.Template.Region, Service: sigv4.ServiceName, Now: time.Now},
		Now:      time.Now, Log: h.Log, Principals: map[string]gateway.Principal{},
	}
	for name, f := range h.Deployed {
		g.Functions[f.ARN] = invoker(h.Functions[name])
	}
	h.Principals = map[string]aws.Credentials{}
	for _, who := range []string{Operator, Reader, Nobody} {
		documents, err := h.managed(who)
		if err != nil {
			return err
		}
		key := aws.Credentials{AccessKeyID: "AKIA" + rand.Text()[:16], SecretAccessKey: rand.Text()}
		h.Principals[who] = key
		g.Verifier.Credentials[key.AccessKeyID] = key
		g.Principals[key.AccessKeyID] = gateway.Principal{ARN: fmt.Sprintf("arn:%s:iam::%s:user/%s", h.Template.Partition, h.Template.Account, "test-"+who), Policies: documents}
	}
	// Operators also call AWS themselves.
	h.Proxy.Know(h.Principals[Operator].AccessKeyID, proxy.Caller{Function: policy.People})
	address, err := h.listen(ctx, gateway.New(g, rand.Text))
	if err != nil {
		return err
	}
	h.APIURL = address + "/" + stage
	h.replaced("API Gateway is this test's: routes, authorization and integrations are read from the emulator's API, gateway responses and the stage from the deployed template; it verifies SigV4 signatures and the managed policies, but does not validate bodies against models and does not throttle")
	return nil
}

// OperatorsOwn is what the operators' managed policy allows beside the API, whose calls the gateway judges.
func (h *Host) OperatorsOwn() ([]policy.Document, error) {
	documents, err := h.managed(Operator)
	if err != nil {
		return nil, err
	}
	for i := range documents {
		documents[i].Statement = slices.DeleteFunc(documents[i].Statement, func(s policy.Statement) bool {
			return slices.Contains(s.Action, "execute-api:Invoke")
		})
	}
	return documents, nil
}

// managed are the statements of the stack's managed policy of that name; nobody has none.
func (h *Host) managed(name string) ([]policy.Document, error) {
	if name == Nobody {
		return nil, nil
	}
	policies := h.Template.OfType("AWS::IAM::ManagedPolicy")
	i := slices.IndexFunc(policies, func(r stack.Resource) bool {
		var properties struct{ ManagedPolicyName string }
		return h.Template.Resolved(r, &properties) == nil && strings.HasPrefix(properties.ManagedPolicyName, name+"-")
	})
	if i < 0 {
		return nil, fmt.Errorf("the stack has no managed policy %s", name)
	}
	return h.Template.ManagedPolicy(policies[i])
}
