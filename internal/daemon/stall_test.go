package daemon

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	agentAway = hostChange(func(h *Host) { h.AgentConnected = false })
	drains    = hostChange(func(h *Host) { h.Status, h.OtherTasks = StatusDraining, 2 })
)

// advanced is the deployment after a plan: as it is to be stored, or as it was.
func advanced(s Snapshot, now time.Time) Deployment {
	for _, a := range Plan(s, now) {
		if a.Kind == Advance {
			return *a.Deployment
		}
	}
	return *s.Deployment
}

// after plans again and again, one minute after the other, with the hosts that are updated at each.
func after(t *testing.T, hosts int, updated ...int) Deployment {
	t.Helper()
	s := fixture()
	for minute, n := range updated {
		now := t0.Add(time.Duration(minute) * time.Minute)
		next := fixture()
		next.Deployment = s.Deployment
		for key, f := range next.Clusters {
			f.SyncedAt = now
			next.Clusters[key] = f
		}
		for host := range hosts {
			if host < n {
				next = next.with(host, running(2))
			} else {
				next = next.with(host, running(1))
			}
		}
		dep := advanced(next, now)
		s.Deployment = &dep
	}
	return *s.Deployment
}

// times is a run of the same count.
func times(n, count int) []int {
	run := make([]int, n)
	for i := range run {
		run[i] = count
	}
	return run
}

func TestADeploymentThatDoesNotComeForwardIsStuck(t *testing.T) {
	half := func(n int) []int { return append([]int{1, 5}, times(n, 5)...) }
	require.False(t, after(t, 10, half(29)...).Stuck(), "30 minutes are not over")
	stuck := after(t, 10, half(30)...)
	require.True(t, stuck.Stuck())
	require.Equal(t, t0.Add(31*time.Minute), *stuck.Progress.StuckSince)
	require.Equal(t, t0.Add(time.Minute), stuck.CameForwardAt())
	require.Equal(t, "no host was updated since 2026-11-20T09:01:00Z, 5 of 10 are left", stuck.StuckReason())

	require.False(t, after(t, 10, append(half(40), 6)...).Stuck(), "one more host is progress")
	require.False(t, after(t, 10, append(half(40), 10)...).Stuck(), "it has ended")
	require.Equal(t, DeploymentCompleted, after(t, 10, append(half(40), 10)...).Status)
}

// A daemon that crashes every other minute is healthy now and then. That is no progress, nor is a host that comes back
// to where it was.
func TestToAndFroIsNoProgress(t *testing.T) {
	var flapping []int
	for range 16 {
		flapping = append(flapping, 5, 4)
	}
	require.True(t, after(t, 10, flapping...).Stuck())
}

// counted is what is counted of a rollout's hosts at some moment.
type counted struct{ hosts, updated int }

// TestHostsThatComeAndGoHideNoStuckDeployment counts again and again, and says when the deployment last came forward.
func TestHostsThatComeAndGoHideNoStuckDeployment(t *testing.T) {
	for name, c := range map[string]struct {
		counts []counted
		want   int // the last count that was progress
	}{
		"nothing happens":                                 {[]counted{{10, 7}, {10, 7}, {10, 7}}, 0},
		"one more is updated":                             {[]counted{{10, 7}, {10, 8}, {10, 8}}, 1},
		"an updated one leaves":                           {[]counted{{10, 7}, {9, 6}}, 0},
		"and comes back as it was":                        {[]counted{{10, 7}, {9, 6}, {10, 7}}, 0},
		"and comes back without, and gets it":             {[]counted{{10, 7}, {9, 6}, {10, 6}, {10, 7}}, 0},
		"others take the place of it again and again":     {[]counted{{10, 7}, {9, 6}, {10, 7}, {9, 6}, {10, 6}, {10, 7}, {9, 6}, {10, 7}}, 0},
		"others come first, then it leaves":               {[]counted{{10, 7}, {11, 7}, {11, 8}, {10, 7}, {11, 7}, {11, 8}, {10, 7}}, 2},
		"one without leaves":                              {[]counted{{10, 7}, {9, 7}}, 0},
		"and the others go on":                            {[]counted{{10, 7}, {9, 7}, {9, 8}}, 2},
		"one comes":                                       {[]counted{{10, 7}, {11, 7}}, 0},
		"and gets the revision":                           {[]counted{{10, 7}, {11, 7}, {11, 8}}, 2},
		"half of all leave":                               {[]counted{{100, 50}, {60, 30}}, 0},
		"and the others go on from there":                 {[]counted{{100, 50}, {60, 30}, {60, 31}}, 2},
		"all without leave":                               {[]counted{{10, 7}, {7, 7}}, 0},
		"a daemon is lost and back while hosts leave":     {[]counted{{10, 7}, {9, 5}, {9, 6}, {9, 5}, {9, 6}}, 0},
		"all leave, and as many come and are all updated": {[]counted{{10, 7}, {0, 0}, {10, 0}, {10, 7}, {10, 8}}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			var p Progress
			minute := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }
			for n, count := range c.counts {
				p = p.comeForward(Counts{Desired: count.hosts, Updated: count.updated}, minute(n))
				require.GreaterOrEqual(t, p.Remaining, 0)
			}
			require.Equal(t, minute(c.want), *p.At)
		})
	}
}

