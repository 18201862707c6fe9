package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"
)

var (
	now       = time.Date(2026, 11, 20, 9, 14, 7, 0, time.UTC)
	permanent = aws.Credentials{AccessKeyID: "AKIAPERMANENT", SecretAccessKey: "its/secret+key"}
	temporary = aws.Credentials{
		AccessKeyID: "ASIATEMPORARY", SecretAccessKey: "another", SessionToken: "session/token==", CanExpire: true, Expires: now.Add(time.Hour),
	}
)

func verifier() *Verifier {
	return &Verifier{
		Credentials: map[string]aws.Credentials{permanent.AccessKeyID: permanent, temporary.AccessKeyID: temporary},
		Region:      "eu-west-1", Service: ServiceName, Now: func() time.Time { return now },
	}
}

// call is a request that a test makes; the zero values are a plain one.
type call struct {
	method, uri, body, host string
	header                  map[string]string
	credentials             aws.Credentials
	at                      time.Time
	region, service         string
}

// sent signs a request as the SDK does and returns it as a server gets it.
func (c call) sent(t require.TestingT) *http.Request {
	method, host, at, credentials := c.method, c.host, c.at, c.credentials
	if method == "" {
		method = http.MethodGet
	}
	if host == "" {
		host = "api.example.com"
	}
	if at.IsZero() {
		at = now
	}
	if credentials.AccessKeyID == "" {
		credentials = permanent
	}
	region, service := c.region, c.service
	if region == "" {
		region = "eu-west-1"
	}
	if service == "" {
		service = ServiceName
	}
	out, err := http.NewRequest(method, "https://"+host+c.uri, strings.NewReader(c.body))
	require.NoError(t, err)
	for name, value := range c.header {
		out.Header.Set(name, value)
	}
	sum := sha256.Sum256([]byte(c.body))
	require.NoError(t, v4.NewSigner().SignHTTP(out.Context(), credentials, out, hex.EncodeToString(sum[:]), service, region, at))
	return received(out, c.body)
}

// received is a request as a server gets it.
func received(out *http.Request, body string) *http.Request {
	in := httptest.NewRequest(out.Method, out.URL.RequestURI(), strings.NewReader(body))
	in.Host = out.Host
	in.Header = out.Header.Clone()
	return in
}

func TestWellSignedRequestsPass(t *testing.T) {
	for about, c := range map[string]call{
		"a read":                 {uri: "/blox/v1/ping"},
		"an empty path":          {uri: ""},
		"a body":                 {method: http.MethodPut, uri: "/v1/environments/n", body: `{"a": "é"}`, header: map[string]string{"Content-Type": "application/json"}},
		"temporary credentials":  {uri: "/v1/tasks", credentials: temporary},
		"another port":           {uri: "/v1/ping", host: "127.0.0.1:8080"},
		"an IPv6 host":           {uri: "/v1/ping", host: "[::1]:8080"},
		"a query":                {uri: "/v1/tasks?status=running&cluster=edge"},
		"repeated parameters":    {uri: "/v1/tasks?cluster=b&cluster=a&cluster=b"},
		"empty values":           {uri: "/v1/tasks?cluster=&status"},
		"odd characters":         {uri: "/v1/tasks?q=a+b%2Bc%26d%3D%25%2F%7E*'()!%C3%A9&a-b=1&a%2Fb=2"},
		"parameters to encode":   {uri: "/v1/tasks?%C3%A9=1&a%20b=2&%5B%5D=3"},
		"encoded slashes":        {uri: "/v1/tasks/edge/arn:aws:ecs:eu-west-1:1:task%2Fedge%2F0f5d"},
		"an encoded percent":     {uri: "/v1/environments/100%25%20sure"},
		"lower-case escapes":     {uri: "/v1/tasks/edge%2ftask"},
		"a path of other script": {uri: "/v1/environments/%E6%97%A5%E6%9C%AC"},
		"a content hash":         {uri: "/v1/ping", header: map[string]string{"X-Amz-Content-Sha256": hex.EncodeToString(empty[:])}},
		"spaces in a header":     {uri: "/v1/ping", header: map[string]string{"X-Note": "  two  words "}},
		"five minutes old":       {uri: "/v1/ping", at: now.Add(-MaxSkew)},
		"five minutes ahead":     {uri: "/v1/ping", at: now.Add(MaxSkew)},
	} {
		t.Run(about, func(t *testing.T) {
			r := c.sent(t)
			before := r.Header.Clone()
			require.NoError(t, verifier().Verify(r, []byte(c.body)))
			require.Equal(t, before, r.Header, "the request is not changed")
		})
	}
}

