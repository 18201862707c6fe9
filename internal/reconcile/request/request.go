// Package request is what is asked of reconcile: messages on its FIFO queue. A
// sweep finds the clusters of an account and region and asks for a pass over each
// of them. Each cluster has a group of the queue to itself: clusters are worked
// on side by side, as many as the queue's mapping lets, none waits for another's
// failures, and one is never worked on twice at a time.
package request

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/state"
)

// The kinds of request.
const (
	KindSweep    = "sweep"    // ask for a pass over every cluster of an account and region
	KindCluster  = "cluster"  // compare a cluster with ECS
	KindDescribe = "describe" // look at some tasks or container instances of one cluster
)

// Request is one message.
type Request struct {
	Kind string
	// Account and Region are what it is about, or its cluster is of.
	Account, Region string
	// At is when a sweep or a pass was asked for. A pass that began since then is
	// what was asked for: however many ask at once, one is made.
	At time.Time
	// Cluster is that of a pass and of a describe.
	Cluster state.ClusterKey
	// Unlisted says that ECS did not name the cluster among all others.
	Unlisted bool
	// Tasks and Instances are those of a describe; ids.
	Tasks, Instances []string
}

// body is a request as JSON.
type body struct {
	Kind      string   `json:"kind"`
	Account   string   `json:"account,omitempty"`
	Region    string   `json:"region,omitempty"`
	AtMillis  int64    `json:"atMillis,omitempty"`
	Cluster   string   `json:"cluster,omitempty"`
	Unlisted  bool     `json:"unlisted,omitempty"`
	Tasks     []string `json:"tasks,omitempty"`
	Instances []string `json:"instances,omitempty"`
}

// MaxIDs bounds the ids of each kind in a describe; it is one batch of ECS's
// Describe calls.
const MaxIDs = 100

// SendSweep asks for a sweep. Two requests of the same moment are one, since a
// schedule may fire twice.
func SendSweep(ctx context.Context, to queue.Sender, account, region string, at time.Time) error {
	b := body{Kind: KindSweep, Account: account, Region: region, AtMillis: at.UnixMilli()}
	message, err := encode(b, account+"/"+region)
	if err != nil {
		return err
	}
	message.DeduplicationID = fmt.Sprintf("sweep/%s/%s/%d", account, region, at.UnixMilli())
	if err := to.Send(ctx, []queue.Message{message}); err != nil {
		return fmt.Errorf("asking for a sweep of %s/%s: %w", account, region, err)
	}
	return nil
}

// Cluster is a cluster to reconcile.
type Cluster struct {
	Key state.ClusterKey
	// Unlisted says that ECS did not name it among all others.
	Unlisted bool
}

// onDemandEvery is how often a pass over a cluster can be asked for by itself: each
// costs as much of the shared budget as a sweep's, and keeps the cluster's group busy.
const onDemandEvery = 30 * time.Second

// SendCluster asks for a pass over a cluster that begins at or after a moment,
// whenever the last one was. Requests of the same half minute are one: the pass of the
// first may begin before the moment of a later one, whose pass is then the next
// sweep's.
func SendCluster(ctx context.Context, to queue.Sender, cluster state.ClusterKey, at time.Time) error {
	until := at.Truncate(onDemandEvery)
	if until.Before(at) {
		until = until.Add(onDemandEvery)
	}
	return sendClusters(ctx, to, []Cluster{{Key: cluster}}, at, fmt.Sprintf("demand/%d", until.UnixMilli()))
}

// SendClusters asks for a pass over each cluster, for a sweep: two requests of the
// same moment are one.
func SendClusters(ctx context.Context, to queue.Sender, clusters []Cluster, at time.Time) error {
	return sendClusters(ctx, to, clusters, at, strconv.FormatInt(at.UnixMilli(), 10))
}

// sendClusters sends messages that count once for each cluster and occasion.
func sendClusters(ctx context.Context, to queue.Sender, clusters []Cluster, at time.Time, occasion string) error {
	if len(clusters) == 0 {
		return nil
	}
	messages := make([]queue.Message, len(clusters))
	for i, c := range clusters {
		b := body{Kind: KindCluster, Cluster: c.Key.String(), AtMillis: at.UnixMilli(), Unlisted: c.Unlisted}
		var err error
		if messages[i], err = encode(b, groupOf(c.Key)); err != nil {
			return err
		}
		messages[i].DeduplicationID = hashOf(fmt.Sprintf("cluster/%s/%s", c.Key, occasion))
	}
	if err := to.Send(ctx, messages); err != nil {
		return fmt.Errorf("asking for passes over %d clusters: %w", len(clusters), err)
	}
	return nil
}

