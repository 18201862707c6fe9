package drive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"github.com/blox/blox/internal/daemon"
)

// start claims, and only then calls ECS.
func (r *run) start(ctx context.Context, a daemon.Action, res *result) error {
	claimed, err := r.Daemon.ClaimSlot(ctx, *a.Slot)
	if err != nil {
		return err
	}
	r.note(a, res)
	return r.launch(ctx, a, claimed, res)
}

// surge claims a second task for the host, as long as the lease is held: a driver that lost it may have counted the
// hosts with two tasks before others made more. ECS does not refuse a second one, the request being without
// distinctInstance.
func (r *run) surge(ctx context.Context, a daemon.Action, res *result) error {
	claimed, err := r.Daemon.PutSlotUnderLease(ctx, *a.Slot, r.lease)
	if err != nil {
		return err
	}
	r.note(a, res)
	return r.launch(ctx, a, claimed, res)
}

// launch sends a claim's request as it is stored, and stores what came of it.
func (r *run) launch(ctx context.Context, a daemon.Action, claimed daemon.Slot, res *result) error {
	outcome, err := r.runTask(ctx, claimed)
	if err != nil {
		return err
	}
	if outcome.Refused != "" && outcome.TaskARN == "" && strings.HasPrefix(outcome.Refused, reasonDistinct) {
		// ECS itself says that the group has a live task there: find it, instead of trying again.
		switch found, err := r.liveTask(ctx, claimed); {
		case err != nil:
			r.Log.Warn("ECS did not say which task is on the host", "host", a.Host.String(), "error", err)
			outcome = daemon.StartResult{Delay: unknownDelay}
		case found != nil:
			outcome = daemon.StartResult{TaskARN: found.ARN}
		}
	}
	if outcome.Refused != "" {
		r.Log.Info("daemon not started", "environment", r.snapshot.Environment.Name, "host", a.Host.String(), "reason", outcome.Refused)
	}
	if outcome.Refused == reasonInactive {
		r.definitions.remember(definitionOf(claimed), true, r.Now()) // deregistered since it was looked at, and for good
	}
	// A refusal shows in the deployment's counts, which the next look takes.
	res.changed = outcome.Refused != "" && !claimed.Blocked
	next := daemon.Started(claimed, outcome, r.Settings, r.Now())
	_, err = r.keep(ctx, next, res)
	return err
}

// reasonDistinct begins ECS's failure when distinctInstance found a live task of the group on the host.
const reasonDistinct = "DistinctInstance"

// reasonInactive is what people are told when ECS says "TaskDefinition is inactive".
const reasonInactive = "its task definition is INACTIVE"

// unknownDelay is how long the replay of a request waits whose outcome is not known.
const unknownDelay = 2 * time.Second

// runTask calls RunTask and says what came of it. An error is about the request that is stored, never about the call.
func (r *run) runTask(ctx context.Context, slot daemon.Slot) (daemon.StartResult, error) {
	in, err := runTaskInput(slot.Request)
	if err != nil {
		return daemon.StartResult{}, fmt.Errorf("claim of %s: %w", slot.Host, err)
	}
	api, err := r.ECS(slot.Host.Cluster.Account, slot.Host.Cluster.Region)
	if err != nil {
		return daemon.StartResult{}, err
	}
	out, err := api.RunTask(ctx, in)
	if err != nil {
		outcome := startError(err)
		if outcome.TaskARN == "" && outcome.Refused == "" {
			r.Log.Warn("start will be tried again", "environment", r.snapshot.Environment.Name, "host", slot.Host.String(), "error", err)
		}
		return outcome, nil
	}
	if len(out.Tasks) > 0 {
		return daemon.StartResult{TaskARN: aws.ToString(out.Tasks[0].TaskArn)}, nil
	}
	return startFailure(out.Failures), nil
}

// startFailure reads failures[]: nothing was started, and ECS says why. memberOf leaves one host, so there is one
// reason that counts; the most telling is that of the host that matched.
func startFailure(failures []types.Failure) daemon.StartResult {
	reason := "ECS started nothing and gave no reason"
	for _, f := range failures {
		if got := aws.ToString(f.Reason); got != "" && !strings.HasPrefix(got, "MemberOf") {
			reason = got
			break
		} else if got != "" {
			reason = got
		}
	}
	return daemon.StartResult{Refused: reason, Blocked: true}
}

// startError reads an error of RunTask. Only what ECS says about the request proves that nothing was started; a
// time-out, a lost connection or a fault of the server proves nothing.
func startError(err error) daemon.StartResult {
	var conflict *types.ConflictException
	if errors.As(err, &conflict) {
		// The token was used with another request: its task is the host's task.
		if len(conflict.ResourceIds) > 0 {
			return daemon.StartResult{TaskARN: conflict.ResourceIds[0]}
		}
		return daemon.StartResult{Refused: "token used with another request: " + conflict.ErrorMessage()}
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return daemon.StartResult{Delay: unknownDelay}
	}
	switch code := api.ErrorCode(); {
	case strings.Contains(api.ErrorMessage(), "TaskDefinition is inactive"):
		return daemon.StartResult{Refused: reasonInactive, Blocked: true} // as when it had been known before
	case strings.Contains(api.ErrorMessage(), "No Container Instances were found"):
		return daemon.StartResult{Refused: api.ErrorMessage(), Blocked: true}
	case slices.Contains(refusals, code):
		return daemon.StartResult{Refused: code + ": " + api.ErrorMessage()}
	case slices.Contains(forbidden, code) || strings.Contains(code, "Token"):
		// Credentials that are missing now may have been there at the SDK's first try, whose answer was lost.
		return daemon.StartResult{Delay: forbiddenDelay}
	default:
		return daemon.StartResult{Delay: unknownDelay}
	}
}

// refusals are the errors by which ECS says that the request itself is wrong, and that it started nothing.
var refusals = []string{
	"BlockedException", "ClientException", "ClusterNotFoundException", "InvalidParameterException",
	"PlatformTaskDefinitionIncompatibilityException", "PlatformUnknownException", "UnsupportedFeatureException",
}

// forbidden are the errors by which AWS says that we may not: the first is ECS's, the others AWS STS's when it does
// not let us have a member's role.
var forbidden = []string{"AccessDeniedException", "AccessDenied", "RegionDisabledException"}

// forbiddenDelay is how long the replay of a request waits that we were not allowed to make.
const forbiddenDelay = time.Minute
