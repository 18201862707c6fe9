package daemon

import "fmt"

// Sentence says in plain words why there is no daemon on the host, why it is not updated, or that it is well.
func (h HostStatus) Sentence() string {
	return h.Host.EC2InstanceID + " " + h.about() + h.then() + "."
}

// about says how the host is doing.
func (h HostStatus) about() string {
	switch h.State {
	case HostHealthy:
		return h.aboutHealthy()
	case HostSettling:
		return fmt.Sprintf("has a daemon of revision %d that works%s", h.Revision, h.since())
	case HostStarting:
		return h.withoutOr("has a daemon that is starting") + h.since() + reasonOf(h.Reason)
	case HostUnhealthy:
		return "has a daemon that is not healthy" + h.since() + reasonOf(h.Reason)
	case HostStopping:
		return h.withoutOr("has a daemon that is being stopped") + h.since() + reasonOf(h.Reason)
	case HostWaiting:
		return "has no daemon" + h.since() + reasonOf(h.Reason)
	case HostFailing:
		return "has no daemon" + h.since() + reasonOf(h.Reason) + h.tries("failed")
	case HostBlocked:
		return "has no daemon" + h.since() + ": ECS found no room for it, or the host unfit (" + h.Reason + ")" + h.tries("refused")
	case HostHandingOver:
		return "has the daemon of the ECS service that the environment takes over from"
	case HostReleased:
		return "has no daemon" + h.since() + reasonOf(h.Reason)
	case HostAway:
		return h.daemon() + ", and its agent is not connected" + h.since()
	case HostDraining:
		return h.daemon() + ", and is draining" + h.since()
	case HostIneligible:
		return h.daemon() + ", and is to have none" + reasonOf(h.Reason)
	case HostGone:
		return "is not in its cluster any more"
	case HostUnknown:
		return "may have a daemon or not" + reasonOf(h.Reason)
	}
	return "is " + string(h.State)
}

func (h HostStatus) aboutHealthy() string {
	if h.Updated || h.Target == 0 || h.Revision == h.Target {
		return fmt.Sprintf("is well: its daemon of revision %d has been healthy%s", h.Revision, h.since())
	}
	return fmt.Sprintf("has a healthy daemon of %s, and is to have revision %d", revisionWord(h.Revision), h.Target)
}

func revisionWord(number int) string {
	if number == 0 {
		return "an unknown revision"
	}
	return fmt.Sprintf("revision %d", number)
}

// withoutOr tells of the task that serves on meanwhile, if there is one.
func (h HostStatus) withoutOr(about string) string {
	if h.FormerTaskARN != "" && h.Healthy {
		return about + " beside the old one"
	}
	return about
}

func (h HostStatus) daemon() string {
	switch {
	case h.Healthy:
		return "has a healthy daemon"
	case h.TaskARN != "":
		return "has a daemon that is not known to be healthy"
	}
	return "has no daemon"
}

func (h HostStatus) tries(how string) string {
	switch {
	case h.Failures == 0:
		return ""
	case h.Failures == 1:
		return ", " + how + " once"
	}
	return fmt.Sprintf(", %s %d times in a row", how, h.Failures)
}

// then says what comes next, or what is waited for.
func (h HostStatus) then() string {
	switch {
	case h.Next != "" && !aboutAttribute(h.Next):
		return "; " + nextWords(h.Next)
	case h.WaitsFor != "" && h.WaitsFor != h.Reason:
		return "; " + h.WaitsFor
	case h.Next != "":
		return "; its readiness attribute is being changed now"
	case h.RetryAt != nil:
		return "; next try at " + clock(*h.RetryAt)
	}
	return ""
}

// nextWords tells a step that is due now.
func nextWords(kind Kind) string {
	switch kind {
	case Start, Replay:
		return "one is being started now"
	case Surge:
		return "the next one is being started beside it now"
	case Stop, Restop:
		return "it is being stopped now"
	case StopFormer:
		return "the old one is being stopped now"
	case StopStray:
		return "a second one there is being stopped now"
	case HandOver:
		return "it is being taken over now"
	case SetAttribute, DeleteAttribute, Resolve, Observe, Forget, Advance, Wake, Finish:
	}
	return "next: " + string(kind)
}

func (h HostStatus) since() string {
	if h.Since == nil {
		return ""
	}
	return " since " + clock(*h.Since)
}

func reasonOf(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}
