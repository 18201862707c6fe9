package command

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The pinned CDK runs here against an account that fails in a known way, so that a new version that says something else
// is noticed.
func TestPinnedCDK(t *testing.T) {
	credentials := []string{"AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret"}
	never := []string{"--require-approval", "never"}
	for name, test := range map[string]struct {
		aws  *fakeAWS
		verb string
		args []string
		env  []string
		// prepare may change the folder.
		prepare func(*folder)
		// says is the sentence, empty for success.
		says string
	}{
		"no credentials": {
			env:  []string{"AWS_REGION=eu-west-1"},
			says: "There are no AWS credentials: set AWS_PROFILE",
		},
		"expired credentials": {
			aws: &fakeAWS{identity: "ExpiredToken"}, says: "The AWS credentials have expired: sign in again",
		},
		"credentials that AWS does not know": {
			aws: &fakeAWS{identity: "InvalidClientTokenId"}, says: "AWS does not accept these credentials in eu-west-1",
		},
		"nothing at the endpoint": {
			env:  append([]string{"AWS_ENDPOINT_URL=http://127.0.0.1:1"}, credentials...),
			says: "Nothing answers at 127.0.0.1:1: check AWS_ENDPOINT_URL, or unset it to use AWS itself",
		},
		"a region that is none": {
			prepare: (*folder).noNames, env: []string{"AWS_REGION=us-esat-1", "AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret"},
			says: "There is no host sts.us-esat-1.amazonaws.com: check that us-esat-1 is a region of AWS, and the network",
		},
		"no host at the endpoint": {
			prepare: (*folder).noNames, env: append([]string{"AWS_ENDPOINT_URL=http://moto:5000"}, credentials...),
			says: "There is no host moto: check AWS_ENDPOINT_URL, or unset it",
		},
		"a profile that is not there": {
			env: []string{"AWS_REGION=eu-west-1", "AWS_PROFILE=nosuch"}, says: "There is no profile nosuch in /",
		},
		"a profile that is not there, as an argument": {
			env: []string{"AWS_REGION=eu-west-1"}, args: []string{"--profile", "nosuch", "--require-approval", "never"}, says: "There is no profile nosuch in /",
		},
		"a profile without credentials": {
			prepare: func(f *folder) { f.profiles("[profile ops]\nregion = eu-west-1\n") },
			env:     []string{"AWS_PROFILE=ops"}, says: "Profile ops gives no AWS credentials: check what the files of ~/.aws say of it",
		},
		"an account that AWS does not tell": {
			aws: &fakeAWS{identity: "Throttling"}, says: "AWS does not tell the account of these credentials (Rate exceeded): check them",
		},
		"never bootstrapped": {
			says: "Account and region are not prepared for the CDK, or by an old version of it: run 'AWS_REGION=eu-west-1 make bootstrap' once",
		},
		"bootstrapped long ago": {
			aws: &fakeAWS{bootstrap: "3"}, says: "by an old version of it: run 'AWS_REGION=eu-west-1 make bootstrap'",
		},
		"not allowed": {
			aws:  &fakeAWS{bootstrap: "30", denied: "CreateChangeSet"},
			says: "These credentials may not do cloudformation:CreateChangeSet: use those of an administrator",
		},
		"nobody to ask": {
			aws: &fakeAWS{bootstrap: "30", executed: "CREATE_COMPLETE"}, args: []string{"--require-approval", "broadening"},
			says: "There is no terminal to ask whether this may be done: read what 'make diff' shows, then repeat with ARGS='--require-approval never'.",
		},
		"a first deploy": {
			aws: &fakeAWS{bootstrap: "30", executed: "CREATE_COMPLETE"},
		},
		"an update": {
			aws: &fakeAWS{bootstrap: "30", status: "CREATE_COMPLETE", executed: "UPDATE_COMPLETE"},
		},
		"a name that is taken": {
			aws:  &fakeAWS{bootstrap: "30", executed: "ROLLBACK_COMPLETE", reason: "Role with name blox-blox-api already exists."},
			says: "blox-blox-api exists already and belongs to no resource of this stack: give this installation another name",
		},
		"no room for the watchers": {
			aws: &fakeAWS{
				bootstrap: "30", executed: "ROLLBACK_COMPLETE",
				reason: "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [10].",
			},
			says: "leaves no room for the watchers' share: deploy without one (ARGS='-c watchers=0'), or ask AWS for a higher quota and repeat.",
		},
		"a first deploy that fails": {
			aws:  &fakeAWS{bootstrap: "30", executed: "ROLLBACK_COMPLETE", reason: "boom"},
			says: "CloudFormation could not make the resources named above, and took the deploy back",
		},
		"an update that fails": {
			aws:  &fakeAWS{bootstrap: "30", status: "CREATE_COMPLETE", executed: "UPDATE_ROLLBACK_COMPLETE", reason: "boom"},
			says: "CloudFormation could not make the resources named above, and took the deploy back",
		},
		"the retry after a first deploy that failed": {
			aws: &fakeAWS{bootstrap: "30", status: "ROLLBACK_COMPLETE", deleted: "DELETE_COMPLETE", executed: "CREATE_COMPLETE"},
		},
		"the retry, when the rest of the first deploy does not go": {
			aws:  &fakeAWS{bootstrap: "30", status: "ROLLBACK_COMPLETE", deleted: "DELETE_FAILED"},
			says: "Stack Blox-blox could not be deleted wholly: put right what",
		},
		"the retry after an update that could not be taken back": {
			aws:  &fakeAWS{bootstrap: "30", status: "UPDATE_ROLLBACK_FAILED"},
			says: "The last deploy of stack Blox-blox failed, and so did taking it back (UPDATE_ROLLBACK_FAILED): put right what its last events in CloudFormation name, run 'make rollback', then 'make deploy'.",
		},
		"rollback": {
			aws:  &fakeAWS{bootstrap: "30", status: "UPDATE_ROLLBACK_FAILED"},
			verb: "rollback",
		},
		"rollback of nothing": {
			aws:  &fakeAWS{bootstrap: "30", status: "UPDATE_COMPLETE"},
			verb: "rollback",
			says: "There is nothing to roll back: stack Blox-blox is UPDATE_COMPLETE, so run 'make deploy' if you want to change it.",
		},
		"rollback of no stack": {
			aws:  &fakeAWS{bootstrap: "30"},
			verb: "rollback",
			says: "There is no stack Blox-blox in this account in eu-west-1: check the account, the region and the parameter installation.",
		},
		"a parameter without -c, behind an option without a value": {
			args: []string{"--force", "retentionDays=14"},
			says: "retentionDays=14 needs a -c before it, as every parameter does: ARGS='-c retentionDays=14'.",
		},
		"a stack by its name, and the name of another": {
			args: []string{"Blox-other"},
			says: "There is no stack Blox-other to be made: leave the name out of ARGS",
		},
		"a deploy over a stack half deleted": {
			aws:  &fakeAWS{bootstrap: "30", status: "DELETE_FAILED"},
			says: "Stack Blox-blox was to be deleted and something in it could not be",
		},
		"destroy": {
			aws:  &fakeAWS{status: "CREATE_COMPLETE", deleted: "DELETE_COMPLETE"},
			verb: "destroy", args: []string{"--force"},
		},
		"destroy, and nobody to ask": {
			aws:  &fakeAWS{status: "CREATE_COMPLETE"},
			verb: "destroy",
			says: "There is no terminal to ask whether the stack may be deleted: repeat with ARGS='--force' if it may.",
		},
		"destroy, and something stays": {
			aws:  &fakeAWS{status: "CREATE_COMPLETE", deleted: "DELETE_FAILED", reason: "Table is protected"},
			verb: "destroy", args: []string{"--force"},
			says: "Stack Blox-blox could not be deleted wholly: put right what",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			if test.aws == nil {
				test.aws = &fakeAWS{}
			}
			if test.env == nil {
				test.env = append([]string{"AWS_ENDPOINT_URL=" + test.aws.start(t)}, credentials...)
			}
			f.env = append(f.env, test.env...)
			if test.prepare != nil {
				test.prepare(f)
			}
			if test.verb == "" {
				test.verb = "deploy"
			}
			if test.verb == "deploy" {
				// Against an endpoint of one's own the command deploys without change sets, unlike on AWS.
				test.args = append(test.args, "--method=change-set")
				if len(test.args) == 1 {
					test.args = append(test.args, never...)
				}
			}
			shown := &screen{}
			err := f.run(shown, time.Minute, test.verb, test.args...)
			if test.says == "" {
				require.NoError(t, err, shown)
				return
			}
			require.Error(t, err, shown)
			require.Contains(t, err.Error(), test.says, shown)
			var problem Problem
			require.ErrorAs(t, err, &problem)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

// While another operation works on the stack the CDK waits, and says nothing.
func TestPinnedCDKWaitsForOthers(t *testing.T) {
	aws := &fakeAWS{bootstrap: "30", status: "UPDATE_IN_PROGRESS", executed: "UPDATE_COMPLETE"}
	f := newFolder(t)
	f.env = append(f.env, "AWS_ENDPOINT_URL="+aws.start(t), "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret")
	shown := &screen{seen: func(all string) {
		if strings.Contains(all, "if another operation works on the stack it waits for that to end") {
			aws.mu.Lock()
			defer aws.mu.Unlock()
			if aws.status == "UPDATE_IN_PROGRESS" {
				aws.status = "UPDATE_COMPLETE"
			}
		}
	}}
	require.NoError(t, f.run(shown, 3*time.Second, "deploy", "--method=change-set", "--require-approval", "never"), shown)
	require.Contains(t, shown.String(), "The CDK has said nothing for 3s")
}

// What a real region that does not exist, a bad parameter or another way to fail would say.
func TestExplain(t *testing.T) {
	run := Run{Verb: "deploy", Region: "eu-west-9"}
	for name, test := range map[string]struct{ said, want string }{
		"a region that does not exist": {
			said: "Blox-blox: getaddrinfo ENOTFOUND ssm.eu-west-9.amazonaws.com\n",
			want: "There is no host ssm.eu-west-9.amazonaws.com: check that eu-west-9 is a region of AWS, and the network, then repeat.",
		},
		"another operation": {
			said: "Stack:arn:aws:cloudformation:eu-west-9:123456789012:stack/Blox-blox/6f1c is in UPDATE_COMPLETE_CLEANUP_IN_PROGRESS state and can not be updated.",
			want: "Another operation on stack Blox-blox is under way (UPDATE_COMPLETE_CLEANUP_IN_PROGRESS): wait until it has ended, then repeat.",
		},
		"colours": {
			said: "\x1b[31mStack:arn:aws:cloudformation:eu-west-9:123456789012:stack/Blox-blox/6f1c is in \x1b[1mDELETE_FAILED\x1b[0m state",
			want: "Stack Blox-blox was to be deleted and something in it could not be: put right what its last events in CloudFormation name, run 'make destroy', then 'make deploy'.",
		},
		"an expired session": {
			said: "The SSO session associated with this profile has expired. To refresh this SSO session run aws sso login",
			want: "The AWS credentials have expired: sign in again (for a profile of IAM Identity Center 'aws sso login'), then repeat.",
		},
		"nothing at the endpoint": {
			said: "Blox-blox: connect ECONNREFUSED 127.0.0.1:4566",
			want: "Nothing answers at 127.0.0.1:4566: check AWS_ENDPOINT_URL, or unset it to use AWS itself, then repeat.",
		},
		"a resource by its identifier": {
			said: `Resource of type 'AWS::SNS::Topic' with identifier 'arn:aws:sns:eu-west-9:123456789012:x' already exists.`,
			want: "arn:aws:sns:eu-west-9:123456789012:x exists already and belongs to no resource of this stack: give this installation another name (ARGS='-c installation=NAME'), or delete what is in the way, then repeat.",
		},
		"deployed again at once": {
			said: "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
			want: "SQS keeps the names of deleted queues for a minute: wait that long, then run 'make deploy' again.",
		},
		"a template that breaks rules": {
			said: "ERROR VisibilityTimeout: 99999999 is greater than the maximum of 43200 (CloudFormation Validate)\nSynthesis finished with errors\n",
			want: "The template breaks rules of CloudFormation: the lines above name the resource and the rule, put the construct right and repeat.",
		},
		"anything else": {
			said: "boom", want: "The CDK could not deploy the stack: the lines above say why.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, Explain(run, test.said).Error())
		})
	}
}
