package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"

	"github.com/aws/smithy-go"
	"github.com/spf13/cobra"

	"github.com/blox/blox/client"
)

// Exit codes; the root command's help tells them to users.
const (
	exitOK       = 0
	exitFailed   = 1 // whatever is not one of the others; a deployment waited for that has failed hosts, too
	exitUsage    = 2 // a wrong flag or argument, a bad file
	exitNotFound = 3 // what was named does not exist
)

// exitError is an error with the exit code it means.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usage is an error about the command line; it says where to read more.
func usage(cmd *cobra.Command, format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf("%s; see %s --help", fmt.Sprintf(format, args...), cmd.CommandPath())}
}

// exactly takes that many arguments, which the use line names.
func exactly(n int) cobra.PositionalArgs { return between(n, n) }

func between(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		for _, arg := range args {
			if arg == "" {
				return usage(cmd, "an argument is empty: want %s", cmd.UseLine())
			}
		}
		if len(args) < least || len(args) > most {
			return usage(cmd, "%d arguments: want %s", len(args), cmd.UseLine())
		}
		return nil
	}
}

// report prints an error, if there is one, and gives the exit code.
func report(err error, stderr io.Writer) int {
	if err == nil {
		return exitOK
	}
	code, text := explain(err)
	fmt.Fprintln(stderr, "blox: "+text)
	return code
}

// explain says what went wrong and what to do about it.
func explain(err error) (code int, text string) {
	var exit *exitError
	var answered *client.Error
	var called *url.Error
	var foreign *client.ForeignError
	var service smithy.APIError
	var operation *smithy.OperationError
	switch {
	case errors.As(err, &exit):
		return exit.code, exit.Error()
	case errors.As(err, &answered):
		return explainAnswer(answered)
	case errors.As(err, &foreign):
		return exitFailed, foreign.Error() + "; give the address of one with --endpoint"
	case errors.Is(err, context.Canceled):
		return exitFailed, "interrupted"
	case noCredentials(err):
		return exitFailed, explainCredentials(err)
	case errors.As(err, &service):
		return exitFailed, explainAWS(err, service)
	case errors.As(err, &operation) && errors.As(err, &called):
		return exitFailed, fmt.Sprintf("%s cannot be reached at %s (%s): check the region (--region, AWS_REGION), AWS_ENDPOINT_URL and the network",
			operation.Service(), serverOf(called), why(called))
	case errors.As(err, &operation):
		return exitFailed, oneLine(err)
	case errors.As(err, &called):
		return exitFailed, fmt.Sprintf("cannot reach the Blox API at %s (%s): start one with blox local, or give its address with --endpoint or --stack",
			serverOf(called), why(called))
	default:
		return exitFailed, err.Error()
	}
}

// aboutCluster are the API's answers that miss a cluster, and not something in it.
var aboutCluster = regexp.MustCompile(`^(Cluster |.*no cluster of the name)`)

func explainAnswer(e *client.Error) (code int, text string) {
	switch e.Status {
	case http.StatusBadRequest:
		return exitUsage, e.Error()
	case http.StatusNotFound:
		if aboutCluster.MatchString(e.Error()) {
			return exitNotFound, e.Error() + "; see blox get clusters"
		}
		return exitNotFound, e.Error() + "; blox get lists what there is"
	case http.StatusForbidden, http.StatusUnauthorized:
		return exitFailed, "the API refused the call: " + e.Error() + whereToLook(e.Refusal)
	default:
		return exitFailed, e.Error()
	}
}

// whereToLook names the flags that may be wrong.
func whereToLook(refusal client.Refusal) string {
	switch refusal {
	case client.RefusedUnsigned:
		return " (--auth iam signs; --endpoint, --stack)"
	case client.RefusedSignature, client.RefusedKey, client.RefusedExpired, client.RefusedPermission:
		return " (--profile, --region)"
	case client.RefusedBeforeLogin:
		return " (--endpoint, --stack)"
	case client.RefusedClock:
		return ""
	default:
		return "; check the AWS credentials (--profile, --region) and --endpoint"
	}
}

func serverOf(e *url.Error) string {
	if parsed, err := url.Parse(e.URL); err == nil {
		return parsed.Scheme + "://" + parsed.Host
	}
	return e.URL
}

// why is why a call got no answer.
func why(e *url.Error) string {
	var dial *net.OpError
	switch {
	case e.Timeout():
		return "no answer in time"
	case errors.As(e.Err, &dial) && dial.Op == "dial":
		return dial.Err.Error()
	default:
		return e.Err.Error()
	}
}