var empty = sha256.Sum256(nil)

func TestAHeaderThatTheSDKLeavesOutMayBeSigned(t *testing.T) {
	// A signer that signs all headers, User-Agent among them, as aws4fetch and others do.
	r := httptest.NewRequest(http.MethodGet, "/v1/ping", nil)
	r.Host = "api.example.com"
	r.Header = http.Header{"User-Agent": {"x"}}
	signed := r.Clone(t.Context())
	signed.Header = http.Header{"user-agent": {"x"}} // in lower case it is not on the SDK's list
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), permanent, signed, hex.EncodeToString(empty[:]), ServiceName, "eu-west-1", now))
	r.Header.Set("Authorization", signed.Header.Get("Authorization"))
	r.Header.Set("X-Amz-Date", signed.Header.Get("X-Amz-Date"))
	require.Contains(t, r.Header.Get("Authorization"), "SignedHeaders=host;user-agent;x-amz-date")
	require.NoError(t, verifier().Verify(r, nil))
	r.Header.Set("User-Agent", "y")
	require.Error(t, verifier().Verify(r, nil))
}

func TestWhatIsRefused(t *testing.T) {
	plain := call{method: http.MethodPost, uri: "/v1/environments/n/deployments?deploymentToken=t", body: "body", header: map[string]string{"Content-Type": "text/plain"}}
	changed := func(change func(r *http.Request)) *http.Request {
		r := plain.sent(t)
		change(r)
		return r
	}
	with := func(change func(c *call)) *http.Request {
		c := plain
		change(&c)
		return c.sent(t)
	}
	wrongSecret, oldSecret := permanent, temporary
	wrongSecret.SecretAccessKey = "guessed"
	oldSecret.SessionToken = "yesterday's"
	for about, test := range map[string]struct {
		request *http.Request
		kind    string
		says    string
	}{
		"unsigned":                  {changed(func(r *http.Request) { r.Header.Del("Authorization") }), MissingAuthenticationToken, "Missing Authentication Token"},
		"another scheme":            {changed(func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }), IncompleteSignature, "must begin with AWS4-HMAC-SHA256"},
		"two signatures":            {changed(func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }), IncompleteSignature, "more than one Authorization header"},
		"an unknown key":            {with(func(c *call) { c.credentials = aws.Credentials{AccessKeyID: "AKIAOTHER", SecretAccessKey: "x"} }), UnrecognizedClient, "The security token included in the request is invalid."},
		"a wrong secret":            {with(func(c *call) { c.credentials = wrongSecret }), InvalidSignature, "does not match the signature you provided"},
		"another session's token":   {with(func(c *call) { c.credentials = oldSecret }), UnrecognizedClient, "The security token included in the request is invalid."},
		"a token taken away":        {removed(with(func(c *call) { c.credentials = temporary }), "X-Amz-Security-Token"), UnrecognizedClient, "invalid"},
		"a token of nobody":         {changed(func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "x") }), UnrecognizedClient, "invalid"},
		"expired":                   {with(func(c *call) { c.at = now.Add(-MaxSkew - time.Second) }), InvalidSignature, "Signature expired: 20261120T090906Z is now earlier than 20261120T090907Z (20261120T091407Z - 5 min.)"},
		"in the future":             {with(func(c *call) { c.at = now.Add(MaxSkew + time.Second) }), InvalidSignature, "Signature not yet current: 20261120T091908Z is still later than 20261120T091907Z (20261120T091407Z + 5 min.)"},
		"another date":              {changed(func(r *http.Request) { r.Header.Set("X-Amz-Date", "20261120T091408Z") }), InvalidSignature, "does not match"},
		"a date of another day":     {changed(func(r *http.Request) { r.Header.Set("X-Amz-Date", "20261121T091407Z") }), InvalidSignature, "Date in Credential scope does not match"},
		"no date":                   {removed(plain.sent(t), "X-Amz-Date"), IncompleteSignature, "'X-Amz-Date'"},
		"two dates":                 {changed(func(r *http.Request) { r.Header.Add("X-Amz-Date", r.Header.Get("X-Amz-Date")) }), IncompleteSignature, "'X-Amz-Date'"},
		"a date that is none":       {changed(func(r *http.Request) { r.Header.Set("X-Amz-Date", "today") }), IncompleteSignature, "X-Amz-Date must be such as"},
		"another region":            {with(func(c *call) { c.region = "us-east-1" }), InvalidSignature, "Credential should be scoped to a valid region, not 'us-east-1'."},
		"another service":           {with(func(c *call) { c.service = "ecs" }), InvalidSignature, "Credential should be scoped to correct service: 'execute-api'."},
		"another host":              {changed(func(r *http.Request) { r.Host = "other.example.com" }), InvalidSignature, "does not match"},
		"another method":            {changed(func(r *http.Request) { r.Method = http.MethodDelete }), InvalidSignature, "does not match"},
		"another path":              {changed(func(r *http.Request) { r.URL.Path = "/v1/environments/m/deployments" }), InvalidSignature, "does not match"},
		"another value":             {changed(func(r *http.Request) { r.URL.RawQuery = "deploymentToken=u" }), InvalidSignature, "does not match"},
		"another parameter":         {changed(func(r *http.Request) { r.URL.RawQuery += "&dryRun=true" }), InvalidSignature, "does not match"},
		"no query":                  {changed(func(r *http.Request) { r.URL.RawQuery = "" }), InvalidSignature, "does not match"},
		"what no signer sees":       {changed(func(r *http.Request) { r.URL.RawQuery += "&a;b=1" }), InvalidSignature, "the query string is malformed"},
		"an escape that is none":    {changed(func(r *http.Request) { r.URL.RawQuery += "&a=%zz" }), InvalidSignature, "the query string is malformed"},
		"a signature in the query":  {changed(func(r *http.Request) { r.URL.RawQuery += "&X-Amz-Signature=" + signature }), IncompleteSignature, "a signature in the query is not accepted"},
		"another signed header":     {changed(func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }), InvalidSignature, "does not match"},
		"a signed header twice":     {changed(func(r *http.Request) { r.Header.Add("Content-Type", "application/json") }), InvalidSignature, "does not match"},
		"a signed header gone":      {removed(plain.sent(t), "Content-Type"), InvalidSignature, "missing in the request"},
		"an unsigned x-amz- header": {changed(func(r *http.Request) { r.Header.Set("X-Amz-Meta", "x") }), InvalidSignature, "every x-amz-* header"},
		"another content hash":      {with(func(c *call) { c.header = map[string]string{"X-Amz-Content-Sha256": strings.Repeat("0", 64)} }), InvalidSignature, "does not match"},
		"an unsigned payload":       {with(func(c *call) { c.header = map[string]string{"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"} }), InvalidSignature, "does not match"},
		"host not signed":           {changed(func(r *http.Request) { unsign(r, "host;") }), InvalidSignature, "'host' must be a 'SignedHeader'"},
		"date not signed":           {changed(func(r *http.Request) { unsign(r, ";x-amz-date") }), InvalidSignature, "'x-amz-date' must be a 'SignedHeader'"},
		"a header not signed":       {changed(func(r *http.Request) { unsign(r, "content-type;") }), InvalidSignature, "does not match"},
	} {
		t.Run(about, func(t *testing.T) {
			var refusal *Error
			require.ErrorAs(t, verifier().Verify(test.request, []byte("body")), &refusal)
			require.Equal(t, test.kind, refusal.Type)
			require.Contains(t, refusal.Error(), test.says)
			require.NotEmpty(t, refusal.ResponseType())
			for _, secret := range []string{permanent.SecretAccessKey, temporary.SecretAccessKey, temporary.SessionToken, "content-type:text", "AWS4-HMAC-SHA256\n"} {
				require.NotContains(t, refusal.Error(), secret)
			}
		})
	}
	var refusal *Error
	require.ErrorAs(t, verifier().Verify(plain.sent(t), []byte("Body")), &refusal, "another body")
	require.Equal(t, InvalidSignature, refusal.Type)
}

