package client

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Refusal is why an API Gateway with AWS_IAM answers 403.
type Refusal string

// What a gateway refuses a call for.
const (
	RefusedUnsigned    Refusal = "unsigned"     // no signature, or no such path: API Gateway does not tell which
	RefusedSignature   Refusal = "signature"    // the signature does not fit key, region, host or request
	RefusedClock       Refusal = "clock"        // the signature's time is not now
	RefusedKey         Refusal = "key"          // the access key or session token is not known
	RefusedExpired     Refusal = "expired"      // the credentials have expired
	RefusedPermission  Refusal = "permission"   // the signature is good, but no policy allows the call
	RefusedBeforeLogin Refusal = "before login" // the API is not open to where the call comes from, whoever makes it
)

// maxSkew is what API Gateway allows, less what a call and its answer may take.
const maxSkew = 5*time.Minute - 30*time.Second

// exceptions are the values of the header x-amzn-ErrorType. Gateway responses replace the text of a refusal, but not it.
var exceptions = map[string]Refusal{
	"MissingAuthenticationTokenException": RefusedUnsigned,
	"IncompleteSignatureException":        RefusedSignature,
	"InvalidSignatureException":           RefusedSignature,
	"SignatureDoesNotMatch":               RefusedSignature,
	"UnrecognizedClientException":         RefusedKey,
	"InvalidClientTokenId":                RefusedKey,
	"ExpiredTokenException":               RefusedExpired,
	"AccessDeniedException":               RefusedPermission,
	"ForbiddenException":                  RefusedBeforeLogin,
}

// phrases are parts of API Gateway's own texts, for where a proxy takes the header away.
var phrases = []struct {
	part    string
	refusal Refusal
}{
	{"Missing Authentication Token", RefusedUnsigned},
	{"Signature expired", RefusedClock},
	{"Signature not yet current", RefusedClock},
	{"signature we calculated does not match", RefusedSignature},
	{"Credential should be scoped", RefusedSignature},
	{"included in the request is invalid", RefusedKey},
	{"included in the request is expired", RefusedExpired},
	{"is not authorized to perform", RefusedPermission},
}

// signatureTime is the form of the header X-Amz-Date.
const signatureTime = "20060102T150405Z"

// refused finds out why a call was refused, and whether the two clocks differ: that of this machine is in the signature.
func (e *Error) refused(response *http.Response) {
	header := response.Header
	answered, err := http.ParseTime(header.Get("Date"))
	if signed, signedErr := time.Parse(signatureTime, response.Request.Header.Get("X-Amz-Date")); err == nil && signedErr == nil {
		e.ClockSkew = signed.Sub(answered)
	}
	exception, _, _ := strings.Cut(header.Get("X-Amzn-Errortype"), ":")
	e.Refusal = exceptions[exception]
	if e.Refusal == "" || e.Refusal == RefusedSignature {
		for _, phrase := range phrases {
			if strings.Contains(e.Detail, phrase.part) {
				e.Refusal = phrase.refusal
				break
			}
		}
	}
	if e.Refusal == RefusedSignature && e.ClockSkew.Abs() > maxSkew {
		e.Refusal = RefusedClock
	}
}

// meaning says what a refusal means and what to do, where that is known.
func (e *Error) meaning() string {
	switch e.Refusal {
	case RefusedUnsigned:
		return "the call was not signed, or this API has no such path; sign with AWS credentials, and check the endpoint"
	case RefusedSignature:
		return "check that the secret access key is that of the access key, and the region that of the API, " +
			"and that no proxy on the way changes the request"
	case RefusedClock:
		switch {
		case e.ClockSkew > maxSkew:
			return fmt.Sprintf("the clock of this machine is %s ahead of the API's; set it right", e.ClockSkew)
		case e.ClockSkew < -maxSkew:
			return fmt.Sprintf("the clock of this machine is %s behind the API's; set it right", -e.ClockSkew)
		default:
			return "the call was under way for more than five minutes, or the clock of this machine is wrong"
		}
	case RefusedKey:
		return "AWS does not know this access key, or the session token is not its own; check which credentials are used"
	case RefusedExpired:
		return "the credentials have expired; get new ones, for example with aws sso login"
	case RefusedPermission:
		return "the signature is good, but no policy of this identity allows the call; it needs execute-api:Invoke on it, " +
			"which the managed policies BloxReadOnly and BloxOperator give"
	case RefusedBeforeLogin:
		return "the API is not open to calls from here, or is not at this host; check the endpoint, " +
			"and the API's resource policy or firewall if it has one"
	default:
		return ""
	}
}
