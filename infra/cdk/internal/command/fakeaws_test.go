package command

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// fakeAWS answers the few calls that the CDK makes to deploy or delete a stack, so that the sentences are tested against
// what the pinned CDK really prints. CloudFormation's refusals are AWS's own texts.
type fakeAWS struct {
	// identity is the error code of STS, empty for success.
	identity string
	// bootstrap is the version of the bootstrap stack; empty when there is none.
	bootstrap string
	// status is the stack's; empty when there is none. executed is what it becomes when a change set is executed, deleted
	// when the stack is deleted, and reason stands on the resource that failed.
	status, executed, deleted, reason string
	// denied is the action that these credentials may not do.
	denied string

	mu        sync.Mutex
	calls     []string
	changeSet bool
}

func (f *fakeAWS) start(t *testing.T) (endpoint string) {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return server.URL
}

const stackID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/Blox-blox/6f1c2f10-0000-11f0-8000-0a1b2c3d4e5f"

func (f *fakeAWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		f.ssm(w)
		return
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		w.WriteHeader(http.StatusOK) // S3 has whatever the CDK asks for
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	action := r.FormValue("Action")
	f.calls = append(f.calls, action)
	if action == f.denied {
		failed(w, http.StatusForbidden, "AccessDenied", "User: arn:aws:iam::123456789012:user/eve is not authorized to perform: "+
			"cloudformation:"+action+" on resource: "+stackID+" because no identity-based policy allows the cloudformation:"+action+" action")
		return
	}
	switch action {
	case "GetCallerIdentity":
		if f.identity != "" {
			failed(w, http.StatusForbidden, f.identity, refusals[f.identity])
			return
		}
		answer(w, action, "<Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/ann</Arn><UserId>A</UserId>")
	case "AssumeRole":
		failed(w, http.StatusForbidden, "AccessDenied", "no such role here: the CDK goes on with its own credentials")
	default:
		f.cloudFormation(w, action, r.FormValue("StackName"))
	}
}

// refusals are what STS says with an error's code.
var refusals = map[string]string{
	"ExpiredToken":         "The security token included in the request is expired",
	"InvalidClientTokenId": "The security token included in the request is invalid",
	"Throttling":           "Rate exceeded",
}

func (f *fakeAWS) ssm(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if f.bootstrap == "" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type":"ParameterNotFound"}`)
		return
	}
	fmt.Fprintf(w, `{"Parameter":{"Name":"/cdk-bootstrap/hnb659fds/version","Type":"String","Value":%q}}`, f.bootstrap)
}

func (f *fakeAWS) cloudFormation(w http.ResponseWriter, action, name string) {
	switch action {
	case "DescribeStacks":
		// CloudFormation knows a deleted stack by its ARN only.
		if f.status == "" || f.status == "DELETE_COMPLETE" && name == "Blox-blox" {
			failed(w, http.StatusBadRequest, "ValidationError", "Stack with id Blox-blox does not exist")
			return
		}
		answer(w, action, "<Stacks><member><StackName>Blox-blox</StackName><StackId>"+stackID+"</StackId><StackStatus>"+f.status+
			"</StackStatus><CreationTime>2026-11-20T10:00:00Z</CreationTime></member></Stacks>")
	case "GetTemplate":
		answer(w, action, "<TemplateBody>{}</TemplateBody>")
	case "CreateChangeSet":
		if refusing[f.status] {
			failed(w, http.StatusBadRequest, "ValidationError", "Stack:"+stackID+" is in "+f.status+" state and can not be updated.")
			return
		}
		if f.status == "" || f.status == "DELETE_COMPLETE" {
			f.status = "REVIEW_IN_PROGRESS"
		}
		f.changeSet = true
		answer(w, action, "<Id>arn:aws:cloudformation:eu-west-1:123456789012:changeSet/cdk-deploy-change-set/1</Id><StackId>"+stackID+"</StackId>")
	case "DescribeChangeSet":
		if !f.changeSet {
			failed(w, http.StatusNotFound, "ChangeSetNotFound", "ChangeSet [cdk-deploy-change-set] does not exist")
			return
		}
		answer(w, action, "<ChangeSetId>1</ChangeSetId><ChangeSetName>cdk-deploy-change-set</ChangeSetName><StackId>"+stackID+"</StackId>"+
			"<Status>CREATE_COMPLETE</Status><Changes/>")
	case "ExecuteChangeSet":
		f.status = f.executed
		answer(w, action, "")
	case "DeleteStack":
		f.status = f.deleted
		answer(w, action, "")
	case "DescribeStackEvents":
		events := ""
		if f.reason != "" {
			events = event(1, "Q", "AWS::SQS::Queue", "CREATE_FAILED", f.reason)
		}
		answer(w, action, "<StackEvents>"+events+"</StackEvents>")
	case "DescribeStackResources":
		answer(w, action, "<StackResources/>")
	default:
		answer(w, action, "")
	}
}

// refusing are the states in which CloudFormation takes no update.
var refusing = map[string]bool{
	"CREATE_IN_PROGRESS": true, "UPDATE_IN_PROGRESS": true, "UPDATE_ROLLBACK_IN_PROGRESS": true, "DELETE_IN_PROGRESS": true,
	"UPDATE_ROLLBACK_FAILED": true, "DELETE_FAILED": true, "CREATE_FAILED": true,
}

func event(n int, logicalID, kind, status, reason string) string {
	return fmt.Sprintf("<member><EventId>%d</EventId><StackId>%s</StackId><StackName>Blox-blox</StackName><LogicalResourceId>%s</LogicalResourceId>"+
		"<ResourceType>%s</ResourceType><ResourceStatus>%s</ResourceStatus><ResourceStatusReason>%s</ResourceStatusReason><Timestamp>2099-01-01T00:00:00Z</Timestamp></member>",
		n, stackID, logicalID, kind, status, reason)
}

func answer(w http.ResponseWriter, action, result string) {
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", action, result)
}

func failed(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>1</RequestId></ErrorResponse>", code, message)
}
