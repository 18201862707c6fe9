// Package inventory lists what is in an account, so that two lists show what a deployment left behind.
package inventory

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/blox/blox/test/emulator/internal/account"
)

// List names everything, "kind name" each, in order. One page of each kind is read: an emulated account has few things.
func List(ctx context.Context, a *account.Account) ([]string, error) {
	var all []string
	for _, kind := range []struct {
		name string
		list func(context.Context, *account.Account) ([]string, error)
	}{
		{"table", tables},
		{"queue", queues},
		{"function", functions},
		{"event source mapping", eventSourceMappings},
		{"event bus", buses},
		{"rule", rules},
		{"schedule", schedules},
		{"REST API", apis},
		{"role", query("iam", "ListRoles", "2010-05-08", "RoleName")},
		{"policy", query("iam", "ListPolicies", "2010-05-08", "PolicyName", "Scope", "Local")},
		{"topic", query("sns", "ListTopics", "2010-03-31", "TopicArn")},
		{"log group", logGroups},
	} {
		names, err := kind.list(ctx, a)
		if err != nil {
			return nil, fmt.Errorf("listing every %s of the account: %w", kind.name, err)
		}
		for _, name := range names {
			all = append(all, kind.name+" "+name)
		}
	}
	slices.Sort(all)
	return all, nil
}

// Left is what is there now and was not before.
func Left(before, now []string) []string {
	return slices.DeleteFunc(slices.Clone(now), func(name string) bool { return slices.Contains(before, name) })
}

func tables(ctx context.Context, a *account.Account) ([]string, error) {
	out, err := a.DynamoDB.ListTables(ctx, &dynamodb.ListTablesInput{})
	if err != nil {
		return nil, err
	}
	return out.TableNames, nil
}

func queues(ctx context.Context, a *account.Account) ([]string, error) {
	out, err := a.SQS.ListQueues(ctx, &sqs.ListQueuesInput{})
	if err != nil {
		return nil, err
	}
	return out.QueueUrls, nil
}

func functions(ctx context.Context, a *account.Account) (names []string, err error) {
	out, err := a.Lambda.ListFunctions(ctx, &lambda.ListFunctionsInput{})
	if err != nil {
		return nil, err
	}
	for _, f := range out.Functions {
		names = append(names, aws.ToString(f.FunctionName))
	}
	return names, nil
}

func eventSourceMappings(ctx context.Context, a *account.Account) (names []string, err error) {
	out, err := a.Lambda.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{})
	if err != nil {
		return nil, err
	}
	for _, m := range out.EventSourceMappings {
		names = append(names, aws.ToString(m.EventSourceArn))
	}
	return names, nil
}

func buses(ctx context.Context, a *account.Account) (names []string, err error) {
	out, err := a.EventBridge.ListEventBuses(ctx, &eventbridge.ListEventBusesInput{})
	if err != nil {
		return nil, err
	}
	for _, b := range out.EventBuses {
		names = append(names, aws.ToString(b.Name))
	}
	return names, nil
}

func rules(ctx context.Context, a *account.Account) (names []string, err error) {
	out, err := a.EventBridge.ListRules(ctx, &eventbridge.ListRulesInput{})
	if err != nil {
		return nil, err
	}
	for _, r := range out.Rules {
		names = append(names, aws.ToString(r.Name))
	}
	return names, nil
}

func schedules(ctx context.Context, a *account.Account) (names []string, err error) {
	out, err := a.Scheduler.ListSchedules(ctx, &scheduler.ListSchedulesInput{})
	if err != nil {
		return nil, err
	}
	for _, s := range out.Schedules {
		names = append(names, aws.ToString(s.Name))
	}
	return names, nil
}

func apis(ctx context.Context, a *account.Account) (names []string, err error) {
	out, err := a.APIGateway.GetRestApis(ctx, &apigateway.GetRestApisInput{})
	if err != nil {
		return nil, err
	}
	for _, api := range out.Items {
		names = append(names, aws.ToString(api.Name))
	}
	return names, nil
}

func logGroups(ctx context.Context, a *account.Account) (names []string, err error) {
	body, err := call(ctx, a, "logs", "{}", http.Header{"X-Amz-Target": {"Logs_20140328.DescribeLogGroups"}, "Content-Type": {"application/x-amz-json-1.1"}})
	if err != nil {
		return nil, err
	}
	var out struct {
		LogGroups []struct {
			LogGroupName string `json:"logGroupName"`
		} `json:"logGroups"`
	}
	if err := json.Unmarshal(body, &out); err != nil {
		return nil, err
	}
	for _, g := range out.LogGroups {
		names = append(names, g.LogGroupName)
	}
	return names, nil
}

// query makes a lister of a service that speaks the Query protocol: the texts of all elements of one name.
func query(service, action, version, element string, parameters ...string) func(context.Context, *account.Account) ([]string, error) {
	form := url.Values{"Action": {action}, "Version": {version}}
	for i := 0; i+1 < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	return func(ctx context.Context, a *account.Account) ([]string, error) {
		body, err := call(ctx, a, service, form.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
		if err != nil {
			return nil, err
		}
		return elements(string(body), element)
	}
}

func elements(document, name string) (texts []string, err error) {
	decoder := xml.NewDecoder(strings.NewReader(document))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return texts, nil
		}
		if err != nil {
			return nil, err
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == name {
			var text string
			if err := decoder.DecodeElement(&text, &start); err != nil {
				return nil, err
			}
			texts = append(texts, text)
		}
	}
}

// maxAnswerBytes bounds a list.
const maxAnswerBytes = 10 << 20

func call(ctx context.Context, a *account.Account, service, body string, header http.Header) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Endpoint+"/", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = header.Clone()
	if err := a.Sign(ctx, request, service, []byte(body)); err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %s", response.Status)
	}
	return answer, err
}
