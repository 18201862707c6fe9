// Package api builds the REST API in front of the api and the stream function, from the API's OpenAPI document, and the
// managed policies for the people who call it.
//
// Every path, method, parameter and schema comes from api/openapi-3.0.yaml, the 3.0 form of api/openapi.yaml: `make
// openapi` writes both. (API Gateway knows OpenAPI 3.0 and not 3.1.) Nothing is imported into API Gateway as a document,
// because every method, model and permission is then visible in the template, and a change of one of them in `make diff`.
//
// # What API Gateway checks, and what it leaves to the function
//
// It checks signatures and permissions of every request (AWS_IAM on every method), that required parameters are there,
// and bodies against their schema. It hands on all else: parameters that nobody knows, for which the function's error
// lists those allowed, values of parameters, which API Gateway never looks at, and bodies that are not declared as JSON,
// which the function answers with 415. The function checks everything once more.
//
// # Paths with slashes
//
// {arn} or {cluster} at the end of a path becomes {arn+} or {cluster+}, which takes the rest of the path: ARNs hold
// slashes. Another path that goes on there, as /v1/clusters/{cluster}/reconcile, arrives at the same resource under its own
// method, and the function tells them apart by the path: API Gateway allows nothing beside or behind such a parameter.
// A cluster's ARN in the middle of a path has to be sent with its slash escaped, as %2F. Whether API Gateway
// unescapes it before it picks the resource is not documented for REST APIs. It does not matter here: unescaped, the
// cluster's name becomes the first part of {arn+}, the same resource matches, and the function puts the two together
// again (EntityPath in internal/httpapi). Such a request's signature has to escape the path twice (%252F), as SigV4 asks
// of every service but S3; the AWS SDKs' signers do so. A cluster's name instead of its ARN avoids the question.
package api
