package request

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/queue"
	"github.com/blox/blox/internal/state"
)

type recorder struct {
	messages []queue.Message
	err      error
}

func (r *recorder) Send(_ context.Context, messages []queue.Message) error {
	r.messages = append(r.messages, messages...)
	return r.err
}

var (
	edge  = state.ClusterKey{Account: "210987654321", Region: "eu-west-1", Name: "edge"}
	other = state.ClusterKey{Account: "210987654321", Region: "eu-west-1", Name: "alpha"}
	at    = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
)

func task(cluster state.ClusterKey, id string) state.Key {
	return state.Key{Kind: state.KindTask, Cluster: cluster, ID: id}
}

func instance(cluster state.ClusterKey, id string) state.Key {
	return state.Key{Kind: state.KindContainerInstance, Cluster: cluster, ID: id}
}

func TestASweepGoesThroughAMessage(t *testing.T) {
	var to recorder
	require.NoError(t, SendSweep(t.Context(), &to, edge.Account, edge.Region, at))
	require.Len(t, to.messages, 1)
	require.NoError(t, to.messages[0].Validate(true))
	require.Equal(t, "210987654321/eu-west-1", to.messages[0].Group)
	require.JSONEq(t, `{"kind":"sweep","account":"210987654321","region":"eu-west-1","atMillis":1795165200000}`, to.messages[0].Body)
	r, err := Parse(to.messages[0].Body)
	require.NoError(t, err)
	require.Equal(t, Request{Kind: KindSweep, Account: edge.Account, Region: edge.Region, At: at}, r)
}

func TestASweepOfTheSameMomentIsTheSameMessage(t *testing.T) {
	var to recorder
	require.NoError(t, SendSweep(t.Context(), &to, edge.Account, edge.Region, at))
	require.NoError(t, SendSweep(t.Context(), &to, edge.Account, edge.Region, at))
	require.NoError(t, SendSweep(t.Context(), &to, edge.Account, edge.Region, at.Add(time.Minute)))
	require.Equal(t, to.messages[0].DeduplicationID, to.messages[1].DeduplicationID)
	require.NotEqual(t, to.messages[0].DeduplicationID, to.messages[2].DeduplicationID)
}

// Each cluster has a group to itself: none waits behind another.
func TestPassesOverClustersAreSideBySide(t *testing.T) {
	var to recorder
	require.NoError(t, SendClusters(t.Context(), &to, []Cluster{{Key: edge}, {Key: other, Unlisted: true}}, at))
	require.Len(t, to.messages, 2)
	groups := map[string]bool{}
	for i, want := range []Request{
		{Kind: KindCluster, Account: edge.Account, Region: edge.Region, At: at, Cluster: edge},
		{Kind: KindCluster, Account: other.Account, Region: other.Region, At: at, Cluster: other, Unlisted: true},
	} {
		require.NoError(t, to.messages[i].Validate(true))
		got, err := Parse(to.messages[i].Body)
		require.NoError(t, err)
		require.Equal(t, want, got)
		groups[to.messages[i].Group] = true
	}
	require.Len(t, groups, 2)
	require.NoError(t, SendDescribes(t.Context(), &to, []Hint{{task(edge, "t"), "event"}}))
	require.Equal(t, to.messages[0].Group, to.messages[2].Group, "one cluster is worked on by one at a time")
}

func TestNoClustersAreNoMessage(t *testing.T) {
	require.NoError(t, SendClusters(t.Context(), &recorder{err: errors.New("not called")}, nil, at))
}

func TestASweepsPassIsAskedForOncePerMoment(t *testing.T) {
	var to recorder
	for _, moment := range []time.Time{at, at, at.Add(time.Millisecond)} {
		require.NoError(t, SendClusters(t.Context(), &to, []Cluster{{Key: edge}}, moment))
	}
	require.Equal(t, to.messages[0], to.messages[1])
	require.NotEqual(t, to.messages[0].DeduplicationID, to.messages[2].DeduplicationID)
}