func removed(r *http.Request, name string) *http.Request {
	r.Header.Del(name)
	return r
}

func unsign(r *http.Request, name string) {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), name, "", 1))
}

func TestExpiredCredentialsAreRefusedOnlyIfTheSignatureIsTheirs(t *testing.T) {
	v := verifier()
	expired := temporary
	expired.Expires = now
	v.Credentials[temporary.AccessKeyID] = expired
	var refusal *Error
	require.ErrorAs(t, v.Verify(call{uri: "/v1/ping", credentials: temporary}.sent(t), nil), &refusal)
	require.Equal(t, &Error{Type: ExpiredToken, Detail: "The security token included in the request is expired"}, refusal)
	require.Equal(t, ResponseExpiredToken, refusal.ResponseType())
	guessed := temporary
	guessed.SecretAccessKey = "guessed"
	require.ErrorAs(t, v.Verify(call{uri: "/v1/ping", credentials: guessed}.sent(t), nil), &refusal)
	require.Equal(t, InvalidSignature, refusal.Type)
}

func TestAKeyThatGetsANewSecretCountsWithThat(t *testing.T) {
	v := verifier()
	r := call{uri: "/v1/ping"}.sent(t)
	require.NoError(t, v.Verify(r, nil))
	v.Credentials[permanent.AccessKeyID] = aws.Credentials{SecretAccessKey: "new"}
	require.Error(t, v.Verify(r, nil))
	v.Credentials[permanent.AccessKeyID] = aws.Credentials{}
	nobodys := permanent
	nobodys.SecretAccessKey = ""
	require.Error(t, v.Verify(call{uri: "/v1/ping", credentials: nobodys}.sent(t), nil), "a secret that is empty is none")
}

