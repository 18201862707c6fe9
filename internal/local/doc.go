// Package local runs all of Blox in one process: the simulator of package ecssim in the place of Amazon ECS, the Lambda
// functions' own handlers, and between them what AWS would provide, as thin as its behaviour allows.
//
//	ECS simulator ─► rule ─► events queue ─► ingest ─► STATE table ─► stream ─► scheduler (dispatch)
//	      ▲                                    ▲                                     │ wake-ups queue
//	      │             schedule ─► reconcile ─┘     schedule ─► scheduler (drive) ◄─┘
//	      └────────────────────────────────────────────────────────────┘
//	HTTP ─► gateway ─► api
//
// Every function is called through aws-lambda-go with the JSON that Lambda would hand it, so that local mode runs what
// is deployed: batches of ten from a queue that delivers at least once, partial batch answers, stream batches that are
// retried in order, schedules, API Gateway requests.
//
// The tables are in memory (package dynamo/memory) or on DynamoDB Local or any other endpoint that speaks DynamoDB.
package local
