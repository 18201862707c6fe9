package drive

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/daemon"
)

// What ECS answers decides whether an attempt is spent. Taking an unknown outcome for a refusal starts a second task.
func TestStartError(t *testing.T) {
	unknown := daemon.StartResult{Delay: unknownDelay}
	for name, c := range map[string]struct {
		err  error
		want daemon.StartResult
	}{
		"a time-out proves nothing":            {context.DeadlineExceeded, unknown},
		"a lost connection proves nothing":     {errors.New("connection reset by peer"), unknown},
		"a fault of ECS's proves nothing":      {&types.ServerException{Message: aws.String("oops")}, unknown},
		"a throttled call is made again":       {&smithy.GenericAPIError{Code: "ThrottlingException", Message: "Rate exceeded"}, unknown},
		"a conflict names the host's task":     {&types.ConflictException{ResourceIds: []string{"task"}}, daemon.StartResult{TaskARN: "task"}},
		"a conflict without a task":            {&types.ConflictException{Message: aws.String("used")}, daemon.StartResult{Refused: "token used with another request: used"}},
		"a wrong request is refused":           {&types.InvalidParameterException{Message: aws.String("bad")}, daemon.StartResult{Refused: "InvalidParameterException: bad"}},
		"an inactive definition is no failure": {&types.ClientException{Message: aws.String("TaskDefinition is inactive")}, daemon.StartResult{Refused: reasonInactive, Blocked: true}},
		"a missing permission proves nothing":  {&types.AccessDeniedException{Message: aws.String("no")}, daemon.StartResult{Delay: forbiddenDelay}},
		"a member's role that is denied":       {fmt.Errorf("get identity: %w", &smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized to perform sts:AssumeRole"}), daemon.StartResult{Delay: forbiddenDelay}},
		"what is not known proves nothing":     {&smithy.GenericAPIError{Code: "SomethingNewException"}, unknown},
		"a cluster without hosts is no room":   {&types.InvalidParameterException{Message: aws.String("No Container Instances were found in your cluster.")}, daemon.StartResult{Refused: "No Container Instances were found in your cluster.", Blocked: true}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, startError(c.err))
		})
	}
}

func TestStartFailureTellsTheReasonOfTheHostThatMatched(t *testing.T) {
	failure := func(reason string) types.Failure { return types.Failure{Reason: aws.String(reason)} }
	memberOf := failure("MemberOf placement constraint unsatisfied.")
	require.Equal(t, "RESOURCE:MEMORY", startFailure([]types.Failure{memberOf, failure("RESOURCE:MEMORY"), memberOf}).Refused)
	require.Equal(t, *memberOf.Reason, startFailure([]types.Failure{memberOf}).Refused)
	require.NotEmpty(t, startFailure(nil).Refused, "an empty answer is no success")
}

func TestRunTaskInputIsWhatIsStored(t *testing.T) {
	in, err := runTaskInput([]byte(`{"cluster":"c","taskDefinition":"td:1","count":1,"launchType":"EC2","group":"blox:main:env",
		"startedBy":"blox/d","clientToken":"t","placementConstraints":[{"type":"distinctInstance"},{"type":"memberOf","expression":"ec2InstanceId == i-1"}]}`))
	require.NoError(t, err)
	require.Equal(t, "t", *in.ClientToken)
	require.Equal(t, int32(1), *in.Count)
	require.Equal(t, types.LaunchTypeEc2, in.LaunchType)
	require.Len(t, in.PlacementConstraints, 2)
	require.Nil(t, in.PlacementConstraints[0].Expression)
	require.Equal(t, "ec2InstanceId == i-1", *in.PlacementConstraints[1].Expression)

	_, err = runTaskInput([]byte(`{`))
	require.ErrorContains(t, err, "reading the stored request")
}
