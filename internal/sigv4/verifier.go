package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// MaxSkew is how far a signature's time may be from the server's, either way: API Gateway's five minutes.
const MaxSkew = 5 * time.Minute

// ServiceName is what API Gateway's signatures are scoped to.
const ServiceName = "execute-api"

const timeForm = "20060102T150405Z"

// Verifier checks signatures. It may be used by several goroutines at once, as long as its fields stay.
type Verifier struct {
	// Credentials are those that may sign, by access key id. With a SessionToken a request must carry it; with CanExpire
	// it is refused from Expires on.
	Credentials map[string]aws.Credentials
	// Region and Service are what a signature must be scoped to.
	Region, Service string
	// Hosts are the names, HOST or HOST:PORT, that this server answers to; empty is any. A Host header is covered by the
	// signature, so a request replayed to another server with its own Host fails there in any case.
	Hosts []string
	// Now is the server's clock.
	Now func() time.Time
}

// Verify checks the signature of a request, of which body is the whole body; the request is not changed. An error is an
// *Error.
func (v *Verifier) Verify(r *http.Request, body []byte) error {
	if refusal := v.verify(r, body); refusal != nil {
		return refusal
	}
	return nil
}

func (v *Verifier) verify(r *http.Request, body []byte) *Error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		// The signer drops what it cannot parse, so it would be covered by no signature.
		return refuse(InvalidSignature, "the query string is malformed")
	}
	claimed, refusal := authorizationOf(r, query)
	if refusal != nil {
		return refusal
	}
	if len(v.Hosts) > 0 && !slices.ContainsFunc(v.Hosts, func(host string) bool { return strings.EqualFold(host, r.Host) }) {
		return refuse(Forbidden, "Forbidden: the request is for another host than this")
	}
	at, refusal := v.signedAt(r, claimed)
	if refusal != nil {
		return refusal
	}
	if refusal := v.inScope(claimed); refusal != nil {
		return refusal
	}
	credentials, refusal := v.credentials(r, claimed)
	if refusal != nil {
		return refusal
	}
	if refusal := covers(r, claimed); refusal != nil {
		return refusal
	}
	if !v.matches(r, body, claimed, credentials, at) {
		return refuse(InvalidSignature, "The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method.")
	}
	if credentials.CanExpire && !v.Now().Before(credentials.Expires) {
		return refuse(ExpiredToken, "The security token included in the request is expired")
	}
	return nil
}

func refuse(kind, format string, args ...any) *Error {
	return &Error{Type: kind, Detail: fmt.Sprintf(format, args...)}
}

// authorizationOf is the request's Authorization header. A presigned query is refused, with or without one.
func authorizationOf(r *http.Request, query url.Values) (Authorization, *Error) {
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"} {
		if query.Has(name) {
			return Authorization{}, refuse(IncompleteSignature, "a signature in the query is not accepted: sign the headers")
		}
	}
	headers := r.Header.Values("Authorization")
	switch {
	case len(headers) == 0 || headers[0] == "":
		return Authorization{}, refuse(MissingAuthenticationToken, "Missing Authentication Token")
	case len(headers) > 1:
		return Authorization{}, refuse(IncompleteSignature, "there is more than one Authorization header")
	}
	claimed, err := ParseAuthorization(headers[0])
	if err != nil {
		return Authorization{}, refuse(IncompleteSignature, "%s", err)
	}
	return claimed, nil
}

// signedAt is the time of the signature, if that is now.
func (v *Verifier) signedAt(r *http.Request, claimed Authorization) (time.Time, *Error) {
	dates := r.Header.Values("X-Amz-Date")
	if len(dates) != 1 {
		return time.Time{}, refuse(IncompleteSignature, "the Authorization header requires of one 'X-Amz-Date' header")
	}
	at, err := time.Parse(timeForm, dates[0])
	if err != nil {
		return time.Time{}, refuse(IncompleteSignature, "X-Amz-Date must be such as 20060102T150405Z")
	}
	if at.Format(timeForm)[:len("20060102")] != claimed.Date {
		return time.Time{}, refuse(InvalidSignature, "Date in Credential scope does not match YYYYMMDD from X-Amz-Date")
	}
	now := v.Now().UTC()
	if at.Before(now.Add(-MaxSkew)) {
		return time.Time{}, refuse(InvalidSignature, "Signature expired: %s is now earlier than %s (%s - 5 min.)",
			at.Format(timeForm), now.Add(-MaxSkew).Format(timeForm), now.Format(timeForm))
	}
	if at.After(now.Add(MaxSkew)) {
		return time.Time{}, refuse(InvalidSignature, "Signature not yet current: %s is still later than %s (%s + 5 min.)",
			at.Format(timeForm), now.Add(MaxSkew).Format(timeForm), now.Format(timeForm))
	}
	return at, nil
}

