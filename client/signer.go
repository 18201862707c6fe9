package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Signer puts a signature on a request.
type Signer interface {
	// Sign changes the request's headers; body is all of its body.
	Sign(ctx context.Context, request *http.Request, body []byte) error
}

// signingName is API Gateway's.
const signingName = "execute-api"

type sigV4 struct {
	credentials aws.CredentialsProvider
	region      string
	signer      *v4.Signer
	now         func() time.Time
}

// CredentialsError says that there are no AWS credentials to sign with, or that they cannot be had any more.
type CredentialsError struct{ Err error }

func (e *CredentialsError) Error() string { return "getting AWS credentials: " + e.Err.Error() }

// Unwrap is what the credentials' provider said.
func (e *CredentialsError) Unwrap() error { return e.Err }

// gatewayHost is a name that API Gateway gives, which tells the region: of a regional API, of one behind a VPC endpoint,
// in China, with IPv6.
var gatewayHost = regexp.MustCompile(`\.execute-api\.([a-z0-9-]+)\.(?:(?:vpce\.)?amazonaws\.com(?:\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)$`)

// SigningRegion is the region that an endpoint's name tells, or empty where it tells none: a custom domain name, or an
// address that is not API Gateway's.
func SigningRegion(endpoint string) string {
	parsed, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	if match := gatewayHost.FindStringSubmatch(parsed.Hostname()); match != nil {
		return match[1]
	}
	return ""
}

// NewSigner signs with AWS Signature Version 4, as an API Gateway with AWS_IAM wants it, in the API's region.
func NewSigner(credentials aws.CredentialsProvider, region string) Signer {
	return &sigV4{credentials: credentials, region: region, signer: v4.NewSigner(), now: time.Now}
}

// Sign puts the signature into the request's headers.
func (s *sigV4) Sign(ctx context.Context, request *http.Request, body []byte) error {
	credentials, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return &CredentialsError{err}
	}
	sum := sha256.Sum256(body)
	return s.signer.SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), signingName, s.region, s.now())
}
