package doctor

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/blox/blox/client/stack"
)

func (d *examination) credentials(ctx context.Context) {
	if d.AWS == nil || d.AWS.Identity == nil {
		d.add(skipped(checkCredentials, "no call is signed for AWS, and no stack is named"))
		return
	}
	who, err := d.AWS.Identity.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		d.noAWS = "there are no credentials that AWS takes"
		d.add(fail(checkCredentials, d.Explain(err), "get credentials that work: aws sts get-caller-identity must answer"))
		return
	}
	d.add(ok(checkCredentials, "%s", aws.ToString(who.Arn)))
}

func (d *examination) stack(ctx context.Context) {
	switch {
	case d.StackName == "":
		d.add(skipped(checkStack, "no stack is named; --stack does"))
		return
	case d.noAWS != "":
		d.add(skipped(checkStack, d.noAWS))
		return
	}
	found, err := stack.Describe(ctx, d.AWS.Stacks, d.StackName)
	if err != nil {
		d.add(fail(checkStack, d.Explain(err), "check the name, region and account; cloudformation:DescribeStacks must be allowed"))
		return
	}
	d.found = &found
	d.add(judgeStack(found))
}

// judgeStack judges the status of a stack.
func judgeStack(s stack.Stack) Result {
	seen := s.Name + " is " + s.Status
	if s.Reason != "" {
		seen += ": " + s.Reason
	}
	switch s.Status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "IMPORT_COMPLETE":
		return ok(checkStack, "%s", seen)
	case "UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE":
		return warn(checkStack, seen, "the last update failed and was undone: the stack's events say why; correct that and deploy again")
	case "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED":
		return fail(checkStack, seen, "the stack was never wholly there, or was not wholly deleted: its events say why; delete it, then deploy again")
	case "UPDATE_ROLLBACK_FAILED":
		return fail(checkStack, seen, "correct what the stack's events name, then aws cloudformation continue-update-rollback --stack-name "+s.Name)
	}
	if strings.HasSuffix(s.Status, "_IN_PROGRESS") {
		return warn(checkStack, seen, "wait until it is done, and look again")
	}
	return fail(checkStack, seen, "look at the stack's events")
}
