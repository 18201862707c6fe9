package table

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/daemon"
)

// tokenItem remembers which deployment a deploymentToken made.
type tokenItem struct {
	DeploymentID string `json:"deploymentId"`
}

// DeploymentByToken reads the deployment that the token made. ErrNotFound: it has made none.
func (d *Daemon) DeploymentByToken(ctx context.Context, environmentID, token string) (daemon.Deployment, error) {
	var t tokenItem
	if err := d.get(ctx, environmentPK(environmentID), tokenSK(token), &t); err != nil {
		return daemon.Deployment{}, err
	}
	return d.Deployment(ctx, environmentID, t.DeploymentID)
}

// CreateDeployment stores a deployment and puts it in force: env.DeploymentID becomes its id. The one in force before
// is superseded unless it has ended. ErrConflict: the environment or the deployment in force changed since they were
// read, or the token made a deployment meanwhile.
func (d *Daemon) CreateDeployment(ctx context.Context, env daemon.Environment, dep daemon.Deployment) error {
	items, err := d.superseding(ctx, env, dep.CreatedAt)
	if err != nil {
		return fmt.Errorf("creating a deployment of environment %s: %w", env.Name, err)
	}
	seen := env.RecordVersion
	env.DeploymentID, env.UpdatedAt = dep.ID, dep.CreatedAt
	env.RecordVersion++
	dep.RecordVersion = 1
	update, err := d.putVersioned(environmentPK(env.ID), environmentSK, env, seen)
	if err != nil {
		return err
	}
	items = append(items, update, d.dueNow(env))
	for _, p := range []itemPut{
		{environmentPK(env.ID), deploymentSK(dep.ID), dep},
		{environmentPK(env.ID), tokenSK(dep.Token), tokenItem{DeploymentID: dep.ID}},
	} {
		put, err := d.putNew(p)
		if err != nil {
			return err
		}
		items = append(items, put)
	}
	if _, err := d.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items}); err != nil {
		return fmt.Errorf("creating a deployment of environment %s: %w", env.Name, conflict(err))
	}
	return nil
}

// superseding ends the deployment in force, in the transaction that puts a newer one there: no scheduler works on it
// any more, so a crash between two writes would leave it unfinished for ever.
func (d *Daemon) superseding(ctx context.Context, env daemon.Environment, at time.Time) ([]types.TransactWriteItem, error) {
	if env.DeploymentID == "" {
		return nil, nil
	}
	previous, err := d.Deployment(ctx, env.ID, env.DeploymentID)
	if errors.Is(err, ErrNotFound) || err == nil && previous.Status.Ended() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []types.TransactWriteItem{{Update: &types.Update{
		TableName: &d.name, Key: itemKey(environmentPK(env.ID), deploymentSK(previous.ID)),
		UpdateExpression: aws.String("SET #status = :superseded, endedAt = :at, " +
			"recordVersion = recordVersion + :one REMOVE pausedFor"),
		// The counts may move meanwhile, the end may not.
		ConditionExpression:      aws.String("attribute_exists(pk) AND NOT #status IN (:completed, :rolledBack, :failed, :stopped, :superseded)"),
		ExpressionAttributeNames: map[string]string{"#status": "status"},
		ExpressionAttributeValues: Item{
			":completed":  stringValue(string(daemon.DeploymentCompleted)),
			":rolledBack": stringValue(string(daemon.DeploymentRolledBack)),
			":failed":     stringValue(string(daemon.DeploymentFailed)),
			":stopped":    stringValue(string(daemon.DeploymentStopped)),
			":superseded": stringValue(string(daemon.DeploymentSuperseded)),
			":at":         stringValue(at.UTC().Format(time.RFC3339Nano)),
			":one":        numberValue(1),
		},
	}}}, nil
}

// Deployment reads one deployment. ErrNotFound: there is none.
func (d *Daemon) Deployment(ctx context.Context, environmentID, deploymentID string) (daemon.Deployment, error) {
	var dep daemon.Deployment
	err := d.get(ctx, environmentPK(environmentID), deploymentSK(deploymentID), &dep)
	return dep, err
}

// AdvanceDeployment stores a deployment if it is still the one that was read, and returns it as stored: people and the
// scheduler change the same deployment. ErrConflict: it changed meanwhile, or is gone.
func (d *Daemon) AdvanceDeployment(ctx context.Context, dep daemon.Deployment) (daemon.Deployment, error) {
	next := dep
	next.RecordVersion++
	item, err := encode(environmentPK(dep.EnvironmentID), deploymentSK(dep.ID), next)
	if err != nil {
		return dep, err
	}
	_, err = d.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &d.name, Item: item,
		ConditionExpression:       aws.String("recordVersion = :seen"),
		ExpressionAttributeValues: Item{":seen": numberValue(dep.RecordVersion)},
	})
	if err != nil {
		return dep, fmt.Errorf("storing the progress of deployment %s: %w", dep.ID, conflict(err))
	}
	return next, nil
}

// Deployments reads one page of an environment's deployments, newest first. after is the id that the page before ended
// with, or empty; next is empty at the end.
func (d *Daemon) Deployments(ctx context.Context, environmentID string, limit int, after string) (page []daemon.Deployment, next string, err error) {
	return d.deployments(ctx, environmentID, limit, after, false)
}

// LatestDeployments reads the newest deployments of an environment as they are now, newest first: by their ids, which may
// not be the order in which they were put in force.
func (d *Daemon) LatestDeployments(ctx context.Context, environmentID string, limit int) ([]daemon.Deployment, error) {
	page, _, err := d.deployments(ctx, environmentID, limit, "", true)
	return page, err
}

func (d *Daemon) deployments(
	ctx context.Context, environmentID string, limit int, after string, consistent bool,
) (page []daemon.Deployment, next string, err error) {
	in := &dynamodb.QueryInput{
		ConsistentRead: &consistent,
		TableName:      &d.name, ScanIndexForward: aws.Bool(false), Limit: aws.Int32(int32(limit)), //nolint:gosec // a page's size
		KeyConditionExpression: aws.String("pk = :pk AND begins_with(sk, :prefix)"),
		ExpressionAttributeValues: Item{
			":pk": stringValue(environmentPK(environmentID)), ":prefix": stringValue(deploymentSK("")),
		},
	}
	if after != "" {
		in.ExclusiveStartKey = itemKey(environmentPK(environmentID), deploymentSK(after))
	}
	out, err := d.db.Query(ctx, in)
	if err != nil {
		return nil, "", fmt.Errorf("listing deployments: %w", err)
	}
	if page, err = decodeAll[daemon.Deployment](out.Items); err != nil {
		return nil, "", err
	}
	if len(out.LastEvaluatedKey) > 0 && len(page) > 0 {
		next = page[len(page)-1].ID
	}
	return page, next, nil
}
