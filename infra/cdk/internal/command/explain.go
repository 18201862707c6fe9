package command

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Run is what was tried, as far as the sentences need it.
type Run struct {
	Verb   string
	Region string
	// Endpoint is AWS_ENDPOINT_URL, Profile what AWS_PROFILE or --profile names; empty if they are not set.
	Endpoint string
	Profile  string
	// NoProfile is the sentence for a Profile that is not there, and empty if it is.
	NoProfile string
}

// cause is one thing that the CDK, CloudFormation or the app may say when they fail.
type cause struct {
	said *regexp.Regexp
	// sentence gets what said matched, the whole match first.
	sentence func(r Run, match []string) string
}

// causes are tried in order: what says more comes first. The texts are those of the pinned CDK and of CloudFormation; the
// tests run that CDK against an account that fails in each of these ways.
var causes = []cause{
	{
		regexp.MustCompile(`expired AWS credentials|ExpiredToken|security token included in the request is expired|(?i:the sso session .* (?:has )?expired)|(?i:token (?:is|has) expired)`),
		func(Run, []string) string {
			return "The AWS credentials have expired: sign in again (for a profile of IAM Identity Center 'aws sso login'), then repeat."
		},
	},
	{
		regexp.MustCompile(`InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId|SignatureDoesNotMatch|security token included in the request is invalid`),
		func(r Run, _ []string) string {
			return fmt.Sprintf("AWS does not accept these credentials in %s: check AWS_PROFILE or the access key, and that the region is enabled for the account, then repeat.", r.Region)
		},
	},
	{
		regexp.MustCompile(`(?:ENOTFOUND|EAI_AGAIN) (\S+)|Cannot reach the server\.[^(]*\(([^)]+)\)`),
		func(r Run, match []string) string {
			host := match[1] + match[2]
			if endpoint, err := url.Parse(r.Endpoint); err == nil && endpoint.Hostname() == host {
				return fmt.Sprintf("There is no host %s: check AWS_ENDPOINT_URL, or unset it to use AWS itself, then repeat.", host)
			}
			return fmt.Sprintf("There is no host %s: check that %s is a region of AWS, and the network, then repeat.", host, r.Region)
		},
	},
	{
		regexp.MustCompile(`ECONNREFUSED (\S+)`),
		func(_ Run, match []string) string {
			return fmt.Sprintf("Nothing answers at %s: check AWS_ENDPOINT_URL, or unset it to use AWS itself, then repeat.", match[1])
		},
	},
	{
		regexp.MustCompile(`Could not load credentials from any providers|Could not resolve credentials using profile|CredentialsProviderError|[Nn]o credentials have been configured`),
		func(r Run, _ []string) string { return noCredentials(r) },
	},
	{
		// Only `cdk list --verbose` says this much.
		regexp.MustCompile(`Unable to determine the default AWS account \(\w+\): (.+)`),
		func(_ Run, match []string) string {
			return fmt.Sprintf("AWS does not tell the account of these credentials (%s): check them and the network, then repeat.", strings.TrimSpace(match[1]))
		},
	},
	{
		regexp.MustCompile(`Unable to resolve AWS account`),
		func(r Run, _ []string) string { return noCredentials(r) },
	},
	{
		regexp.MustCompile(`No stacks match the name\(s\) ([^,\s]+)`),
		func(_ Run, match []string) string {
			if bare.MatchString(match[1]) {
				return bareParameter(match[1])
			}
			return fmt.Sprintf("There is no stack %s to be made: leave the name out of ARGS, and give that of the installation with -c installation=NAME.", match[1])
		},
	},
	{
		regexp.MustCompile(`Stack (\S+) does not need a rollback: (\w+)`),
		func(_ Run, match []string) string {
			return fmt.Sprintf("There is nothing to roll back: stack %s is %s, so run 'make deploy' if you want to change it.", match[1], match[2])
		},
	},
	{
		regexp.MustCompile(`No stack named '([^']+)'`),
		func(r Run, match []string) string {
			return fmt.Sprintf("There is no stack %s in this account in %s: check the account, the region and the parameter installation.", match[1], r.Region)
		},
	},
	{
		regexp.MustCompile(`Has the environment been bootstrapped|requires bootstrap stack version|This stack uses assets, so the toolkit stack must be deployed|Toolkit stack \S+ not found`),
		func(r Run, _ []string) string {
			return fmt.Sprintf("Account and region are not prepared for the CDK, or by an old version of it: run 'AWS_REGION=%s make bootstrap' once, with rights to create IAM roles, then repeat.", r.Region)
		},
	},
	{
		regexp.MustCompile(`Stack:\S*?/(\S+?)/\S* is in (\w+_IN_PROGRESS) state`),
		func(_ Run, match []string) string {
			return fmt.Sprintf("Another operation on stack %s is under way (%s): wait until it has ended, then repeat.", match[1], match[2])
		},
	},
	{
		regexp.MustCompile(`Stack:\S*?/(\S+?)/\S* is in (UPDATE_ROLLBACK_FAILED|UPDATE_FAILED|CREATE_FAILED) state`),
		func(r Run, match []string) string {
			return fmt.Sprintf("The last deploy of stack %s failed, and so did taking it back (%s): put right what its last events in CloudFormation name, run 'make rollback', then 'make %s'.", match[1], match[2], r.Verb)
		},
	},
	{
		regexp.MustCompile(`Stack:\S*?/(\S+?)/\S* is in DELETE_FAILED state`),
		func(_ Run, match []string) string {
			return fmt.Sprintf("Stack %s was to be deleted and something in it could not be: put right what its last events in CloudFormation name, run 'make destroy', then 'make deploy'.", match[1])
		},
	},
	{
		regexp.MustCompile(`The stack named (\S+) is in a failed state.*DELETE_FAILED|Failed deleting stack (\S+)`),
		func(_ Run, match []string) string {
			return fmt.Sprintf("Stack %s could not be deleted wholly: put right what the lines above or its last events in CloudFormation name, then run 'make destroy' again.", match[1]+match[2])
		},
	},
	{
		regexp.MustCompile(`UnreservedConcurrentExecution`),
		func(Run, []string) string {
			return "The account's limit of concurrent Lambda executions leaves no room for the watchers' share: deploy without one (ARGS='-c watchers=0'), or ask AWS for a higher quota and repeat."
		},
	},
	{
		regexp.MustCompile(`QueueDeletedRecently|must wait 60 seconds after deleting a queue`),
		func(r Run, _ []string) string {
			return fmt.Sprintf("SQS keeps the names of deleted queues for a minute: wait that long, then run 'make %s' again.", r.Verb)
		},
	},
	{
		regexp.MustCompile(`(\S+) already exists`),
		func(_ Run, match []string) string {
			return fmt.Sprintf("%s exists already and belongs to no resource of this stack: give this installation another name (ARGS='-c installation=NAME'), or delete what is in the way, then repeat.",
				strings.Trim(match[1], `'"`))
		},
	},
	{
		regexp.MustCompile(`not authorized to perform: (\S+)`),
		func(_ Run, match []string) string {
			return fmt.Sprintf("These credentials may not do %s: use those of an administrator, or of somebody who may assume the roles of 'make bootstrap', then repeat.", match[1])
		},
	},
	{
		regexp.MustCompile(`terminal \(TTY\) is not attached`),
		func(r Run, _ []string) string {
			if r.Verb == "destroy" {
				return "There is no terminal to ask whether the stack may be deleted: repeat with ARGS='--force' if it may."
			}
			return "There is no terminal to ask whether this may be done: read what 'make diff' shows, then repeat with ARGS='--require-approval never'."
		},
	},
	{
		regexp.MustCompile(`Resource updates failed|failed to deploy|failed creation`),
		func(Run, []string) string {
			return "CloudFormation could not make the resources named above, and took the deploy back: put right what they say and repeat, 'make deploy' also clears away a first deploy that failed."
		},
	},
	{
		regexp.MustCompile(`Synthesis finished with errors`),
		func(Run, []string) string {
			return "The template breaks rules of CloudFormation: the lines above name the resource and the rule, put the construct right and repeat."
		},
	},
	{
		regexp.MustCompile(`[Ss]ubprocess exited with error|app: .*exited`),
		func(Run, []string) string {
			return "The stack could not be put together: the lines above say which parameter or file is wrong."
		},
	},
}

func noCredentials(r Run) string {
	switch {
	case r.NoProfile != "":
		return r.NoProfile
	case r.Profile != "":
		return fmt.Sprintf("Profile %s gives no AWS credentials: check what the files of ~/.aws say of it, sign in if it is one of IAM Identity Center ('aws sso login --profile %[1]s'), then repeat.", r.Profile)
	}
	return "There are no AWS credentials: set AWS_PROFILE to a profile of ~/.aws/config, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, then repeat."
}

var colours = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

// Explain says in one sentence what went wrong and what to do, from what the CDK said.
func Explain(r Run, said string) Problem {
	said = colours.ReplaceAllString(said, "")
	for _, c := range causes {
		if match := c.said.FindStringSubmatch(said); match != nil {
			return Problem(c.sentence(r, match))
		}
	}
	return Problem(fmt.Sprintf("The CDK could not %s the stack: the lines above say why.", r.Verb))
}

// accountUnknown says that the CDK has no credentials that work, and not why: that it says only when it is verbose.
func accountUnknown(said string) bool { return strings.Contains(said, "Unable to resolve AWS account") }