func (v *Verifier) inScope(claimed Authorization) *Error {
	if claimed.Region != v.Region {
		return refuse(InvalidSignature, "Credential should be scoped to a valid region, not '%s'.", claimed.Region)
	}
	if claimed.Service != v.Service {
		return refuse(InvalidSignature, "Credential should be scoped to correct service: '%s'.", v.Service)
	}
	return nil
}

// credentials are those that the request names, if its session token is theirs.
func (v *Verifier) credentials(r *http.Request, claimed Authorization) (aws.Credentials, *Error) {
	credentials, known := v.Credentials[claimed.AccessKeyID]
	token := strings.Join(r.Header.Values("X-Amz-Security-Token"), ",")
	if !known || credentials.SecretAccessKey == "" ||
		subtle.ConstantTimeCompare([]byte(token), []byte(credentials.SessionToken)) != 1 {
		return aws.Credentials{}, refuse(UnrecognizedClient, "The security token included in the request is invalid.")
	}
	credentials.AccessKeyID = claimed.AccessKeyID
	return credentials, nil
}

// covers refuses a signature that leaves out what it must cover, or that covers what is not there.
func covers(r *http.Request, claimed Authorization) *Error {
	for _, name := range []string{"host", "x-amz-date"} {
		if !slices.Contains(claimed.SignedHeaders, name) {
			return refuse(InvalidSignature, "'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !slices.Contains(claimed.SignedHeaders, name) {
			return refuse(InvalidSignature, "every x-amz-* header must be a 'SignedHeader' in the AWS Authorization")
		}
	}
	for _, name := range claimed.SignedHeaders {
		// net/http keeps these two out of the headers.
		if name == "host" || name == "content-length" {
			continue
		}
		if len(r.Header.Values(name)) == 0 {
			return refuse(InvalidSignature, "a header that SignedHeaders names is missing in the request")
		}
	}
	return nil
}

// matches makes the signature again and compares.
func (v *Verifier) matches(r *http.Request, body []byte, claimed Authorization, credentials aws.Credentials, at time.Time) bool {
	sum := sha256.Sum256(body)
	payloadHash := hex.EncodeToString(sum[:])
	if stated := r.Header.Values("X-Amz-Content-Sha256"); len(stated) > 0 && !slices.Equal(stated, []string{payloadHash}) {
		return false // UNSIGNED-PAYLOAD too: API Gateway hashes what it got
	}
	again := signedParts(r, claimed.SignedHeaders)
	// A signer of its own: it remembers keys by the access key's id and not by the secret. The token is a header here
	// like any other.
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableSessionToken = true })
	if signer.SignHTTP(r.Context(), credentials, again, payloadHash, v.Service, v.Region, at) != nil {
		return false
	}
	made, err := ParseAuthorization(again.Header.Get("Authorization"))
	return err == nil && subtle.ConstantTimeCompare(made.Signature, claimed.Signature) == 1
}

// signedParts is a request with nothing but what the signature covers, ready to be signed.
func signedParts(r *http.Request, signedHeaders []string) *http.Request {
	parts := &http.Request{
		Method: r.Method,
		// No scheme: with one, the signer would take a default port off the host.
		URL:    &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery},
		Host:   r.Host,
		Header: http.Header{},
	}
	for _, name := range signedHeaders {
		switch name {
		case "host", "x-amz-date": // the signer's own
		case "content-length":
			parts.ContentLength = r.ContentLength
		default:
			// In lower case the name escapes the signer's list of those that it leaves out, such as User-Agent: other
			// signers sign them.
			parts.Header[name] = r.Header.Values(name)
		}
	}
	return parts
}
