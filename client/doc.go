// Package client calls the Blox API: cluster state (tasks and container instances), environments and deployments.
//
//	blox, err := client.New(client.Options{Endpoint: "http://127.0.0.1:8080"})
//	for task, err := range blox.ListTasks(ctx, client.TaskFilter{Cluster: "edge", Status: "running"}) {
//
// Where the API stands behind AWS_IAM, give a Signer made from AWS credentials (NewSigner). Answers other than success
// are an *Error. Calls that may be repeated safely are retried, a few times and with growing pauses, when the API is
// overloaded or not reachable.
package client