// maxGroup is the longest name of a group that SQS takes; a cluster's name alone
// may have 255 characters.
const maxGroup = 128

// groupOf is a cluster's group of the queue.
func groupOf(cluster state.ClusterKey) string {
	if group := cluster.String(); len(group) <= maxGroup {
		return group
	}
	return cluster.Account + "/" + cluster.Region + "/" + hashOf(cluster.Name)
}

func hashOf(text string) string {
	hash := sha256.Sum256([]byte(text))
	return hex.EncodeToString(hash[:])
}

// Hint is something to look at, and which event said so.
type Hint struct {
	Key state.Key
	// Cause makes the request one of its own: an event that is delivered twice
	// asks once, and another event about the same thing asks again.
	Cause string
}

// SendDescribes asks to look at things. Hints of one cluster share messages.
func SendDescribes(ctx context.Context, to queue.Sender, hints []Hint) error {
	byCluster := map[state.ClusterKey][]Hint{}
	var clusters []state.ClusterKey
	for _, hint := range hints {
		if _, ok := byCluster[hint.Key.Cluster]; !ok {
			clusters = append(clusters, hint.Key.Cluster)
		}
		byCluster[hint.Key.Cluster] = append(byCluster[hint.Key.Cluster], hint)
	}
	slices.SortFunc(clusters, state.ClusterKey.Compare)
	var messages []queue.Message
	for _, cluster := range clusters {
		for chunk := range slices.Chunk(byCluster[cluster], MaxIDs) {
			message, err := describe(cluster, chunk)
			if err != nil {
				return err
			}
			messages = append(messages, message)
		}
	}
	if len(messages) == 0 {
		return nil
	}
	if err := to.Send(ctx, messages); err != nil {
		return fmt.Errorf("asking for %d describes: %w", len(messages), err)
	}
	return nil
}

func describe(cluster state.ClusterKey, hints []Hint) (queue.Message, error) {
	b := body{Kind: KindDescribe, Cluster: cluster.String()}
	causes := make([]string, len(hints))
	for i, hint := range hints {
		causes[i] = hint.Key.String() + " " + hint.Cause
		if hint.Key.Kind == state.KindTask {
			b.Tasks = append(b.Tasks, hint.Key.ID)
		} else {
			b.Instances = append(b.Instances, hint.Key.ID)
		}
	}
	b.Tasks, b.Instances = unique(b.Tasks), unique(b.Instances)
	message, err := encode(b, groupOf(cluster))
	if err != nil {
		return queue.Message{}, err
	}
	slices.Sort(causes)
	message.DeduplicationID = hashOf(strings.Join(causes, "\n"))
	return message, nil
}

func unique(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}

func encode(b body, group string) (queue.Message, error) {
	text, err := json.Marshal(b)
	if err != nil {
		return queue.Message{}, fmt.Errorf("encoding a request to reconcile: %w", err)
	}
	return queue.Message{Body: string(text), Group: group}, nil
}

// Parse reads a message's body. The error says what is wrong with it.
func Parse(text string) (Request, error) {
	r, err := parse(text)
	if err != nil {
		return Request{}, fmt.Errorf("request to reconcile: %w", err)
	}
	return r, nil
}

func parse(text string) (Request, error) {
	var b body
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return Request{}, err
	}
	r := Request{Kind: b.Kind, Account: b.Account, Region: b.Region, Unlisted: b.Unlisted, Tasks: b.Tasks, Instances: b.Instances}
	if b.AtMillis > 0 {
		r.At = time.UnixMilli(b.AtMillis).UTC()
	}
	if b.Kind == KindSweep {
		if b.Account == "" || b.Region == "" || r.At.IsZero() {
			return Request{}, errors.New("a sweep needs account, region and atMillis")
		}
		return r, nil
	}
	if b.Kind != KindCluster && b.Kind != KindDescribe {
		return Request{}, fmt.Errorf("kind %q, allowed are %s, %s and %s", b.Kind, KindSweep, KindCluster, KindDescribe)
	}
	var err error
	if r.Cluster, err = state.ParseClusterKey(b.Cluster); err != nil {
		return Request{}, err
	}
	r.Account, r.Region = r.Cluster.Account, r.Cluster.Region
	if b.Kind == KindCluster && r.At.IsZero() {
		return Request{}, errors.New("a pass over a cluster needs atMillis")
	}
	if len(b.Tasks) > MaxIDs || len(b.Instances) > MaxIDs {
		return Request{}, fmt.Errorf("%d tasks and %d container instances, allowed are at most %d each", len(b.Tasks), len(b.Instances), MaxIDs)
	}
	return r, nil
}