// Who asks every second gets no pass after pass; a sweep's is another matter.
func TestAPassOnDemandIsAskedForOncePerHalfMinute(t *testing.T) {
	var to recorder
	for _, after := range []time.Duration{0, time.Millisecond, 29 * time.Second, 30 * time.Second, 31 * time.Second} {
		require.NoError(t, SendCluster(t.Context(), &to, edge, at.Add(after)))
		asked, err := Parse(to.messages[len(to.messages)-1].Body)
		require.NoError(t, err)
		require.Equal(t, at.Add(after), asked.At, "no pass counts that began before it was asked for")
	}
	id := func(n int) string { return to.messages[n].DeduplicationID }
	require.NotEqual(t, id(0), id(1))
	require.Equal(t, id(1), id(2))
	require.Equal(t, id(2), id(3))
	require.NotEqual(t, id(3), id(4))
	require.NoError(t, SendClusters(t.Context(), &to, []Cluster{{Key: edge}}, at))
	require.NotEqual(t, id(0), id(5))
	to.err = errors.New("no such queue")
	require.ErrorContains(t, SendCluster(t.Context(), &to, edge, at), "asking for passes over 1 clusters: no such queue")
}

// A cluster's name may have 255 characters, a group and a deduplication id 128.
func TestALongNameFitsIntoAMessage(t *testing.T) {
	var to recorder
	long := edge
	var clusters []Cluster
	for _, last := range []string{"a", "b"} {
		long.Name = strings.Repeat("x", 254) + last
		clusters = append(clusters, Cluster{Key: long})
	}
	require.NoError(t, SendClusters(t.Context(), &to, clusters, at))
	for _, message := range to.messages {
		require.NoError(t, message.Validate(true))
	}
	require.NotEqual(t, to.messages[0].Group, to.messages[1].Group)
	require.NotEqual(t, to.messages[0].DeduplicationID, to.messages[1].DeduplicationID)
}

func TestHintsOfAClusterShareAMessage(t *testing.T) {
	var to recorder
	require.NoError(t, SendDescribes(t.Context(), &to, []Hint{
		{instance(edge, "b"), "event-1"},
		{task(other, "t"), "event-2"},
		{instance(edge, "a"), "event-3"},
		{instance(edge, "b"), "event-4"},
		{task(edge, "x"), "event-5"},
	}))
	require.Len(t, to.messages, 2)
	first, err := Parse(to.messages[0].Body)
	require.NoError(t, err)
	require.Equal(t, Request{Kind: KindDescribe, Account: other.Account, Region: other.Region, Cluster: other, Tasks: []string{"t"}}, first)
	second, err := Parse(to.messages[1].Body)
	require.NoError(t, err)
	require.Equal(t, Request{
		Kind: KindDescribe, Account: edge.Account, Region: edge.Region, Cluster: edge, Tasks: []string{"x"}, Instances: []string{"a", "b"},
	}, second)
	require.Equal(t, []string{other.String(), edge.String()}, []string{to.messages[0].Group, to.messages[1].Group})
	for _, message := range to.messages {
		require.NoError(t, message.Validate(true))
	}
}

// SQS drops a second message with the same id within five minutes: what is new
// must not look like what was there.
func TestAnotherEventAsksAgain(t *testing.T) {
	send := func(cause string) string {
		var to recorder
		require.NoError(t, SendDescribes(t.Context(), &to, []Hint{{instance(edge, "a"), cause}}))
		return to.messages[0].DeduplicationID
	}
	first := send("event-1")
	require.Equal(t, first, send("event-1"))
	require.NotEqual(t, first, send("event-2"))
}

func TestManyHintsAreManyMessages(t *testing.T) {
	var to recorder
	hints := make([]Hint, 2*MaxIDs+1)
	for i := range hints {
		hints[i] = Hint{task(edge, fmt.Sprintf("%03d", i)), "event"}
	}
	require.NoError(t, SendDescribes(t.Context(), &to, hints))
	require.Len(t, to.messages, 3)
	for _, message := range to.messages {
		_, err := Parse(message.Body)
		require.NoError(t, err)
	}
}

func TestNoHintsAreNoMessage(t *testing.T) {
	to := recorder{err: errors.New("not called")}
	require.NoError(t, SendDescribes(t.Context(), &to, nil))
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`nonsense`:                           "invalid character",
		`{"kind":"purge"}`:                   `kind "purge", allowed are sweep, cluster and describe`,
		`{"kind":"cluster","cluster":"1/2"}`: "allowed is ACCOUNT/REGION/NAME",
		`{"kind":"cluster","cluster":"210987654321/eu-west-1/edge"}`: "a pass over a cluster needs atMillis",
		`{"kind":"sweep"}`:                     "a sweep needs account, region and atMillis",
		`{"kind":"describe","cluster":"edge"}`: "allowed is ACCOUNT/REGION/NAME",
	} {
		_, err := Parse(text)
		require.ErrorContains(t, err, want, text)
	}
}
