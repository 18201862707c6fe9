package event

import (
	"fmt"

	"github.com/blox/blox/internal/state"
)

// subject is the task or container instance an event is about.
type subject struct {
	kind       state.Kind
	clusterARN string
	arn        string
}

func (s subject) arnField() string {
	if s.kind == state.KindTask {
		return "taskArn"
	}
	return "containerInstanceArn"
}

// key checks the ARNs of the subject against each other and against the
// envelope, and fills in what the envelope left out.
func (s subject) key(env envelope, event *Event) (state.Key, error) {
	if s.clusterARN == "" {
		return state.Key{}, invalid(ReasonMissingARN, "detail has no clusterArn")
	}
	if s.arn == "" {
		return state.Key{}, invalid(ReasonMissingARN, "detail has no "+s.arnField())
	}
	if err := checkARN("clusterArn", s.clusterARN, state.ARNCluster); err != nil {
		return state.Key{}, err
	}
	if err := checkARN(s.arnField(), s.arn, s.kind.ARNKind()); err != nil {
		return state.Key{}, err
	}
	key, err := state.KeyOf(s.kind, s.clusterARN, s.arn)
	if err != nil {
		return state.Key{}, invalid(ReasonClusterMismatch, err.Error())
	}
	// Some emulators of EventBridge leave the account out of the envelope.
	if env.Account != "" && env.Account != key.Cluster.Account {
		return state.Key{}, invalid(ReasonAccountMismatch, fmt.Sprintf(
			"account %q of the envelope is not that of %s", shorten(env.Account), key))
	}
	if env.Region != "" && env.Region != key.Cluster.Region {
		return state.Key{}, invalid(ReasonRegionMismatch, fmt.Sprintf(
			"region %q of the envelope is not that of %s", shorten(env.Region), key))
	}
	event.Account = key.Cluster.Account
	event.Region = key.Cluster.Region
	return key, nil
}

func checkARN(field, text string, kind state.ARNKind) error {
	arn, err := state.ParseARN(text)
	if err != nil {
		return invalid(ReasonInvalidARN, field+": "+err.Error())
	}
	if arn.Kind != kind {
		return invalid(ReasonInvalidARN, fmt.Sprintf("%s: the ARN of a %s, allowed is a %s's", field, arn.Kind, kind))
	}
	return nil
}
