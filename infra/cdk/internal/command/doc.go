// Package command runs the pinned AWS CDK command for Blox's stack. It checks beforehand what the CDK reports late or
// badly (Node.js, the region), builds the functions and the app, and turns what the CDK and CloudFormation say when
// they fail into one sentence that tells what to do.
//
// It makes no call to AWS: the CDK makes them all, with the credentials that the AWS SDK finds, and its version is
// pinned, so that what it says is known.
package command
