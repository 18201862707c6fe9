package sigv4

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
)

// protected is a server that answers whoever has signed well, on the clock that the signers have.
func protected(t *testing.T) *httptest.Server {
	v := verifier()
	v.Now = time.Now
	valid := temporary
	valid.Expires = time.Now().Add(time.Hour)
	v.Credentials[temporary.AccessKeyID] = valid
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if refusal := v.verify(r, body); refusal != nil {
			WriteProblem(w, refusal)
			return
		}
		_, _ = io.WriteString(w, `{"items": []}`)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestTheGoClientSigns(t *testing.T) {
	server := protected(t)
	for about, test := range map[string]struct {
		credentials aws.Credentials
		region      string
		status      int
	}{
		"a permanent key":      {permanent, "eu-west-1", 0},
		"temporary ones":       {temporary, "eu-west-1", 0},
		"a key of nobody":      {aws.Credentials{AccessKeyID: "AKIAOTHER", SecretAccessKey: "x"}, "eu-west-1", 403},
		"another secret":       {aws.Credentials{AccessKeyID: permanent.AccessKeyID, SecretAccessKey: "x"}, "eu-west-1", 403},
		"a wrong region":       {permanent, "us-east-1", 403},
		"temporary, no token":  {aws.Credentials{AccessKeyID: temporary.AccessKeyID, SecretAccessKey: temporary.SecretAccessKey}, "eu-west-1", 403},
		"an unneeded token":    {aws.Credentials{AccessKeyID: permanent.AccessKeyID, SecretAccessKey: permanent.SecretAccessKey, SessionToken: "x"}, "eu-west-1", 403},
		"another token's key":  {aws.Credentials{AccessKeyID: permanent.AccessKeyID, SecretAccessKey: temporary.SecretAccessKey, SessionToken: temporary.SessionToken}, "eu-west-1", 403},
		"a token that is none": {aws.Credentials{AccessKeyID: temporary.AccessKeyID, SecretAccessKey: temporary.SecretAccessKey, SessionToken: "x"}, "eu-west-1", 403},
	} {
		t.Run(about, func(t *testing.T) {
			blox, err := client.New(client.Options{Endpoint: server.URL, Signer: client.NewSigner(
				credentials.StaticCredentialsProvider{Value: test.credentials}, test.region)})
			require.NoError(t, err)
			calls := []func() error{
				func() error { return blox.Ping(t.Context()) },
				func() error {
					_, err := blox.ListTasksPage(t.Context(), client.TaskFilter{
						Cluster: "arn:aws:ecs:eu-west-1:1:cluster/edge", StartedBy: "a b+c&d=é", Group: "family:x/y",
					}, client.PageOptions{NextToken: "a==", Limit: 5})
					return err
				},
				func() error {
					_, err := blox.GetTask(t.Context(), "arn:aws:ecs:eu-west-1:1:cluster/edge", "arn:aws:ecs:eu-west-1:1:task/edge/0f5d")
					return err
				},
				func() error {
					_, err := blox.PutEnvironment(t.Context(), "a b%", client.EnvironmentDefinition{TaskDefinition: "é:1"})
					return err
				},
				func() error { return blox.DeleteEnvironment(t.Context(), "n", nil) },
			}
			for i, call := range calls {
				err := call()
				require.Equal(t, test.status, client.StatusOf(err), "call %d: %v", i, err)
				require.Equal(t, test.status == 0, err == nil, "call %d: %v", i, err)
			}
		})
	}
	unsigned, err := client.New(client.Options{Endpoint: server.URL})
	require.NoError(t, err)
	require.ErrorContains(t, unsigned.Ping(t.Context()), "Missing Authentication Token")
}

// curlWith finds a curl that signs, or skips the test.
func curlWith(t *testing.T) string {
	path, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("there is no curl on the PATH, so its --aws-sigv4 was not checked")
	}
	help, err := exec.CommandContext(t.Context(), path, "--help", "all").Output()
	if err != nil || !bytes.Contains(help, []byte("--aws-sigv4")) {
		t.Skip("this curl has no --aws-sigv4 (it came with 7.75), so that was not checked")
	}
	return path
}

