// Package member reaches Amazon ECS in the accounts and regions that an installation works in: its home, where it is
// deployed, with its own credentials, and its members, each through a role that the member's stack made there.
//
// A role of its own in each region, though IAM is global, keeps one region's stack independent of another's: either can
// be deleted. The external id is what the member's roles ask for, so that nobody else who can name them can have our
// functions assume them.
package member
