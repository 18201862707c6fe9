package local

import (
	"context"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/blox/blox/client"
)

func withIAM(file string) Config {
	return Config{Addr: "127.0.0.1:0", ECSAddr: "127.0.0.1:0", Store: StoreMemory, Auth: AuthIAM, CredentialsFile: file, Log: quiet}
}

func startWith(t *testing.T, cfg Config) *System {
	s, err := Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.WithoutCancel(t.Context()))) })
	return s
}

func pingWith(t *testing.T, endpoint string, key aws.Credentials) error {
	blox, err := client.New(client.Options{Endpoint: endpoint, Signer: client.NewSigner(credentials.StaticCredentialsProvider{Value: key}, region)})
	require.NoError(t, err)
	return blox.Ping(t.Context())
}

func TestWithIAMCallsMustBeSigned(t *testing.T) {
	cfg := withIAM("")
	cfg.Demo, cfg.Instances = true, 2
	s := startWith(t, cfg)
	require.NoError(t, s.Client().Ping(t.Context()), "its own calls are")
	require.NoError(t, pingWith(t, s.APIURL(), s.keys.shown))
	guessed := s.keys.shown
	guessed.SecretAccessKey = "guessed"
	require.Equal(t, http.StatusForbidden, client.StatusOf(pingWith(t, s.APIURL(), guessed)))
	for _, path := range []string{"/v1/ping", "/v1/tasks", "/v1/openapi.yaml", "/nowhere", "/"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.APIURL()+path, nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusForbidden, response.StatusCode, path)
		require.Equal(t, "MissingAuthenticationTokenException", response.Header.Get("x-amzn-ErrorType"))
	}
	// The demo is deployed and told through the API, signed.
	eventually(t, "the demo's environment", func(c *assert.CollectT) {
		environments, err := s.listEnvironments(t.Context())
		require.NoError(c, err)
		require.Len(c, environments, 1)
	})
	signer := client.NewSigner(credentials.StaticCredentialsProvider{Value: s.keys.shown}, region)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.APIURL()+"/v1/environments/x", strings.NewReader(strings.Repeat("x", maxRequestBytes+1)))
	require.NoError(t, err)
	require.NoError(t, signer.Sign(t.Context(), request, nil))
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)
}

func TestARequestForAnotherHostIsRefused(t *testing.T) {
	s := startWith(t, withIAM(""))
	_, port, err := net.SplitHostPort(s.api.Addr().String())
	require.NoError(t, err)
	for host, status := range map[string]int{"localhost:" + port: http.StatusOK, "[::1]:" + port: http.StatusOK, "other.example.com": http.StatusForbidden, "localhost:1": http.StatusForbidden} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.APIURL()+"/v1/ping", nil)
		require.NoError(t, err)
		request.Host = host
		require.NoError(t, client.NewSigner(credentials.StaticCredentialsProvider{Value: s.keys.shown}, region).Sign(t.Context(), request, nil))
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, status, response.StatusCode, host)
	}
	require.Contains(t, hostsOf(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}), "localhost")
	require.Empty(t, hostsOf(&net.TCPAddr{IP: net.IPv4zero, Port: 80}), "how others call this machine is not known")
}

func TestACredentialsFileThatIsNotThereIsMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	first := startWith(t, withIAM(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	shared, err := config.LoadSharedConfigProfile(t.Context(), newProfile, func(o *config.LoadSharedConfigOptions) { o.CredentialsFiles = []string{path} })
	require.NoError(t, err)
	require.NoError(t, pingWith(t, first.APIURL(), shared.Credentials))
	second := startWith(t, withIAM(path))
	require.NoError(t, pingWith(t, second.APIURL(), shared.Credentials), "the next start finds it")
	require.NotContains(t, second.keys.exports(), shared.Credentials.SecretAccessKey)
}

func TestEveryProfileWithAKeyMayCall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	require.NoError(t, os.WriteFile(path, []byte(`# keys of a team
[role]
credential_process = /bin/false
[ ann ]
aws_access_key_id = AKIAANN
aws_secret_access_key = one
[bob]
aws_access_key_id=ASIABOB
aws_secret_access_key=two
aws_session_token=three
`), 0o600))
	s := startWith(t, withIAM(path))
	require.NoError(t, pingWith(t, s.APIURL(), aws.Credentials{AccessKeyID: "AKIAANN", SecretAccessKey: "one"}))
	require.NoError(t, pingWith(t, s.APIURL(), aws.Credentials{AccessKeyID: "ASIABOB", SecretAccessKey: "two", SessionToken: "three"}))
	require.ErrorContains(t, pingWith(t, s.APIURL(), aws.Credentials{AccessKeyID: "ASIABOB", SecretAccessKey: "two"}), "security token")
	require.Equal(t, "export AWS_SHARED_CREDENTIALS_FILE='"+path+"' AWS_PROFILE='ann' AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1", s.keys.exports())
}

func TestWhatAuthRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	empty, half := write("empty", ""), write("half", "[a]\naws_access_key_id = A\n")
	twice := write("twice", "[a]\naws_access_key_id=A\naws_secret_access_key=1\n[b]\naws_access_key_id=A\naws_secret_access_key=2\n")
	large := write("large", strings.Repeat("#", maxCredentialsFileBytes+1))
	with := func(change func(*Config)) Config {
		cfg := withIAM("")
		cfg.Auth = AuthNone
		change(&cfg)
		return cfg
	}
	for name, tc := range map[string]struct {
		cfg  Config
		says string
	}{
		"an unknown way":          {with(func(c *Config) { c.Auth = "basic" }), `--auth "basic" is unknown: allowed are none and iam`},
		"a file without auth":     {with(func(c *Config) { c.CredentialsFile = "x" }), "--credentials-file is of use with --auth iam only"},
		"no profile":              {withIAM(empty), "the credentials file " + empty + " has no profile with aws_access_key_id and aws_secret_access_key: write one, or name a file that is not there yet and it is made"},
		"no secret":               {withIAM(half), "the credentials file " + half},
		"a key twice":             {withIAM(twice), "the credentials file " + twice + `, profile "b": access key A is there already, with another secret or session token`},
		"a large file":            {withIAM(large), "reading the credentials file: " + large + " has more than 1048576 bytes"},
		"a folder":                {withIAM(dir), "reading the credentials file: read " + dir + ": is a directory"},
		"a folder that is not":    {withIAM(filepath.Join(dir, "no", "file")), "is not there and cannot be made"},
		"open to all":             {with(func(c *Config) { c.Addr = "0.0.0.0:0" }), "--addr 0.0.0.0:0 would let everyone who reaches this machine call the API: let calls be signed with --auth iam, or say that you want that with --allow-remote"},
		"no host":                 {with(func(c *Config) { c.Addr = ":0" }), "--addr :0 would let everyone"},
		"a name":                  {with(func(c *Config) { c.Addr = "example.com:0" }), "--addr example.com:0 would let everyone"},
		"a simulator open to all": {with(func(c *Config) { c.ECSAddr, c.Auth = "[::]:0", AuthIAM }), "--ecs-addr [::]:0 would let everyone who reaches this machine call the ECS simulator: use 127.0.0.1 (it takes any credentials), or say that you want that with --allow-remote"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Run(t.Context(), tc.cfg)
			var start *StartError
			require.ErrorAs(t, err, &start)
			require.ErrorContains(t, err, tc.says)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestOthersMayReachItIfThatIsWanted(t *testing.T) {
	open := withIAM("")
	open.Addr = "0.0.0.0:0"
	s := startWith(t, open)
	require.NoError(t, s.Client().Ping(t.Context()))
	open.Auth, open.ECSAddr, open.AllowRemote = AuthNone, "0.0.0.0:0", true
	s = startWith(t, open)
	require.NoError(t, s.Client().Ping(t.Context()))
	for _, local := range []string{"localhost:0", "127.0.0.1:0", "127.1.2.3:0", "[::1]:0"} {
		_, err := Config{Addr: local, ECSAddr: local, Store: StoreMemory}.withDefaults()
		require.NoError(t, err)
	}
}

// TestTheIntroductionIsTrue runs, in a shell, what a user is told to type.
func TestTheIntroductionIsTrue(t *testing.T) {
	if out, err := exec.CommandContext(t.Context(), "curl", "--help", "all").Output(); err != nil || !strings.Contains(string(out), "--aws-sigv4") {
		t.Skip("there is no curl with --aws-sigv4 on the PATH, so what the introduction says was not run")
	}
	out := &lockedText{}
	cfg := withIAM("")
	cfg.Out = out
	s := startWith(t, cfg)
	s.introduce()
	text := out.String()
	require.Contains(t, text, "Calls of the API must be signed, with a key that is of this run.")
	require.Contains(t, text, "bin/blox get instances --endpoint "+s.APIURL()+" --auth iam\n")
	export := regexp.MustCompile(`(?m)^  (export AWS_.*)$`).FindStringSubmatch(text)
	curls := regexp.MustCompile(`(?m)^  (curl .*)$`).FindAllStringSubmatch(text, -1)
	require.NotNil(t, export)
	require.GreaterOrEqual(t, len(curls), 3)
	patient, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, line := range curls {
		script, says := export[1]+"\n"+line[1]+" -q -s -f --noproxy '*' --max-time 20", `"items"`
		if strings.Contains(line[1], "/v1/stream/") {
			// It does not end by itself: curl is done when its time is.
			script, says = strings.Replace(script, "--max-time 20", "--max-time 1 || [ $? = 28 ]", 1), `"type"`
		}
		command := exec.CommandContext(patient, "sh", "-c", script)
		command.WaitDelay = time.Second // what the shell started may outlive it
		answer, err := command.CombinedOutput()
		require.NoError(t, err, "%s\n%s", script, answer)
		require.Contains(t, string(answer), says)
	}
}