// Three of ten hosts never get the revision, and every twenty minutes another one is away for a minute: as one that comes
// back with its daemon, or as one that needs a new daemon first.
func TestADayOfHostsThatComeAndGoIsADayStuck(t *testing.T) {
	for name, back := range map[string]func(minute int) counted{
		"back at once": func(int) counted { return counted{10, 7} },
		"as a new host": func(minute int) counted {
			if minute%20 < 3 {
				return counted{10, 6}
			}
			return counted{10, 7}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dep, stuck := Deployment{Status: DeploymentRunning, CreatedAt: t0}, 0
			var since []time.Time
			for minute := range 24 * 60 {
				now, seen := t0.Add(time.Duration(minute)*time.Minute), back(minute)
				if minute%20 == 0 && minute > 0 {
					seen = counted{9, 6}
				} else if minute < 20 {
					seen = counted{10, 7}
				}
				dep.Progress = dep.Progress.comeForward(Counts{Desired: seen.hosts, Updated: seen.updated}, now)
				if dep = dep.stall(DefaultSettings(), dep.CameForwardAt(), now); dep.Stuck() {
					stuck++
					since = append(since, dep.CameForwardAt())
				}
			}
			require.Equal(t, 24*60-30, stuck, "minutes")
			require.Len(t, slices.Compact(since), 1, "it is one time of being stuck, and told once")
		})
	}
}

// A host without room is tried again and again, and looks free for a moment each time.
func TestHostsThatAreBlockedAgainSoonAreNoNews(t *testing.T) {
	roomless := slotted(func(slot *Slot) { slot.Blocked, slot.Reason = true, "RESOURCE:MEMORY" })
	dep := *fixture().Deployment
	look := func(minute int, host func(*Snapshot, *Host)) Deployment {
		s := fixture().with(1, running(1)).with(2, host)
		s.Deployment = &dep
		dep = advanced(s, t0.Add(time.Duration(minute)*time.Minute))
		return dep
	}
	require.Equal(t, t0, *look(0, roomless).Progress.BlockedSince)
	dep.ToldBlocked = true
	for minute := 1; minute < 30; minute += 2 {
		require.True(t, look(minute, running(1)).ToldBlocked, "a moment")
		require.Zero(t, dep.Progress.Blocked, "the number is true all the same")
		require.True(t, look(minute+1, roomless).ToldBlocked)
		require.Equal(t, t0, *dep.Progress.BlockedSince)
		require.Nil(t, dep.Progress.UnblockedSince)
	}
	require.True(t, look(40, running(1)).ToldBlocked)
	require.True(t, look(49, running(1)).ToldBlocked)
	require.False(t, look(50, running(1)).ToldBlocked, "ten minutes without")
	require.Equal(t, t0.Add(51*time.Minute), *look(51, roomless).Progress.BlockedSince, "that is news")
}

func TestADeploymentWhoseClustersAreNeverReconciledIsStuck(t *testing.T) {
	pending := func(age time.Duration) Snapshot {
		s := unsynced(fixture()).with(1)
		dep := *s.Deployment
		dep.Status, dep.CreatedAt = DeploymentPending, t0.Add(-age)
		s.Deployment = &dep
		return s
	}
	require.Empty(t, Plan(pending(29*time.Minute), t0))
	require.Equal(t, []string{"advance pending"}, brief(Plan(pending(30*time.Minute), t0)))
	stuck := advanced(pending(30*time.Minute), t0)
	require.True(t, stuck.Stuck())
	require.Contains(t, stuck.StuckReason(), "no cluster of the environment was reconciled yet")

	again := pending(30 * time.Minute)
	again.Deployment = &stuck
	require.Empty(t, Plan(again, t0.Add(time.Minute)), "it is stored once")

	again = fixture().with(1)
	again.Deployment = &stuck
	require.False(t, advanced(again, t0).Stuck(), "now it begins")
}

func TestPeopleAreToldAgainOfWhatIsBack(t *testing.T) {
	told := Deployment{
		ID: "d-2", EnvironmentID: "env", Revision: 2, Status: DeploymentRunning, CreatedAt: t0.Add(-time.Hour), ToldStuck: true, ToldBlocked: true,
		Progress: Progress{
			At: ago(time.Hour), Desired: 2, Remaining: 2, StuckSince: ago(30 * time.Minute), Blocked: 1, BlockedSince: ago(time.Hour),
			UnblockedSince: ago(10 * time.Minute),
		},
	}
	s := fixture().with(1, running(1)).with(2, slotted(func(slot *Slot) { slot.Blocked, slot.Reason = true, "RESOURCE:MEMORY" }))
	s.Deployment = &told
	got := advanced(s, t0)
	require.True(t, got.ToldStuck)
	require.True(t, got.ToldBlocked)
	require.Equal(t, 1, got.Progress.Blocked)

	s = fixture().with(1, running(2)).with(2, running(1))
	s.Deployment = &told
	got = advanced(s, t0)
	require.False(t, got.ToldStuck)
	require.False(t, got.ToldBlocked)
}

