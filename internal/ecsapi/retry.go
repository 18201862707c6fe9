package ecsapi

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// IsThrottled says whether ECS refused a call because there were too many.
func IsThrottled(err error) bool {
	codes := retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}
	return err != nil && codes.IsErrorThrottle(err) == aws.TrueTernary
}

// The SDK's own tries of one call, and its longest pause between them.
const (
	sdkTries    = 3
	sdkMaxPause = 5 * time.Second
)

// LeaveThrottles makes a client try again what the SDK takes for passing (a broken
// connection, an ECS that is down for a moment) and not what ECS throttled: a Pace
// has to see each throttle, and each try has to be paid for.
func LeaveThrottles(o *ecs.Options) {
	leave := retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
		if IsThrottled(err) {
			return aws.FalseTernary
		}
		return aws.UnknownTernary
	})
	o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
		s.MaxAttempts, s.MaxBackoff = sdkTries, sdkMaxPause
		// The first that knows an answer decides.
		s.Retryables = append([]retry.IsErrorRetryable{leave}, retry.DefaultRetryables...)
	})
}
