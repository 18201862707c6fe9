package member

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"
)

// account is AWS as far as these tests go: an STS that gives a key for each session, and an ECS. It is the transport of
// every client, so that what is seen is what would go out.
type account struct {
	t       *testing.T
	mu      sync.Mutex
	lasts   time.Duration // of a session
	denied  bool          // every role
	assumed []url.Values
	calls   []string // host and access key of the calls to ECS and CloudWatch
}

func (a *account) RoundTrip(request *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := request.Header.Get("Authorization")
	key = key[strings.Index(key, "Credential=")+len("Credential=") : strings.IndexByte(key, '/')]
	if strings.HasPrefix(request.URL.Host, "ecs.") || strings.HasPrefix(request.URL.Host, "monitoring.") {
		a.calls = append(a.calls, request.URL.Host+" "+key)
		return response(`{"clusterArns":[]}`), nil
	}
	require.Equal(a.t, "sts.eu-west-1.amazonaws.com", request.URL.Host, "the home's regional endpoint")
	require.Equal(a.t, "HOME", key)
	raw, err := io.ReadAll(request.Body)
	require.NoError(a.t, err)
	form, err := url.ParseQuery(string(raw))
	require.NoError(a.t, err)
	a.assumed = append(a.assumed, form)
	if a.denied {
		denied := response(`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>` +
			`<Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>`)
		denied.StatusCode = http.StatusForbidden
		return denied, nil
	}
	return response(fmt.Sprintf(`<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>`+
		`<AccessKeyId>SESSION%d</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>`+
		`<Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
		len(a.assumed), time.Now().Add(a.lasts).UTC().Format(time.RFC3339))), nil
}

func response(body string) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func newClients(t *testing.T, lasts time.Duration) (*Clients, *account) {
	a := &account{t: t, lasts: lasts}
	return New(Config{
		Settings: Settings{
			Home: home, ExternalID: "secret",
			Members: []Place{{"210987654321", "us-east-1"}, {"123456789012", "eu-west-1"}},
		},
		AWS: aws.Config{
			Region: home.Region, Credentials: credentials.NewStaticCredentialsProvider("HOME", "secret", ""), HTTPClient: &http.Client{Transport: a},
		},
		Installation: "main", Role: RoleScheduler, Function: "drive",
	}), a
}

func list(t *testing.T, clients *Clients, account, region string) {
	t.Helper()
	client, err := clients.ECS(account, region)
	require.NoError(t, err)
	_, err = client.ListClusters(t.Context(), &ecs.ListClustersInput{})
	require.NoError(t, err)
}

func TestTheHomeNeedsNoRole(t *testing.T) {
	clients, a := newClients(t, time.Hour)
	list(t, clients, home.Account, home.Region)
	require.Equal(t, []string{"ecs.eu-west-1.amazonaws.com HOME"}, a.calls)
	require.Empty(t, a.assumed)
}

func TestAMemberIsReachedByItsRole(t *testing.T) {
	clients, a := newClients(t, time.Hour)
	list(t, clients, "123456789012", "eu-west-1")
	list(t, clients, "123456789012", "eu-west-1")
	list(t, clients, "210987654321", "us-east-1")
	require.Equal(t, []string{
		"ecs.eu-west-1.amazonaws.com SESSION1", "ecs.eu-west-1.amazonaws.com SESSION1", "ecs.us-east-1.amazonaws.com SESSION2",
	}, a.calls, "a session serves until it ends")
	require.Len(t, a.assumed, 2)
	for i, role := range []string{
		"arn:aws:iam::123456789012:role/blox-main-scheduler-eu-west-1", "arn:aws:iam::210987654321:role/blox-main-scheduler-us-east-1",
	} {
		require.Equal(t, role, a.assumed[i].Get("RoleArn"))
		require.Equal(t, "secret", a.assumed[i].Get("ExternalId"))
		require.Equal(t, "blox-main-drive", a.assumed[i].Get("RoleSessionName"))
	}
}

func TestASessionThatEndsIsRenewed(t *testing.T) {
	clients, a := newClients(t, -time.Minute)
	list(t, clients, "123456789012", "eu-west-1")
	list(t, clients, "123456789012", "eu-west-1")
	require.Equal(t, []string{"ecs.eu-west-1.amazonaws.com SESSION1", "ecs.eu-west-1.amazonaws.com SESSION2"}, a.calls)
}

func TestOptionsAreOfEveryClient(t *testing.T) {
	clients, _ := newClients(t, time.Hour)
	clients.cfg.Options = []func(*ecs.Options){func(o *ecs.Options) { o.RetryMode = aws.RetryModeAdaptive }}
	for _, p := range clients.cfg.Places() {
		client, err := clients.ECS(p.Account, p.Region)
		require.NoError(t, err)
		require.Equal(t, aws.RetryModeAdaptive, client.Options().RetryMode)
		require.Equal(t, p.Region, client.Options().Region)
	}
}

func TestAnUnknownPlaceIsRefused(t *testing.T) {
	clients, a := newClients(t, time.Hour)
	for _, p := range []Place{{"123456789012", "us-east-1"}, {"999999999999", "eu-west-1"}} {
		_, err := clients.ECS(p.Account, p.Region)
		require.EqualError(t, err, fmt.Sprintf("account %s in region %s is no member of this installation: "+
			"allowed are 210987654321/eu-west-1, 210987654321/us-east-1, 123456789012/eu-west-1", p.Account, p.Region))
		var unknown *UnknownPlaceError
		require.ErrorAs(t, err, &unknown)
	}
	require.Empty(t, a.calls)
}

func TestRolesAreNamedAlikeInEveryPartition(t *testing.T) {
	require.Equal(t, "arn:aws-cn:iam::123456789012:role/blox-main-read-cn-north-1", RoleARN("main", RoleRead, Place{"123456789012", "cn-north-1"}))
}

// Who calls ECS tells a role that is denied from an ECS that is: both are errors of AWS with a code.
func TestARoleThatIsDeniedIsAnErrorWithItsCode(t *testing.T) {
	clients, a := newClients(t, time.Hour)
	clients.cfg.AWS.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	a.denied = true
	client, err := clients.ECS("123456789012", "eu-west-1")
	require.NoError(t, err)
	_, err = client.ListClusters(t.Context(), &ecs.ListClustersInput{})
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, "AccessDenied", api.ErrorCode())
	require.Empty(t, a.calls)
}
