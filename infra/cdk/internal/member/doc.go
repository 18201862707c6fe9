// Package member joins other accounts and regions to an installation of Blox.
//
// A member needs a stack of its own, for three reasons that no permission of the installation can replace: EventBridge
// delivers ECS's events to the default bus of the account and region where they happen, and only a rule there can pass
// them on; across regions a rule's target can only be another event bus; and calls to ECS are signed for the account they
// are about, so the functions have to assume a role in it.
//
//	member account or region                        installation's account and region
//	ECS ─► default bus ─► rule ─► role ───────────► bus blox-NAME-members ─► rule ─► events queue
//	       ECS calls ◄── role blox-NAME-read ◄───── functions reconcile, api
//	       ECS calls ◄── role blox-NAME-scheduler ◄ function drive
//
// The events go to a bus of their own and not to the installation's default bus. Whoever may put events on a bus can set
// off every rule on it: on the default bus those are all rules of the account, on this one there is only ours. It comes
// and goes with the stack, too.
package member
