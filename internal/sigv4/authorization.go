package sigv4

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Algorithm begins every Authorization header that is one of Signature Version 4.
const Algorithm = "AWS4-HMAC-SHA256"

// Authorization is the header of that name, taken apart.
type Authorization struct {
	AccessKeyID string
	// Date is the scope's, YYYYMMDD; Region and Service are what it is scoped to.
	Date, Region, Service string
	// SignedHeaders are names in lower case, sorted, each once.
	SignedHeaders []string
	// Signature is 32 bytes.
	Signature []byte
}

const (
	// maxAuthorizationBytes is far above what a signer makes of any request of ours: some 300 bytes.
	maxAuthorizationBytes = 8 << 10
	maxSignedHeaders      = 100
	terminator            = "aws4_request"
	signatureBytes        = 32 // HMAC-SHA256
)

var (
	accessKeyForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
	dateForm      = regexp.MustCompile(`^[0-9]{8}$`)
	scopeForm     = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
	headerForm    = regexp.MustCompile(`^[a-z0-9!#$%&'*+.^_|~-]{1,128}$`)
)

// ParseAuthorization takes an Authorization header apart. The error says which part is missing or malformed, and repeats
// nothing of the header.
func ParseAuthorization(header string) (Authorization, error) {
	if len(header) > maxAuthorizationBytes {
		return Authorization{}, fmt.Errorf("the Authorization header has more than %d bytes", maxAuthorizationBytes)
	}
	rest, ok := strings.CutPrefix(header, Algorithm+" ")
	if !ok {
		return Authorization{}, errors.New("the Authorization header must begin with " + Algorithm)
	}
	parts, err := parameters(rest)
	if err != nil {
		return Authorization{}, err
	}
	var a Authorization
	if err := a.scope(parts["Credential"]); err != nil {
		return Authorization{}, err
	}
	a.SignedHeaders = strings.Split(parts["SignedHeaders"], ";")
	if len(a.SignedHeaders) > maxSignedHeaders {
		return Authorization{}, fmt.Errorf("the SignedHeaders are more than %d", maxSignedHeaders)
	}
	for i, name := range a.SignedHeaders {
		if !headerForm.MatchString(name) {
			return Authorization{}, errors.New("the SignedHeaders must be names in lower case, separated by semicolons")
		}
		if i > 0 && a.SignedHeaders[i-1] >= name {
			return Authorization{}, errors.New("the SignedHeaders must be sorted and name each header once")
		}
	}
	a.Signature, err = hex.DecodeString(parts["Signature"])
	if err != nil || len(a.Signature) != signatureBytes || strings.ToLower(parts["Signature"]) != parts["Signature"] {
		return Authorization{}, fmt.Errorf("the Signature must be %d hexadecimal digits in lower case", 2*signatureBytes)
	}
	return a, nil
}

// parameters splits "Credential=…, SignedHeaders=…, Signature=…"; the order is free, and so is the space after a comma.
func parameters(text string) (map[string]string, error) {
	names := []string{"Credential", "SignedHeaders", "Signature"}
	parts := make(map[string]string, len(names))
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(strings.Trim(part, " "), "=")
		if !ok || !slices.Contains(names, name) {
			return nil, errors.New("the Authorization header must be key=value pairs: Credential, SignedHeaders and Signature")
		}
		if _, twice := parts[name]; twice {
			return nil, fmt.Errorf("the Authorization header has more than one '%s' parameter", name)
		}
		parts[name] = value
	}
	for _, name := range names {
		if parts[name] == "" {
			return nil, fmt.Errorf("the Authorization header requires a '%s' parameter", name)
		}
	}
	return parts, nil
}

// scope takes KEY/DATE/REGION/SERVICE/aws4_request apart.
func (a *Authorization) scope(credential string) error {
	parts := strings.Split(credential, "/")
	if len(parts) != 5 || !accessKeyForm.MatchString(parts[0]) || !dateForm.MatchString(parts[1]) ||
		!scopeForm.MatchString(parts[2]) || !scopeForm.MatchString(parts[3]) || parts[4] != terminator {
		return errors.New("the Credential must be ACCESS-KEY-ID/YYYYMMDD/REGION/SERVICE/" + terminator)
	}
	a.AccessKeyID, a.Date, a.Region, a.Service = parts[0], parts[1], parts[2], parts[3]
	return nil
}
