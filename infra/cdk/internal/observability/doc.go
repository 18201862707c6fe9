// Package observability tells people when an installation of Blox needs them, and shows how it does: alarms on one SNS
// topic, and a dashboard.
//
// An alarm that nobody acts on is worse than none, so each one names in its description what it means, what to do first,
// and its section of the runbook in docs/deploy.md. All alarms are of standard resolution. CloudWatch charges by the
// metric that an alarm looks at; internal/cost works out what they come to.
//
// What is not in the periods and thresholds themselves: SQS, Lambda and DynamoDB report once a minute and up to some
// minutes late, so "at once" means a few minutes; and a metric that is only reported when something happens (errors,
// throttles, an empty queue) has its missing data treated as good. The two alarms that watch for silence treat it as bad.
package observability
