package client

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"
)

func TestRefusalsAreExplained(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 14, 7, 0, time.UTC)
	const deployed = `{"type":"about:blank","title":"Forbidden","status":403,"detail":"the signature is not valid"}`
	for about, test := range map[string]struct {
		exception, body string
		clock           time.Duration // how far the API's is ahead
		want            Refusal
		says            string
	}{
		"unsigned":                  {"MissingAuthenticationTokenException", `{"message":"Missing Authentication Token"}`, 0, RefusedUnsigned, "Missing Authentication Token: the call was not signed, or this API has no such path"},
		"a wrong secret":            {"InvalidSignatureException", deployed, 0, RefusedSignature, "the signature is not valid: check that the secret access key"},
		"a malformed signature":     {"IncompleteSignatureException", deployed, 0, RefusedSignature, "check that the secret access key"},
		"a clock that is behind":    {"InvalidSignatureException", deployed, 12 * time.Minute, RefusedClock, "the clock of this machine is 12m0s behind the API's"},
		"a clock that is ahead":     {"InvalidSignatureException", deployed, -time.Hour, RefusedClock, "the clock of this machine is 1h0m0s ahead of the API's"},
		"a clock that is fine":      {"InvalidSignatureException", deployed, 4 * time.Minute, RefusedSignature, "check that the secret access key"},
		"a slow call":               {"InvalidSignatureException", `{"message":"Signature expired: 1 is now earlier than 2"}`, 0, RefusedClock, "under way for more than five minutes"},
		"an unknown key":            {"UnrecognizedClientException", `{"message":"The security token included in the request is invalid."}`, time.Hour, RefusedKey, "request is invalid: AWS does not know this access key"},
		"expired credentials":       {"ExpiredTokenException", deployed, 0, RefusedExpired, "aws sso login"},
		"no permission":             {"AccessDeniedException", `{"message":"User: u is not authorized to perform: execute-api:Invoke on resource: r"}`, 0, RefusedPermission, "on resource: r: the signature is good, but no policy"},
		"a type with a link":        {"AccessDeniedException:http://internal.amazon.com/x", deployed, 0, RefusedPermission, "execute-api:Invoke"},
		"a closed API":              {"ForbiddenException", `{"message":"Forbidden"}`, 0, RefusedBeforeLogin, "is not open to calls from here"},
		"no type, no permission":    {"", `{"message":"User: u is not authorized to perform: execute-api:Invoke"}`, 0, RefusedPermission, "execute-api:Invoke"},
		"no type, no signature":     {"", `{"message":"Missing Authentication Token"}`, 0, RefusedUnsigned, "was not signed"},
		"no type, a wrong secret":   {"", `{"message":"The request signature we calculated does not match"}`, 0, RefusedSignature, "secret access key"},
		"no type, an old signature": {"", `{"message":"Signature not yet current: 1"}`, -time.Hour, RefusedClock, "1h0m0s ahead"},
		"something else":            {"", `{"message":"go away"}`, time.Hour, "", "go away"},
	} {
		t.Run(about, func(t *testing.T) {
			f := &fake{answers: []func(http.ResponseWriter, *http.Request){func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", now.Add(test.clock).Format(http.TimeFormat))
				w.Header().Set("X-Amzn-Requestid", "r-2")
				if test.exception != "" {
					w.Header().Set("x-amzn-ErrorType", test.exception)
				}
				if test.body == deployed {
					w.Header().Set("Content-Type", "application/problem+json")
				}
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, test.body)
			}}}
			signer := NewSigner(credentials.NewStaticCredentialsProvider("AKID", "secret", ""), "eu-west-1").(*sigV4)
			signer.now = func() time.Time { return now }
			c := f.start(t, Options{Signer: signer})
			err := c.Ping(t.Context())
			var answered *Error
			require.ErrorAs(t, err, &answered)
			require.Equal(t, test.want, answered.Refusal)
			require.Equal(t, "r-2", answered.RequestID)
			require.ErrorContains(t, err, test.says)
			require.Len(t, f.requests, 1, "another try is refused as well")
		})
	}
}

func TestOtherAnswersAreNoRefusals(t *testing.T) {
	f := &fake{answers: []func(http.ResponseWriter, *http.Request){func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("x-amzn-ErrorType", "AccessDeniedException")
		status(409, `{"detail": "the name is taken"}`)(w, r)
	}}}
	require.EqualError(t, f.start(t, Options{}).Ping(t.Context()), "GET /v1/ping: the name is taken")
}

func TestAnEndpointsNameTellsItsRegion(t *testing.T) {
	for endpoint, region := range map[string]string{
		"https://abc.execute-api.eu-west-1.amazonaws.com/blox":             "eu-west-1",
		"https://abc.execute-api.us-gov-west-1.amazonaws.com":              "us-gov-west-1",
		"https://abc.execute-api.cn-north-1.amazonaws.com.cn/blox":         "cn-north-1",
		"https://abc-vpce-0f.execute-api.eu-west-1.amazonaws.com/blox":     "eu-west-1",
		"https://vpce-0f-x.execute-api.eu-west-1.vpce.amazonaws.com/blox":  "eu-west-1",
		"https://abc.execute-api.eu-west-1.api.aws/blox":                   "eu-west-1",
		"https://abc.execute-api.eu-west-1.amazonaws.com:443/blox":         "eu-west-1",
		"https://abc.execute-api.eu-west-1.amazonaws.com.evil.test/blox":   "",
		"https://evil.test/abc.execute-api.eu-west-1.amazonaws.com":        "",
		"https://blox.example.com":                                         "",
		"http://127.0.0.1:8080":                                            "",
		"http://\x00":                                                      "",
		"https://user@abc.execute-api.eu-west-1.amazonaws.com.evil.test/a": "",
	} {
		require.Equal(t, region, SigningRegion(endpoint), endpoint)
	}
}
