package local

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/blox/blox/internal/sigv4"
)

// What Config.Auth takes.
const (
	AuthNone = "none"
	AuthIAM  = "iam" // as an API Gateway with AWS_IAM: every call is signed
)

// newProfile is the profile of a credentials file that local mode makes.
const newProfile = "blox-local"

// keyring is who may call the API.
type keyring struct {
	credentials map[string]aws.Credentials // by access key id
	// own signs the calls that local mode makes itself.
	own aws.Credentials
	// profile is the first of file, that a user is told; without a file, shown is a key made for this run.
	file, profile string
	shown         aws.Credentials
}

// openKeyring reads the credentials file, or makes it with one key if it is not there; without a name, there is a key
// for this run alone.
func openKeyring(ctx context.Context, file string) (*keyring, error) {
	k := &keyring{credentials: map[string]aws.Credentials{}, own: newKey()}
	k.credentials[k.own.AccessKeyID] = k.own
	if file == "" {
		k.shown = newKey()
		k.credentials[k.shown.AccessKeyID] = k.shown
		return k, nil
	}
	absolute, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("the credentials file %s: %w", file, err)
	}
	k.file = absolute
	if err := makeCredentialsFile(absolute); err != nil {
		return nil, err
	}
	err = k.read(ctx)
	return k, err
}

// newKey draws a key that looks like one of IAM's and is none.
func newKey() aws.Credentials {
	return aws.Credentials{AccessKeyID: "AKIALOCAL" + rand.Text()[:11], SecretAccessKey: rand.Text() + rand.Text()[:14]}
}

// makeCredentialsFile writes a file with one key that only its owner can read, unless there is one.
func makeCredentialsFile(path string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the credentials file %s is not there and cannot be made: %w", path, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	key := newKey()
	_, err = fmt.Fprintf(f, "# Made by blox local --auth iam. These keys are of no use to AWS.\n[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
		newProfile, key.AccessKeyID, key.SecretAccessKey)
	return err
}

// maxCredentialsFileBytes is far more than any file of that kind has.
const maxCredentialsFileBytes = 1 << 20

var profileLine = regexp.MustCompile(`(?m)^[ \t]*\[[ \t]*([^]\n]*?)[ \t]*\]`)

// read takes every profile with a key of its own; the SDK reads the values. Profiles that lead elsewhere, to a role or a
// program, are left out: what they would get is not known before it is there.
func (k *keyring) read(ctx context.Context) error {
	text, err := readBounded(k.file, maxCredentialsFileBytes)
	if err != nil {
		return fmt.Errorf("reading the credentials file: %w", err)
	}
	for _, match := range profileLine.FindAllSubmatch(text, -1) {
		profile := string(match[1])
		shared, err := config.LoadSharedConfigProfile(ctx, profile, func(o *config.LoadSharedConfigOptions) {
			o.CredentialsFiles, o.ConfigFiles = []string{k.file}, []string{}
		})
		if err != nil {
			return fmt.Errorf("the credentials file %s, profile %q: %w", k.file, profile, oneSentence(err))
		}
		key := shared.Credentials
		if !key.HasKeys() {
			continue
		}
		if other, twice := k.credentials[key.AccessKeyID]; twice && (other.SecretAccessKey != key.SecretAccessKey || other.SessionToken != key.SessionToken) {
			return fmt.Errorf("the credentials file %s, profile %q: access key %s is there already, with another secret or session token",
				k.file, profile, key.AccessKeyID)
		}
		k.credentials[key.AccessKeyID] = key
		if k.profile == "" {
			k.profile = profile
		}
	}
	if k.profile == "" {
		return fmt.Errorf("the credentials file %s has no profile with aws_access_key_id and aws_secret_access_key: write one, or name a file that is not there yet and it is made", k.file)
	}
	return nil
}

func readBounded(path string, limit int64) (text []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err = io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", path, limit)
	}
	return text, err
}

// exports is the line that makes a shell's AWS tools, and blox, sign with the first key; it shows no secret of a file.
func (k *keyring) exports() string {
	variables := "AWS_SHARED_CREDENTIALS_FILE='" + strings.ReplaceAll(k.file, "'", `'\''`) + "' AWS_PROFILE='" + strings.ReplaceAll(k.profile, "'", `'\''`) + "'"
	if k.file == "" {
		variables = "AWS_ACCESS_KEY_ID=" + k.shown.AccessKeyID + " AWS_SECRET_ACCESS_KEY=" + k.shown.SecretAccessKey
	}
	return "export " + variables + " AWS_REGION=" + region + " AWS_DEFAULT_REGION=" + region
}

// curlUser is what curl's --user takes: the key, from wherever the shell has it.
func (k *keyring) curlUser() string {
	if k.file == "" {
		return `"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"`
	}
	return `"$(aws configure get aws_access_key_id):$(aws configure get aws_secret_access_key)"`
}

// authenticated lets through to next what is signed by one of the verifier's keys.
type authenticated struct {
	verifier *sigv4.Verifier
	next     http.Handler
}

func (a *authenticated) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		gatewayError(w, http.StatusRequestEntityTooLarge, "Request Too Long")
		return
	} else if err != nil {
		gatewayError(w, http.StatusBadRequest, "Bad Request")
		return
	}
	var refusal *sigv4.Error
	if errors.As(a.verifier.Verify(r, body), &refusal) {
		sigv4.WriteProblem(w, refusal)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	a.next.ServeHTTP(w, r)
}

// protect puts the check of signatures before the API.
func (s *System) protect(next http.Handler) http.Handler {
	if s.keys == nil {
		return next
	}
	return &authenticated{next: next, verifier: &sigv4.Verifier{
		Credentials: s.keys.credentials, Region: region, Service: sigv4.ServiceName, Hosts: hostsOf(s.api.Addr()), Now: s.cfg.Now,
	}}
}

// hostsOf are the names that a server on a loopback address can be called by, so that a request caught elsewhere is of
// no use here even with the Host header it was signed for. A server that others can reach is called by names that it
// cannot know.
func hostsOf(addr net.Addr) []string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil || !isLoopback(host) {
		return nil
	}
	var hosts []string
	for _, name := range []string{host, "localhost", "127.0.0.1", "::1"} {
		hosts = append(hosts, net.JoinHostPort(name, port))
		if port == "80" { // http's own port is not written
			hosts = append(hosts, strings.TrimSuffix(net.JoinHostPort(name, port), ":80"))
		}
	}
	return hosts
}

// isLoopback says whether only this machine reaches a host; no host at all means every address of the machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
