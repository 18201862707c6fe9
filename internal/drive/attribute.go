package drive

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/blox/blox/internal/daemon"
)

// putAttribute sets a custom attribute on a registration of a host. Setting it twice is harmless.
func (r *run) putAttribute(ctx context.Context, host daemon.HostKey, on string, attribute daemon.Attribute) error {
	api, err := r.ECS(host.Cluster.Account, host.Cluster.Region)
	if err != nil {
		return err
	}
	if _, err = api.PutAttributes(ctx, &ecs.PutAttributesInput{
		Cluster:    aws.String(host.Cluster.ARN(r.snapshot.Environment.Partition)),
		Attributes: []types.Attribute{attributeOf(on, attribute)},
	}); err != nil {
		return fmt.Errorf("setting attribute %s of %s: %w", attribute.Name, on, err)
	}
	return nil
}

// deleteAttribute deletes it. One that is not there is deleted already.
func (r *run) deleteAttribute(ctx context.Context, host daemon.HostKey, on string, attribute daemon.Attribute) error {
	api, err := r.ECS(host.Cluster.Account, host.Cluster.Region)
	if err != nil {
		return err
	}
	attribute.Value = "" // with a value, ECS deletes the attribute only if it has that one
	if _, err = api.DeleteAttributes(ctx, &ecs.DeleteAttributesInput{
		Cluster:    aws.String(host.Cluster.ARN(r.snapshot.Environment.Partition)),
		Attributes: []types.Attribute{attributeOf(on, attribute)},
	}); err != nil {
		return fmt.Errorf("deleting attribute %s of %s: %w", attribute.Name, on, err)
	}
	return nil
}

func attributeOf(on string, attribute daemon.Attribute) types.Attribute {
	a := types.Attribute{
		Name: aws.String(attribute.Name), TargetType: types.TargetTypeContainerInstance, TargetId: aws.String(on),
	}
	if attribute.Value != "" {
		a.Value = aws.String(attribute.Value)
	}
	return a
}

// handOver pays for the host, and only then takes it away from the service. If ECS does not take the attribute, a later
// pass sets it: the slot says that it should be there.
func (r *run) handOver(ctx context.Context, a daemon.Action, res *result) error {
	stored, err := r.Daemon.PutSlotUnderLease(ctx, *a.Slot, r.lease)
	if err != nil {
		return err
	}
	r.wakeFor(stored, res)
	r.note(a, res)
	why, refused := attributeProblem(r.putAttribute(ctx, a.Host, stored.ContainerInstanceARN, *a.Attribute))
	if why == "" {
		return nil
	}
	r.Log.Warn("host will be taken over later", "host", a.Host.String(), "reason", why)
	if refused { // what ECS will refuse again has a reason that people are to find
		_, err = r.keep(ctx, a.AttributeFailed(stored, why, refused, r.Settings, r.Now()), res)
	}
	return err
}

// attribute stores what is meant, changes the host's attribute, and stores what came of it. If the driver dies in
// between, or somebody else writes the slot first, the change is made again, which is harmless.
func (r *run) attribute(ctx context.Context, a daemon.Action, res *result) error {
	intent, err := r.Daemon.PutSlotUnderLease(ctx, a.AttributeIntent(r.Now()), r.lease)
	if err != nil {
		return err
	}
	change := r.putAttribute
	if a.Kind == daemon.DeleteAttribute {
		change = r.deleteAttribute
	}
	next := *a.Slot
	next.RecordVersion = intent.RecordVersion
	switch why, refused := attributeProblem(change(ctx, a.Host, registrationOf(a), *a.Attribute)); {
	case why == targetGone && a.Kind == daemon.DeleteAttribute: // and the attribute with it
	case why != "":
		r.Log.Warn("attribute will be tried again", "host", a.Host.String(), "attribute", a.Attribute.Name, "reason", why)
		next = a.AttributeFailed(intent, why, refused, r.Settings, r.Now())
	default:
		r.note(a, res)
	}
	_, err = r.keep(ctx, next, res)
	return err
}

// registrationOf is the container instance that an action's attribute is about: the host's, as it was looked at last.
func registrationOf(a daemon.Action) string { return a.Slot.ContainerInstanceARN }

// targetGone says that the container instance has left: an agent that registers anew brings another.
const targetGone = "the host's registration is gone"

// attributeProblem says for people what kept an attribute from being changed; empty is nothing. refused says that the
// host does not carry it; after any other error it may.
func attributeProblem(err error) (why string, refused bool) {
	var gone *types.TargetNotFoundException
	var limit *types.AttributeLimitExceededException
	switch {
	case err == nil:
		return "", false
	case errors.As(err, &gone):
		return targetGone, true
	case errors.As(err, &limit):
		return "the host has ECS's limit of ten custom attributes", true
	}
	return err.Error(), false
}
