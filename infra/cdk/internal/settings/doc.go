// Package settings holds the parameters of a deployment: what `cdk deploy -c name=value` and the context of cdk.json may
// set, what is allowed, and what holds when nothing is given. Reading them is pure, so that every refusal is tested
// without the CDK.
package settings
