package table

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/blox/blox/internal/daemon"
)

// revisionSK pads the number so that revisions sort.
func revisionSK(number int) string { return fmt.Sprintf("revision/%08d", number) }

// Revision reads one revision. ErrNotFound: there is none.
func (d *Daemon) Revision(ctx context.Context, environmentID string, number int) (daemon.Revision, error) {
	var rev daemon.Revision
	err := d.get(ctx, environmentPK(environmentID), revisionSK(number), &rev)
	return rev, err
}

// Revisions reads at most limit revisions of an environment, newest first: those with a number below before, or the newest
// of all if that is 0. Fewer than limit mean that there are no older ones.
func (d *Daemon) Revisions(ctx context.Context, environmentID string, limit, before int) ([]daemon.Revision, error) {
	last := "revision/~" // after every digit
	if before > 0 {
		last = revisionSK(before - 1)
	}
	items, err := queryUpTo(ctx, d.db, limit, &dynamodb.QueryInput{
		TableName: &d.name, ScanIndexForward: aws.Bool(false),
		KeyConditionExpression: aws.String("pk = :pk AND sk BETWEEN :first AND :last"),
		ExpressionAttributeValues: Item{
			":pk": stringValue(environmentPK(environmentID)), ":first": stringValue(revisionSK(0)), ":last": stringValue(last),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("listing the revisions of environment %s: %w", environmentID, err)
	}
	return decodeAll[daemon.Revision](items)
}
