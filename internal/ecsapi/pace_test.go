package ecsapi

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/ecssim"
)

// pacing is a pace of ten calls a second on a clock that pauses move.
type pacing struct {
	*Pace
	now    time.Time
	paused []time.Duration
}

func newPacing() *pacing {
	p := &pacing{now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
	p.Pace = &Pace{
		PerSecond: 10, Now: func() time.Time { return p.now }, Random: func() float64 { return 0.5 },
		Pause: func(ctx context.Context, d time.Duration) error {
			p.paused = append(p.paused, d)
			p.now = p.now.Add(d)
			return ctx.Err()
		},
	}
	return p
}

var errThrottled = &smithy.GenericAPIError{Code: "ThrottlingException", Message: "Rate exceeded"}

// throttlingECS refuses the first calls.
type throttlingECS struct {
	fakeECS
	refuse, asked int
}

func (e *throttlingECS) DescribeTasks(ctx context.Context, in *ecs.DescribeTasksInput, opts ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error) {
	if e.asked++; e.asked <= e.refuse {
		return nil, errThrottled
	}
	return e.fakeECS.DescribeTasks(ctx, in, opts...)
}

// perSecond is the rate at which calls are made.
func (p *pacing) perSecond(t *testing.T) float64 {
	t.Helper()
	return p.rate(p.now)
}

func TestAThrottleHalvesTheRateAndTimeGivesItBack(t *testing.T) {
	p := newPacing()
	require.InDelta(t, 10, p.perSecond(t), 0)
	p.throttled()
	require.InDelta(t, 5, p.perSecond(t), 0)
	p.now = p.now.Add(sameThrottle - 1)
	p.throttled()
	require.InDelta(t, 5.17, p.perSecond(t), 0.01, "calls that were under way count once")
	p.now = p.now.Add(1)
	p.throttled()
	require.InDelta(t, 2.58, p.perSecond(t), 0.01)
	for range 20 {
		p.now = p.now.Add(sameThrottle)
		p.throttled()
	}
	require.InDelta(t, 10*slowest, p.perSecond(t), 0.1, "never nothing")
	p.now = p.now.Add(recovery / 2)
	require.InDelta(t, 5.1, p.perSecond(t), 0.1)
	p.now = p.now.Add(recovery / 2)
	require.InDelta(t, 10, p.perSecond(t), 0)
}

func TestCallsKeepTheirDistanceAfterAThrottle(t *testing.T) {
	p := newPacing()
	began := p.now
	for range 50 {
		require.NoError(t, p.Wait(t.Context(), 1))
	}
	require.Equal(t, began, p.now, "at the full rate only the limiter makes wait")
	p.throttled()
	for range 50 {
		require.NoError(t, p.Wait(t.Context(), 1))
	}
	require.InDelta(t, 8, p.now.Sub(began).Seconds(), 1, "5 a second at first, and a sixth more with each second")
}

func TestWhatIsThrottledIsTriedAgain(t *testing.T) {
	p := newPacing()
	limiter := &counting{}
	p.Limiter = limiter
	api := &throttlingECS{refuse: 3}
	seen, _, err := DescribeTasks(t.Context(), Paced(api, p.Pace), testCluster, names("task", 0, 2), p.now)
	require.NoError(t, err)
	require.Len(t, seen, 2)
	require.Equal(t, 4, limiter.n, "each try is paid for")
	require.Contains(t, p.paused, 100*time.Millisecond)
	require.Contains(t, p.paused, 200*time.Millisecond)
	require.Contains(t, p.paused, 400*time.Millisecond)
}

func TestTryingAgainHasAnEnd(t *testing.T) {
	p := newPacing()
	began := p.now
	api := &throttlingECS{refuse: 1000}
	_, _, err := DescribeTasks(t.Context(), Paced(api, p.Pace), testCluster, names("task", 0, 1), p.now)
	require.ErrorContains(t, err, "ECS throttled")
	require.True(t, IsThrottled(err))
	require.LessOrEqual(t, api.asked, throttleTries)
	require.LessOrEqual(t, p.now.Sub(began), time.Minute)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = DescribeTasks(ctx, Paced(&throttlingECS{refuse: 1}, newPacing().Pace), testCluster, names("task", 0, 1), p.now)
	require.ErrorContains(t, err, "no time is left after ECS throttled 1 tries")
}

// waited grants a call after a while.
type waited struct {
	*pacing
	d time.Duration
}

func (w waited) Wait(context.Context, int) error {
	w.now = w.now.Add(w.d)
	return nil
}

// Who waits for the budget has not been refused by ECS.
func TestWaitingForTheBudgetTakesNoTries(t *testing.T) {
	p := newPacing()
	p.Limiter = waited{p, 90 * time.Second}
	api := &throttlingECS{refuse: throttleTries - 1}
	_, _, err := DescribeTasks(t.Context(), Paced(api, p.Pace), testCluster, names("task", 0, 1), p.now)
	require.NoError(t, err)
	require.Equal(t, throttleTries, api.asked)
}

func TestOtherErrorsAreNotTriedAgain(t *testing.T) {
	p := newPacing()
	api := &fakeECS{err: errors.New("out of order")}
	_, _, err := DescribeTasks(t.Context(), Paced(api, p.Pace), testCluster, names("task", 0, 1), p.now)
	require.ErrorContains(t, err, "out of order")
	require.Len(t, api.calls, 1)
	require.InDelta(t, 10, p.perSecond(t), 0)
}

func TestRunTaskIsNotPaced(t *testing.T) {
	p := newPacing()
	p.Limiter = &counting{err: errors.New("empty")}
	started := &starting{}
	_, err := Paced(started, p.Pace).RunTask(t.Context(), &ecs.RunTaskInput{})
	require.NoError(t, err)
	require.Equal(t, 1, started.n)
}

type starting struct {
	API
	n int
}

func (s *starting) RunTask(context.Context, *ecs.RunTaskInput, ...func(*ecs.Options)) (*ecs.RunTaskOutput, error) {
	s.n++
	return &ecs.RunTaskOutput{Tasks: []types.Task{}}, nil
}

// The SDK would hide throttles by trying again itself.
func TestTheClientLeavesThrottlesToThePace(t *testing.T) {
	sim := ecssim.New(ecssim.Config{}, time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC))
	asked := 0
	transport := &ecssim.Transport{Sim: sim, Now: time.Now, Observe: func(string, int) { asked++ }}
	client := ecs.New(ecs.Options{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("testing", "testing", ""),
		HTTPClient: &http.Client{Transport: transport},
	}, LeaveThrottles)
	sim.Faults().SetThrottled("ListClusters")
	_, err := client.ListClusters(t.Context(), &ecs.ListClustersInput{MaxResults: aws.Int32(1)})
	require.True(t, IsThrottled(err), err)
	require.Equal(t, 1, asked)
}