func TestCurlSigns(t *testing.T) {
	curl := curlWith(t)
	server := protected(t)
	user := permanent.AccessKeyID + ":" + permanent.SecretAccessKey
	for about, test := range map[string]struct {
		want string
		args []string
	}{
		"a read":  {"200", []string{"--user", user, server.URL + "/v1/ping"}},
		"a query": {"200", []string{"--user", user, server.URL + "/v1/tasks?cluster=edge&status=running"}},
		"a body": {"200", []string{
			"--user", user, "-X", "PUT", "-H", "Content-Type: application/json", "-d", `{"taskDefinition": "a:1"}`, server.URL + "/v1/environments/n",
		}},
		"temporary credentials": {"200", []string{
			"--user", temporary.AccessKeyID + ":" + temporary.SecretAccessKey, "-H", "X-Amz-Security-Token: " + temporary.SessionToken, server.URL + "/v1/ping",
		}},
		"a wrong secret": {"403", []string{"--user", permanent.AccessKeyID + ":guessed", server.URL + "/v1/ping"}},
		"an unknown key": {"403", []string{"--user", "AKIAOTHER:" + permanent.SecretAccessKey, server.URL + "/v1/ping"}},
	} {
		t.Run(about, func(t *testing.T) {
			args := append([]string{"-q", "-s", "-S", "--noproxy", "*", "--max-time", "20", "-w", "\n%{http_code}", "--aws-sigv4", "aws:amz:eu-west-1:execute-api"}, test.args...)
			out, err := exec.CommandContext(t.Context(), curl, args...).CombinedOutput()
			require.NoError(t, err, "%s", out)
			lines := strings.Split(string(out), "\n")
			require.Equal(t, test.want, lines[len(lines)-1], "%s", out)
		})
	}
}

// pythonSigner signs with botocore what it reads, {url, method, headers, body, credentials}, and prints the headers.
const pythonSigner = `
import json, sys
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
signed = []
for call in json.load(sys.stdin):
    request = AWSRequest(method=call["method"], url=call["url"], headers=call["headers"], data=call["body"].encode())
    SigV4Auth(Credentials(*call["credentials"]), "execute-api", "eu-west-1").add_auth(request)
    signed.append(dict(request.headers.items()))
json.dump(signed, sys.stdout)
`

type pythonCall struct {
	Method      string            `json:"method"`
	URL         string            `json:"url"`
	Headers     map[string]string `json:"headers"`
	Body        string            `json:"body"`
	Credentials []string          `json:"credentials"`
	status      int
}

func TestBotocoreSigns(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil || exec.CommandContext(t.Context(), python, "-c", "import botocore.auth").Run() != nil {
		t.Skip("there is no python3 with botocore, so its signer was not checked")
	}
	server := protected(t)
	key := []string{permanent.AccessKeyID, permanent.SecretAccessKey}
	session := []string{temporary.AccessKeyID, temporary.SecretAccessKey, temporary.SessionToken}
	plain := map[string]string{}
	calls := []pythonCall{
		{"GET", server.URL + "/v1/ping", plain, "", key, 200},
		{"GET", server.URL + "/v1/ping", plain, "", session, 200},
		{"GET", server.URL + "/v1/tasks?status=running&cluster=a%2Fb%20c&empty=&cluster=a", plain, "", key, 200},
		{"GET", server.URL + "/v1/tasks/edge/arn%3Aaws%3Aecs%3Aeu-west-1%3A1%3Atask%2Fedge%2F0f5d", plain, "", key, 200},
		{"GET", server.URL + "/v1/tasks/edge/arn:aws:ecs:eu-west-1:1:task%2Fedge%2F0f5d", plain, "", key, 200},
		{"PUT", server.URL + "/v1/environments/n", map[string]string{"Content-Type": "application/json"}, `{"taskDefinition": "é:1"}`, key, 200},
		{"GET", server.URL + "/v1/ping", plain, "", []string{permanent.AccessKeyID, "guessed"}, 403},
	}
	in, err := json.Marshal(calls)
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), python, "-c", pythonSigner)
	command.Stdin = bytes.NewReader(in)
	out, err := command.Output()
	require.NoError(t, err)
	var signed []map[string]string
	require.NoError(t, json.Unmarshal(out, &signed))
	require.Len(t, signed, len(calls))
	for i, call := range calls {
		t.Run(strconv.Itoa(i)+" "+call.Method+" "+strings.TrimPrefix(call.URL, server.URL), func(t *testing.T) {
			require.Equal(t, call.status, send(t, call.Method, call.URL, call.Body, signed[i]))
			if call.status == http.StatusOK {
				require.Equal(t, http.StatusForbidden, send(t, call.Method, call.URL+"x", call.Body, signed[i]), "another path or value")
			}
		})
	}
}

func send(t *testing.T, method, address, body string, headers map[string]string) int {
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	require.NoError(t, err)
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

func TestACaughtRequestIsOfNoUseElsewhere(t *testing.T) {
	first, second := protected(t), protected(t)
	caught := call{uri: "/v1/ping", host: strings.TrimPrefix(first.URL, "http://"), at: time.Now()}.sent(t)
	headers := map[string]string{}
	for name := range caught.Header {
		headers[name] = caught.Header.Get(name)
	}
	require.Equal(t, http.StatusOK, send(t, http.MethodGet, first.URL+"/v1/ping", "", headers))
	require.Equal(t, http.StatusForbidden, send(t, http.MethodGet, second.URL+"/v1/ping", "", headers))
	require.Equal(t, http.StatusForbidden, send(t, http.MethodPost, first.URL+"/v1/ping", "", headers))
}
