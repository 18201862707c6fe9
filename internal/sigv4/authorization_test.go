package sigv4

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	signature = strings.Repeat("0f", signatureBytes)
	wellMade  = "AWS4-HMAC-SHA256 Credential=AKID/20261120/eu-west-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + signature
)

func TestAnAuthorizationHeaderIsTakenApart(t *testing.T) {
	decoded, err := hex.DecodeString(signature)
	require.NoError(t, err)
	want := Authorization{
		AccessKeyID: "AKID", Date: "20261120", Region: "eu-west-1", Service: "execute-api",
		SignedHeaders: []string{"host", "x-amz-date"}, Signature: decoded,
	}
	for about, header := range map[string]string{
		"as the SDKs write it": wellMade,
		"without spaces":       strings.ReplaceAll(wellMade, ", ", ","),
		"in another order": "AWS4-HMAC-SHA256 Signature=" + signature +
			", SignedHeaders=host;x-amz-date, Credential=AKID/20261120/eu-west-1/execute-api/aws4_request",
	} {
		t.Run(about, func(t *testing.T) {
			got, err := ParseAuthorization(header)
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

func TestMalformedAuthorizationHeaders(t *testing.T) {
	with := func(old, changed string) string {
		require.Contains(t, wellMade, old)
		return strings.Replace(wellMade, old, changed, 1)
	}
	for about, test := range map[string]struct{ header, says string }{
		"another scheme":          {"Bearer abc", "must begin with AWS4-HMAC-SHA256"},
		"the algorithm alone":     {"AWS4-HMAC-SHA256", "must begin with AWS4-HMAC-SHA256"},
		"another algorithm":       {with("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), "must begin with AWS4-HMAC-SHA256"},
		"nothing after it":        {"AWS4-HMAC-SHA256 ", "key=value pairs"},
		"no value":                {with("Signature="+signature, "Signature"), "key=value pairs"},
		"an unknown parameter":    {wellMade + ", Nonce=1", "key=value pairs"},
		"a comma too many":        {wellMade + ",", "key=value pairs"},
		"no signature":            {with(", Signature="+signature, ""), "requires a 'Signature' parameter"},
		"an empty signature":      {with(signature, ""), "requires a 'Signature' parameter"},
		"no credential":           {with("Credential=AKID/20261120/eu-west-1/execute-api/aws4_request, ", ""), "requires a 'Credential' parameter"},
		"no signed headers":       {with("SignedHeaders=host;x-amz-date, ", ""), "requires a 'SignedHeaders' parameter"},
		"a parameter twice":       {wellMade + ", Signature=" + signature, "more than one 'Signature' parameter"},
		"a short scope":           {with("/execute-api/aws4_request", "/aws4_request"), "ACCESS-KEY-ID/YYYYMMDD/REGION/SERVICE/aws4_request"},
		"a long scope":            {with("/aws4_request", "/more/aws4_request"), "ACCESS-KEY-ID/YYYYMMDD/REGION/SERVICE/aws4_request"},
		"another end of scope":    {with("aws4_request", "aws5_request"), "ACCESS-KEY-ID/YYYYMMDD/REGION/SERVICE/aws4_request"},
		"a scope without date":    {with("20261120", "2026112"), "ACCESS-KEY-ID/YYYYMMDD/REGION/SERVICE/aws4_request"},
		"a scope without key":     {with("AKID", ""), "ACCESS-KEY-ID/YYYYMMDD/REGION/SERVICE/aws4_request"},
		"a header in upper case":  {with("host;", "Host;"), "lower case"},
		"an empty header name":    {with("host;", "host;;"), "lower case"},
		"headers not sorted":      {with("host;x-amz-date", "x-amz-date;host"), "sorted"},
		"a header twice":          {with("host;", "host;host;"), "each header once"},
		"many headers":            {with("host;", "host;"+strings.Repeat("host;", maxSignedHeaders)), "more than 100"},
		"a short signature":       {with(signature, signature[2:]), "64 hexadecimal digits"},
		"a signature in capitals": {with(signature, strings.ToUpper(signature)), "64 hexadecimal digits"},
		"no hexadecimal digits":   {with(signature, strings.Repeat("g", 64)), "64 hexadecimal digits"},
		"a long header":           {wellMade + strings.Repeat(" ", maxAuthorizationBytes), "more than 8192 bytes"},
	} {
		t.Run(about, func(t *testing.T) {
			got, err := ParseAuthorization(test.header)
			require.ErrorContains(t, err, test.says)
			require.Zero(t, got)
		})
	}
}

func FuzzParseAuthorization(f *testing.F) {
	f.Add(wellMade)
	f.Add(strings.ReplaceAll(wellMade, ", ", ","))
	f.Add("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=;, Signature=zz")
	f.Add("Basic dXNlcjpwYXNz")
	f.Fuzz(func(t *testing.T, header string) {
		a, err := ParseAuthorization(header)
		if err != nil {
			require.Zero(t, a, "nothing of a header that is malformed may be used")
			return
		}
		require.Len(t, a.Signature, signatureBytes)
		require.True(t, slices.IsSorted(a.SignedHeaders))
		// What was taken apart says the same when it is put together.
		again := Algorithm + " Credential=" + strings.Join([]string{a.AccessKeyID, a.Date, a.Region, a.Service, terminator}, "/") +
			", SignedHeaders=" + strings.Join(a.SignedHeaders, ";") + ", Signature=" + hex.EncodeToString(a.Signature)
		b, err := ParseAuthorization(again)
		require.NoError(t, err)
		require.Equal(t, a, b)
	})
}
