package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// someAWS is AWS and the Blox API in one server: CloudFormation with one stack, Blox-blox, whose API is the server itself.
type someAWS struct {
	*httptest.Server
	asked []string // of CloudFormation
	auth  []string // Authorization headers of calls of the API
	// refusal, if set, is the exception that calls of the API are answered with.
	refusal string
	outputs string
}

func newAWS(t *testing.T) *someAWS {
	a := &someAWS{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		name := r.FormValue("StackName")
		a.asked = append(a.asked, r.FormValue("Action")+" "+name)
		w.Header().Set("Content-Type", "text/xml")
		if name != "Blox-blox" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id %s does not exist</Message></Error></ErrorResponse>`, name)
			return
		}
		fmt.Fprintf(w, `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>%s</StackName><CreationTime>2026-11-20T09:14:07Z</CreationTime>
			<StackStatus>CREATE_COMPLETE</StackStatus><Outputs>%s</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`, name, a.outputs)
	})
	mux.HandleFunc("GET /blox/v1/", func(w http.ResponseWriter, r *http.Request) {
		a.auth = append(a.auth, r.Header.Get("Authorization"))
		if a.refusal != "" {
			w.Header().Set("x-amzn-ErrorType", a.refusal)
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"status": 403, "detail": "refused"}`)
			return
		}
		fmt.Fprint(w, `{"items": []}`)
	})
	a.Server = httptest.NewServer(mux)
	t.Cleanup(a.Close)
	a.outputs = "<member><OutputKey>ApiUrl</OutputKey><OutputValue>" + a.URL + "/blox/</OutputValue></member>"
	// The settings of AWS calls, for the SDK reads them itself.
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_CLOUDFORMATION": a.URL, "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1",
		"AWS_PROFILE": "", "AWS_DEFAULT_REGION": "", "AWS_SESSION_TOKEN": "",
	} {
		t.Setenv(name, value)
	}
	return a
}

func TestWhereTheAPIIs(t *testing.T) {
	for about, test := range map[string]struct {
		line  string
		env   map[string]string
		asks  bool // CloudFormation
		fails string
	}{
		"--endpoint":                      {line: "--endpoint {api}"},
		"--stack":                         {line: "--stack Blox-blox", asks: true},
		"$BLOX_ENDPOINT":                  {env: map[string]string{endpointEnv: "{api}"}},
		"$BLOX_STACK":                     {env: map[string]string{stackEnv: "Blox-blox"}, asks: true},
		"--endpoint before $BLOX_STACK":   {line: "--endpoint {api}", env: map[string]string{stackEnv: "other"}},
		"--endpoint before the variable":  {line: "--endpoint {api}", env: map[string]string{endpointEnv: "http://127.0.0.1:1"}},
		"--stack before $BLOX_ENDPOINT":   {line: "--stack Blox-blox", env: map[string]string{endpointEnv: "http://127.0.0.1:1"}, asks: true},
		"$BLOX_ENDPOINT before the stack": {env: map[string]string{endpointEnv: "{api}", stackEnv: "other"}},
		"both flags":                      {line: "--endpoint {api} --stack Blox-blox", fails: "--endpoint and --stack were given: allowed is one of them"},
		"another stack":                   {line: "--stack Blox-other", asks: true, fails: "there is no stack Blox-other in region eu-west-1: check --stack, --region and --profile"},
	} {
		t.Run(about, func(t *testing.T) {
			a, s := newAWS(t), newSession(t)
			s.env = map[string]string{}
			for name, value := range test.env {
				s.env[name] = strings.ReplaceAll(value, "{api}", a.URL+"/blox")
			}
			got := s.run("get tasks -o json " + strings.ReplaceAll(test.line, "{api}", a.URL+"/blox"))
			require.Equal(t, test.asks, len(a.asked) > 0, a.asked)
			if test.fails != "" {
				require.NotEqual(t, exitOK, got.code)
				require.Contains(t, got.stderr, test.fails)
				require.Empty(t, a.auth)
				return
			}
			require.Equal(t, exitOK, got.code, got.stderr)
			require.Len(t, a.auth, 1)
		})
	}
}

func TestAStackWithoutTheOutput(t *testing.T) {
	a, s := newAWS(t), newSession(t)
	a.outputs = ""
	s.run("get tasks --stack Blox-blox").fails(exitFailed, "the stack Blox-blox (CREATE_COMPLETE) has no output ApiUrl")
}

