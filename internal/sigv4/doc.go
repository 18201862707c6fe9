// Package sigv4 verifies AWS Signature Version 4 as an API Gateway method with AWS_IAM does, for a server that stands in
// API Gateway's place: `blox local --auth iam` and the emulated deployment of the tests.
//
// A signature is checked by making it again: the parts of the request that its SignedHeaders name are signed once more,
// with the SDK's own signer and the secret of the access key that the request names, and the two are compared in constant
// time. So the rules of canonical form (paths encoded twice, query parameters sorted after encoding, spaces in header
// values) are the SDK's.
//
// What is refused is an *Error that names API Gateway's exception and the gateway response that it becomes. It never
// says what the signature should have been made of: API Gateway's own message does, and hands a forger the canonical
// request.
//
// Not taken, though AWS does: a signature in the query (a presigned URL), the Date header in the place of X-Amz-Date, and
// a signed content-length of 0, which the SDK's signer cannot make.
package sigv4