func TestHostsWithoutAHealthyDaemon(t *testing.T) {
	lacking := func(d time.Duration) func(*Slot) {
		return func(s *Slot) { s.HealthySince, s.UnhealthySince = nil, ago(d) }
	}
	const grace = 10 * time.Minute
	sick := placed(2, StatusRunning, "PENDING")
	for name, c := range map[string]struct {
		snapshot Snapshot
		want     int
	}{
		"a healthy daemon":                    {fixture().with(1, running(2)), 0},
		"a daemon that starts":                {fixture().with(1, sick, slotChange(lacking(grace-1))), 0},
		"a daemon that never starts":          {fixture().with(1, sick, slotChange(lacking(grace))), 1},
		"no room":                             {fixture().with(1, slotted(lacking(grace)), slotChange(func(s *Slot) { s.Blocked = true })), 1},
		"an agent that is away":               {fixture().with(1, slotted(lacking(grace)), agentAway), 1},
		"a host that is news":                 {fixture().with(1), 0},
		"a daemon that is well again":         {fixture().with(1, running(2), slotChange(func(s *Slot) { s.UnhealthySince = ago(time.Hour) })), 0},
		"a draining host":                     {fixture().with(1, slotted(lacking(grace)), drains), 0},
		"a Managed Instances host":            {fixture().with(1, slotted(lacking(grace)), hostChange(func(h *Host) { h.Managed = true })), 0},
		"a host that has left":                {fixture().with(1, slotted(lacking(grace)), hostChange(func(h *Host) { h.Status = statusInactive })), 0},
		"a cluster that was never reconciled": {unsynced(fixture()).with(1, slotted(lacking(grace))), 0},
		"two of three": {
			fixture().with(1, running(2)).with(2, slotted(lacking(grace))).with(3, slotted(lacking(time.Hour))), 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := HostsWithoutHealthyDaemon(c.snapshot, t0)
			require.True(t, ok)
			require.Equal(t, c.want, got)
		})
	}
}

func TestWhoCannotTellHowManyHostsLackADaemon(t *testing.T) {
	lacking := func() Snapshot {
		return fixture().with(1, slotted(func(s *Slot) { s.UnhealthySince = ago(time.Hour) }))
	}
	partial, deleting, undone := lacking(), lacking(), lacking()
	partial.Full = false
	deleting.Environment.Status = EnvironmentDeleting
	undone.Deployment = nil
	for _, s := range []Snapshot{partial, deleting, undone} {
		_, ok := HostsWithoutHealthyDaemon(s, t0)
		require.False(t, ok)
	}
}

// The time without a healthy daemon goes through the slot's whole life, whatever the scheduler does on the way.
func TestSinceWhenAHostLacksADaemon(t *testing.T) {
	// It begins when the host is seen without one.
	require.Equal(t, t0, *tended(t, fixture().with(1)).UnhealthySince)
	waiting := completed(fixture()).with(1, agentAway)
	require.Equal(t, t0, *tended(t, waiting).UnhealthySince, "nothing is started, and it is remembered all the same")

	// It stays through attempts that fail.
	since := ago(5 * time.Minute)
	lacking := func(s *Slot) { s.UnhealthySince = since }
	require.Equal(t, since, tended(t, fixture().with(1, slotted(lacking))).UnhealthySince)
	crashed := fixture().with(1, placed(2, StatusStopped, StatusStopped), slotChange(func(s *Slot) {
		s.HealthySince, s.UnhealthySince = ago(steadyAfter-1), since
	}))
	require.Equal(t, since, tended(t, crashed).UnhealthySince, "a daemon that crashes at every start is no daemon")

	// It begins anew after a daemon that was well for a minute, whatever ended it.
	wasWell := func(s *Slot) { s.HealthySince, s.UnhealthySince = ago(steadyAfter), since }
	for name, s := range map[string]Snapshot{
		"dead":      fixture().with(1, placed(2, StatusStopped, StatusStopped), slotChange(wasWell)),
		"unhealthy": fixture().with(1, running(2), slotChange(wasWell), func(s *Snapshot, _ *Host) { s.Tasks[0].Health = "UNHEALTHY" }),
		"replaced":  fixture().with(1, running(1), slotChange(wasWell)),
	} {
		require.Equal(t, t0, *tended(t, s).UnhealthySince, name)
	}
	slot := fixture().with(1, running(2), slotChange(wasWell)).Slots[0]
	slot.PlacedAt = ago(time.Hour)
	require.Equal(t, t0, *Resolved(slot, nil, DefaultSettings(), t0).UnhealthySince, "ECS does not know it")

	// A host that ought to have none has no time.
	require.Nil(t, tended(t, fixture().with(1, slotted(lacking), drains)).UnhealthySince)
}