func TestWhichCallsAreSigned(t *testing.T) {
	for about, test := range map[string]struct {
		line, env, scope string
	}{
		"http":                     {"", "", ""},
		"http, --auth iam":         {"--auth iam", "", "/eu-west-1/execute-api/"},
		"http, $BLOX_AUTH":         {"", "iam", "/eu-west-1/execute-api/"},
		"the flag before":          {"--auth none", "iam", ""},
		"another region":           {"--auth iam --region us-west-2", "", "/us-west-2/execute-api/"},
		"a stack's endpoint, http": {"--stack Blox-blox --auth iam", "", "/eu-west-1/execute-api/"},
	} {
		t.Run(about, func(t *testing.T) {
			a, s := newAWS(t), newSession(t)
			s.env[endpointEnv], s.env[authEnv] = a.URL+"/blox", test.env
			got := s.run("get tasks -o json " + test.line)
			require.Equal(t, exitOK, got.code, got.stderr)
			require.Len(t, a.auth, 1)
			require.Equal(t, test.scope != "", a.auth[0] != "")
			require.Contains(t, a.auth[0], test.scope)
		})
	}
	s := newSession(t)
	c := &connection{world: world{getenv: func(string) string { return "" }}}
	for endpoint, want := range map[string]bool{"https://x.test": true, "http://x.test": false, "x": false} {
		signs, err := c.signs(nil, endpoint)
		require.NoError(t, err)
		require.Equal(t, want, signs)
	}
	s.run("get tasks --auth basic").fails(exitUsage, `--auth (or $BLOX_AUTH) "basic": allowed are none and iam`)
	s.run("get tasks --endpoint https://a.execute-api.us-east-1.amazonaws.com/blox --region eu-west-1").
		fails(exitUsage, "--region eu-west-1: the API at https://a.execute-api.us-east-1.amazonaws.com/blox is in us-east-1")
}

func TestCredentialsThatAreNotThere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(file, []byte(`[profile half]
region = eu-west-1
aws_access_key_id = A
[profile sso]
region = eu-west-1
sso_start_url = https://x.test
sso_region = eu-west-1
sso_account_id = 123456789012
sso_role_name = r
[profile broken]
region = eu-west-1
credential_process = false
[profile nowhere]
aws_access_key_id = A
aws_secret_access_key = B
[profile fine]
region = us-west-2
aws_access_key_id = FINE
aws_secret_access_key = B
`), 0o600))
	a, s := newAWS(t), newSession(t)
	s.env[endpointEnv] = a.URL + "/blox"
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", file)
	t.Setenv("HOME", t.TempDir())
	const none = "there are no AWS credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID"
	for line, test := range map[string]struct {
		code int
		says string
	}{
		"--auth iam --region eu-west-1":                    {exitFailed, none},
		"--stack Blox-blox --region eu-west-1":             {exitFailed, none},
		"--auth iam":                                       {exitUsage, "the AWS region is not known: give --region, or set AWS_REGION or the profile's region"},
		"--stack Blox-blox":                                {exitUsage, "the AWS region is not known"},
		"--auth iam --profile nobody":                      {exitUsage, `there is no AWS profile "nobody": aws configure list-profiles shows those there are`},
		"--auth iam --profile sso":                         {exitFailed, "the AWS credentials have expired: log in again, for example with aws sso login"},
		"--stack Blox-blox --profile sso":                  {exitFailed, "the AWS credentials have expired"},
		"--auth iam --profile broken":                      {exitFailed, "the AWS credentials cannot be had"},
		"--auth iam --profile nowhere":                     {exitUsage, "the AWS region is not known"},
		"--auth iam --profile half":                        {exitFailed, "blox: "},
		"--auth iam --profile fine":                        {exitOK, ""},
		"--auth iam --profile nowhere --region ap-south-1": {exitOK, ""},
	} {
		t.Run(line, func(t *testing.T) {
			a.auth = nil
			got := s.run("get tasks -o json " + line)
			require.Equal(t, test.code, got.code, got.stderr)
			require.Contains(t, got.stderr, test.says)
			require.LessOrEqual(t, strings.Count(got.stderr, "\n"), 1, got.stderr)
			require.Equal(t, test.code == exitOK, len(a.auth) == 1)
		})
	}
	require.Equal(t, exitOK, s.run("get tasks -o json").code, "without a signature nothing of AWS is needed")
}

func TestRefusedCalls(t *testing.T) {
	a, s := newAWS(t), newSession(t)
	s.env[endpointEnv] = a.URL + "/blox"
	for exception, says := range map[string]string{
		"MissingAuthenticationTokenException": "was not signed",
		"InvalidSignatureException":           "check that the secret access key is that of the access key",
		"UnrecognizedClientException":         "AWS does not know this access key",
		"ExpiredTokenException":               "the credentials have expired",
		"AccessDeniedException":               "it needs execute-api:Invoke",
		"ForbiddenException":                  "not open to calls from here",
		"OtherException":                      "check the AWS credentials (--profile, --region) and --endpoint",
	} {
		a.refusal = exception
		s.run("get tasks").fails(exitFailed, "the API refused the call: refused", says, "--")
	}
}