func TestOnlyItsOwnHostsAreServed(t *testing.T) {
	v := verifier()
	v.Hosts = []string{"api.example.com", "localhost:8080"}
	require.NoError(t, v.Verify(call{uri: "/v1/ping"}.sent(t), nil))
	require.NoError(t, v.Verify(call{uri: "/v1/ping", host: "LOCALHOST:8080"}.sent(t), nil))
	var refusal *Error
	require.ErrorAs(t, v.Verify(call{uri: "/v1/ping", host: "localhost:8081"}.sent(t), nil), &refusal, "replayed with the Host of the first")
	require.Equal(t, Forbidden, refusal.Type)
	require.Equal(t, ResponseDefault4XX, refusal.ResponseType())
}

func TestARefusalIsAProblemDocument(t *testing.T) {
	w := httptest.NewRecorder()
	WriteProblem(w, &Error{Type: MissingAuthenticationToken, Detail: "Missing Authentication Token"})
	require.Equal(t, http.StatusForbidden, w.Code)
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	require.Equal(t, "MissingAuthenticationTokenException", w.Header().Get("x-amzn-ErrorType"))
	body, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	require.True(t, json.Valid(body))
	require.JSONEq(t, `{"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "Missing Authentication Token"}`, string(body))
}

func TestPathsAreComparedAsTheyCameOverTheWire(t *testing.T) {
	r := call{uri: "/v1/tasks/edge%2Fa"}.sent(t)
	r.URL = &url.URL{Path: "/v1/tasks/edge/a"}
	require.Error(t, verifier().Verify(r, nil), "an encoded slash is no slash")
}
