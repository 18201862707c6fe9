package command

import (
	"os"
	"os/exec"
	"testing"
	"time"
	"context"
)

func TestProbe(t *testing.T) {
	for name, c := range map[string]struct{ f *fakeAWS; verb string }{
		"new": {&fakeAWS{bootstrap: "30", after: "CREATE_COMPLETE"}, "deploy"},
		"expired": {&fakeAWS{identity: "ExpiredToken"}, "deploy"},
		"invalid": {&fakeAWS{identity: "InvalidClientTokenId"}, "deploy"},
		"nobootstrap": {&fakeAWS{}, "deploy"},
		"oldbootstrap": {&fakeAWS{bootstrap: "3"}, "deploy"},
		"denied": {&fakeAWS{bootstrap: "30", denied: "CreateChangeSet"}, "deploy"},
		"inprogress": {&fakeAWS{bootstrap: "30", status: "UPDATE_IN_PROGRESS"}, "deploy"},
		"urf": {&fakeAWS{bootstrap: "30", status: "UPDATE_ROLLBACK_FAILED"}, "deploy"},
		"df": {&fakeAWS{bootstrap: "30", status: "DELETE_FAILED"}, "deploy"},
		"rc": {&fakeAWS{bootstrap: "30", status: "ROLLBACK_COMPLETE", after: "CREATE_COMPLETE"}, "deploy"},
		"failcreate": {&fakeAWS{bootstrap: "30", after: "ROLLBACK_COMPLETE", reason: "Resource handler returned message: x already exists"}, "deploy"},
		"failupdate": {&fakeAWS{bootstrap: "30", status: "CREATE_COMPLETE", after: "UPDATE_ROLLBACK_COMPLETE", reason: "boom"}, "deploy"},
		"faildelete": {&fakeAWS{bootstrap: "30", status: "CREATE_COMPLETE", after: "DELETE_FAILED", reason: "boom"}, "destroy"},
		"delete": {&fakeAWS{bootstrap: "30", status: "CREATE_COMPLETE", after: ""}, "destroy"},
	} {
		if only := os.Getenv("ONLY"); only != "" && only != name { continue }
		url := c.f.start(t)
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		args := []string{"--no-notices", "--app", "/tmp/npmw/out", c.verb}
		if c.verb == "deploy" { args = append(args, "--require-approval", "never") } else { args = append(args, "--force") }
		cmd := exec.CommandContext(ctx, "../../node_modules/.bin/cdk", args...)
		cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+url, "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", "HOME=/tmp/npmw", "AWS_MAX_ATTEMPTS=1", "CDK_DISABLE_CLI_TELEMETRY=true")
		began := time.Now()
		out, err := cmd.CombinedOutput()
		cancel()
		t.Logf("===== %s: %v after %s calls %v\n%s", name, err, time.Since(began), c.f.calls, out)
	}
}
