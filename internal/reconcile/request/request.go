// Package request is what other functions ask of reconcile: messages on its
// FIFO queue, one group for each account and region, so that ECS is asked by
// one at a time there.
package request

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/state"
)

// The kinds of request.
const (
	KindSweep    = "sweep"    // compare every cluster of an account and region with ECS
	KindDescribe = "describe" // look at some tasks or container instances of one cluster
)

// Request is one message.
type Request struct {
	Kind string
	// Account and Region are those of a sweep.
	Account, Region string
	// At is when a sweep was asked for. What has been reconciled since then need
	// not be again, so that a sweep that is delivered once more goes on where it
	// failed.
	At time.Time
	// Cluster, Tasks and Instances are those of a describe; ids.
	Cluster          state.ClusterKey
	Tasks, Instances []string
}

// body is a request as JSON.
type body struct {
	Kind      string   `json:"kind"`
	Account   string   `json:"account,omitempty"`
	Region    string   `json:"region,omitempty"`
	AtMillis  int64    `json:"atMillis,omitempty"`
	Cluster   string   `json:"cluster,omitempty"`
	Tasks     []string `json:"tasks,omitempty"`
	Instances []string `json:"instances,omitempty"`
}

// MaxIDs bounds the ids of each kind in a describe; it is one batch of ECS's
// Describe calls.
const MaxIDs = 100

// SendSweep asks for a sweep. Two requests of the same moment are one, since a
// schedule may fire twice.
func SendSweep(ctx context.Context, to queue.Sender, account, region string, at time.Time) error {
	message, err := encode(body{Kind: KindSweep, Account: account, Region: region, AtMillis: at.UnixMilli()}, account, region)
	if err != nil {
		return err
	}
	message.DeduplicationID = fmt.Sprintf("sweep/%s/%s/%d", account, region, at.UnixMilli())
	if err := to.Send(ctx, []queue.Message{message}); err != nil {
		return fmt.Errorf("asking for a sweep of %s/%s: %w", account, region, err)
	}
	return nil
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
	message, err := encode(b, cluster.Account, cluster.Region)
	if err != nil {
		return queue.Message{}, err
	}
	slices.Sort(causes)
	hash := sha256.Sum256([]byte(strings.Join(causes, "\n")))
	message.DeduplicationID = hex.EncodeToString(hash[:])
	return message, nil
}

func unique(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}

func encode(b body, account, region string) (queue.Message, error) {
	text, err := json.Marshal(b)
	if err != nil {
		return queue.Message{}, fmt.Errorf("encoding a request to reconcile: %w", err)
	}
	return queue.Message{Body: string(text), Group: account + "/" + region}, nil
}

// Parse reads a message's body. The error says what is wrong with it.
func Parse(text string) (Request, error) {
	var b body
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return Request{}, fmt.Errorf("request to reconcile: %w", err)
	}
	r := Request{Kind: b.Kind, Account: b.Account, Region: b.Region, Tasks: b.Tasks, Instances: b.Instances}
	switch b.Kind {
	case KindSweep:
		if b.Account == "" || b.Region == "" || b.AtMillis <= 0 {
			return Request{}, errors.New("request to reconcile: a sweep needs account, region and atMillis")
		}
		r.At = time.UnixMilli(b.AtMillis).UTC()
		return r, nil
	case KindDescribe:
		var err error
		if r.Cluster, err = state.ParseClusterKey(b.Cluster); err != nil {
			return Request{}, fmt.Errorf("request to reconcile: %w", err)
		}
		if len(b.Tasks) > MaxIDs || len(b.Instances) > MaxIDs {
			return Request{}, fmt.Errorf("request to reconcile: %d tasks and %d container instances, allowed are at most %d each", len(b.Tasks), len(b.Instances), MaxIDs)
		}
		return r, nil
	default:
		return Request{}, fmt.Errorf("request to reconcile: kind %q, allowed are %s and %s", b.Kind, KindSweep, KindDescribe)
	}
}
