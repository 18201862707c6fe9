package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
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

// NewSigner signs with AWS Signature Version 4, as an API Gateway with AWS_IAM wants it, in the API's region.
func NewSigner(credentials aws.CredentialsProvider, region string) Signer {
	return &sigV4{credentials: credentials, region: region, signer: v4.NewSigner(), now: time.Now}
}

// Sign puts the signature into the request's headers.
func (s *sigV4) Sign(ctx context.Context, request *http.Request, body []byte) error {
	credentials, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("getting AWS credentials: %w", err)
	}
	sum := sha256.Sum256(body)
	return s.signer.SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), signingName, s.region, s.now())
}
