package sigv4

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// requests are drawn with whatever a URL can hold.
func requests() *rapid.Generator[call] {
	part := rapid.StringMatching(`[a-zA-Z0-9 /%+&=;:é~*'()_.-]{1,8}`)
	return rapid.Custom(func(t *rapid.T) call {
		path := ""
		for _, p := range rapid.SliceOfN(part, 1, 4).Draw(t, "path") {
			path += "/" + url.PathEscape(p)
		}
		query := url.Values{}
		for range rapid.IntRange(0, 4).Draw(t, "parameters") {
			query.Add(part.Draw(t, "name"), rapid.OneOf(part, rapid.Just("")).Draw(t, "value"))
		}
		c := call{
			method: rapid.SampledFrom([]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}).Draw(t, "method"),
			uri:    path, body: rapid.String().Draw(t, "body"),

			credentials: rapid.SampledFrom([]aws.Credentials{permanent, temporary}).Draw(t, "credentials"),
			header:      map[string]string{"Content-Type": "application/json", "X-Note": rapid.StringMatching(`[a-z]{1,5}( [a-z]{1,5})?`).Draw(t, "note")},
		}
		if len(query) > 0 {
			c.uri += "?" + query.Encode()
		}
		return c
	})
}

func TestEveryRequestThatIsSignedPasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := requests().Draw(t, "request")
		require.NoError(t, verifier().Verify(c.sent(t), []byte(c.body)))
	})
}

// mutations each change one part that the signature covers, or say that this request has no such part.
var mutations = map[string]func(t *rapid.T, r *http.Request, body *string) bool{
	"method": func(_ *rapid.T, r *http.Request, _ *string) bool {
		r.Method = http.MethodPatch
		return true
	},
	"host": func(t *rapid.T, r *http.Request, _ *string) bool {
		r.Host = altered(t, r.Host)
		return true
	},
	"path": func(t *rapid.T, r *http.Request, _ *string) bool {
		escaped := "/" + altered(t, r.URL.EscapedPath()[1:])
		changed, err := url.ParseRequestURI(escaped)
		if err != nil || changed.EscapedPath() == r.URL.EscapedPath() || changed.RawQuery != "" {
			return false
		}
		r.URL.Path, r.URL.RawPath = changed.Path, changed.RawPath
		return true
	},
	"query": func(t *rapid.T, r *http.Request, _ *string) bool {
		before := r.URL.Query().Encode()
		r.URL.RawQuery = altered(t, r.URL.RawQuery)
		// The canonical form is that of the decoded parameters: what decodes to the same asks for the same. A part that
		// does not decode at all is dropped by Query, and must not pass unnoticed.
		_, err := url.ParseQuery(r.URL.RawQuery)
		return err != nil || r.URL.Query().Encode() != before
	},
	"body": func(t *rapid.T, _ *http.Request, body *string) bool {
		*body = altered(t, *body)
		return true
	},
	"signed header": func(t *rapid.T, r *http.Request, _ *string) bool {
		name := rapid.SampledFrom([]string{"Content-Type", "X-Note", "X-Amz-Date", "X-Amz-Security-Token"}).Draw(t, "header")
		before := r.Header.Get(name)
		if before == "" {
			return false
		}
		after := altered(t, before)
		r.Header.Set(name, after)
		return strings.Join(strings.Fields(after), " ") != strings.Join(strings.Fields(before), " ") // spaces fold
	},
	"authorization": func(t *rapid.T, r *http.Request, _ *string) bool {
		before := r.Header.Get("Authorization")
		after := altered(t, before)
		r.Header.Set("Authorization", after)
		return strings.ReplaceAll(after, " ", "") != strings.ReplaceAll(before, " ", "") // the space after a comma is free
	},
}

// altered inserts, removes or replaces one byte.
func altered(t *rapid.T, text string) string {
	at := rapid.IntRange(0, len(text)).Draw(t, "at")
	letter := rapid.SampledFrom([]string{"0", "1", "a", "z", "/", "&", "=", ";", "%", ".", "-"}).Draw(t, "letter")
	switch {
	case at == len(text) || rapid.Bool().Draw(t, "insert"):
		return text[:at] + letter + text[at:]
	case text[at:at+1] == letter || rapid.Bool().Draw(t, "remove"):
		return text[:at] + text[at+1:]
	default:
		return text[:at] + letter + text[at+1:]
	}
}

func TestNoSignedPartCanBeChanged(t *testing.T) {
	for part, mutate := range mutations {
		t.Run(part, func(t *testing.T) {
			tried := 0
			rapid.Check(t, func(t *rapid.T) {
				c := requests().Draw(t, "request")
				r, body := c.sent(t), c.body
				if !mutate(t, r, &body) {
					return
				}
				tried++
				var refusal *Error
				require.ErrorAs(t, verifier().Verify(r, []byte(body)), &refusal)
			})
			require.Greater(t, tried, 20, "most changes count")
		})
	}
}
